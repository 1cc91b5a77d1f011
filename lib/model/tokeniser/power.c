/* power: the log power of each channel in a band of a segment, averaged over the band's lines and
 * sine tapers as covariance's diagonal is: ln(P / s + 1e-4), s the mean power of the band in
 * training (tokens.scale). Tapers make a steadier estimate than the single one of spectral. V
 * channels make V features: padding has none. Tokens are in the order of covariance's. */
#include "model/tokeniser/columns.h"
#include "model/tokeniser/condensed.h"

#include "base/error.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

extern const struct tokeniser tokeniser_power;

/* Added to a power, as a fraction of the mean power: what is below it, such as a channel without
 * signal, is as good as nothing. */
static const double least = 1e-4;

static int kinds(const struct config *c)
{
	return c->encoder.bands.n;
}

static int size(const struct config *c, int T, double rate, const struct region *r, int *n, int *D)
{
	int segments;
	*D = columns_present(r, NULL);
	if (bands_size(c, T, rate, c->encoder.tapers, &segments))
		return -1;
	if (*D < 1)
		return err_set(EX_DATAERR, "region %s: has padding and no channel", r->name);
	*n = segments * c->encoder.bands.n;
	return 0;
}

static int count(const struct config *c, int T, double rate, int samples)
{
	return bands_count(c, T, rate, samples) * c->encoder.bands.n;
}

static void *prepare(const struct config *c, int T, double rate)
{
	struct segments *s = bands_prepare(c, T, rate, c->encoder.tapers);
	struct condensed *made = condense(s, 0x1p29);
	free(s);
	return made;
}

/* P [segments][bands][V] of x; scratch: the room. Returns V. */
static int measure(const struct condensed *s, const real *x, int T, const struct region *r, real *P,
	struct arena *scratch)
{
	size_t w = (size_t)r->width;
	int *column = arena_take(scratch, w * sizeof *column), V = columns_present(r, column);
	real *folded = arena_take(scratch, PARITIES * (size_t)V * (size_t)s->half * sizeof *folded),
	     *parts = arena_take(scratch, (size_t)V * (size_t)s->most * sizeof *parts);
	for (int at = 0; at + s->L <= T; at += s->hop) {
		condensed_fold_changing(s, x + (size_t)at * w, r->width, column, V, folded);
		for (int b = 0; b < s->bands; b++, P += V)
			condensed_powers(s, b, folded, V, parts, P);
	}
	return V;
}

static void power(const struct config *c, const void *prepared, const real *x, int T, double rate,
	const struct region *r, real *out, struct arena *scratch)
{
	const struct condensed *s = prepared;
	int segments = 1 + (T - s->L) / s->hop, bands = s->bands;
	real *P = arena_take(scratch, (size_t)segments * (size_t)bands * (size_t)r->width * sizeof *P);
	int V = measure(s, x, T, r, P, scratch);
	(void)c;
	(void)rate;
	memset(out, 0, (size_t)bands * sizeof *out);
	for (int i = 0; i < segments * bands * V; i++)
		out[i / V % bands] += column_held(P[i]) / (real)(segments * V);
}

static void features(const struct config *c, const void *prepared, const real *scale, const real *x, int T,
	double rate, const struct region *r, real *out, struct arena *scratch)
{
	const struct condensed *s = prepared;
	int V = measure(s, x, T, r, out, scratch);
	(void)c;
	(void)rate;
	for (int i = 0; i < (1 + (T - s->L) / s->hop) * s->bands * V; i++)
		out[i] = (real)log(
			fmax((double)column_held(out[i] / (scale ? scale[i / V % s->bands] : 1)), 0) + least);
}

const struct tokeniser tokeniser_power = {.name = "power",
	.keys = "encoder.bands|encoder.window|encoder.hop|encoder.evidence|encoder.tapers",
	.unsigned_features = true,
	.standardised = true,
	.power = power,
	.kinds = kinds,
	.size = size,
	.count = count,
	.prepare = prepare,
	.features = features};
