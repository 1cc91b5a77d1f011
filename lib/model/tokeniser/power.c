/* power: the log power of each channel in a band of a segment, averaged over the band's lines and
 * sine tapers as covariance's diagonal is: ln(P / s + 1e-4), s the mean power of the band in
 * training (tokens.scale). Tapers make a steadier estimate than the single one of spectral. V
 * channels make V features: padding has none. Tokens are in the order of covariance's. */
#include "model/tokeniser/banded.h"
#include "model/tokeniser/columns.h"
#include "model/tokeniser/condensed.h"

#include <math.h>
#include <string.h>

extern const struct tokeniser tokeniser_power;

/* Added to a power, as a fraction of the mean power: what is below it, such as a channel without
 * signal, is as good as nothing. */
static const double least = 1e-4;

static int size(const struct config *c, int T, double rate, const struct region *r, int *n, int *D)
{
	*D = banded_size(c, c, T, rate, r, n);
	return *D < 0 ? -1 : 0;
}

/* Tokens before the logarithm: the powers of the channels for each segment and band. */
static void raw(const struct config *c, const void *prepared, const real *x, int T, double rate,
	const struct region *r, real *out, struct arena *scratch)
{
	const struct condensed *s = prepared;
	size_t w = (size_t)r->width;
	int *column = arena_take(scratch, w * sizeof *column), V = columns_present(r, column);
	real *folded = arena_take(scratch, PARITIES * (size_t)V * (size_t)s->half * sizeof *folded),
	     *parts = arena_take(scratch, (size_t)V * (size_t)s->most * sizeof *parts);
	(void)c;
	(void)rate;
	for (int at = 0; at + s->L <= T; at += s->hop) {
		condensed_fold_changing(s, x + (size_t)at * w, r->width, column, V, folded);
		for (int b = 0; b < s->bands; b++, out += V)
			condensed_powers(s, b, folded, V, parts, out);
	}
}

/* Of each band: the mean over channels and segments. */
static void power(const struct config *c, const real *x, int rows, const struct region *r, real *out)
{
	int bands = c->encoder.bands.n, V = columns_present(r, NULL);
	memset(out, 0, (size_t)bands * sizeof *out);
	for (int i = 0; i < rows * V; i++)
		out[i / V % bands] += column_held(x[i]) / (real)V;
	for (int b = 0; b < bands; b++)
		out[b] /= (real)(rows / bands);
}

static void finish(const struct config *c, const real *scale, int rows, const struct region *r, real *x,
	struct arena *scratch)
{
	int bands = c->encoder.bands.n, V = columns_present(r, NULL);
	(void)scratch;
	for (int i = 0; i < rows * V; i++)
		x[i] = (real)log(
			fmax((double)column_held(x[i] / (scale ? scale[i / V % bands] : 1)), 0) + least);
}

const struct tokeniser tokeniser_power = {.name = "power",
	.keys = "encoder.bands|encoder.window|encoder.hop|encoder.evidence|encoder.tapers",
	.unsigned_features = true,
	.standardised = true,
	.ridge = 0.25,
	.raw = raw,
	.power = power,
	.finish = finish,
	.kinds = banded_kinds,
	.size = size,
	.count = banded_count,
	.prepare = banded_prepare};
