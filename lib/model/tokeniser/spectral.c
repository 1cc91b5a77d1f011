/* spectral: log band powers of overlapping segments. A segment is freed of its mean and tapered by
 * a Hann window; the power of a band is the mean of its lines' (bands.h), and the feature is
 * ln(power + 1e-6) for each (band, channel), scaled by 1/2 to about unit spread. A column without
 * any signal gives 0. */
#include "model/tokeniser/bands.h"

#include <math.h>

extern const struct tokeniser tokeniser_spectral;

static int size(const struct config *c, int T, double rate, const struct region *r, int *n, int *D)
{
	*D = c->encoder.bands.n * r->width;
	return bands_size(c, T, rate, TAPER_HANN, n);
}

static void *prepare(const struct config *c, int T, double rate)
{
	return bands_prepare(c, T, rate, TAPER_HANN);
}

static void features(const struct config *c, const void *prepared, const real *x, int T, double rate,
	const struct region *r, real *out, struct arena *scratch)
{
	const struct segments *s = prepared;
	size_t w = (size_t)r->width, width = (size_t)s->width;
	real *parts = arena_take(scratch, w * width * sizeof *parts);
	bool *silent = arena_take(scratch, w * sizeof *silent);
	int *column = arena_take(scratch, w * sizeof *column);
	real *room = arena_take(scratch, w * (size_t)s->L * sizeof *room);
	(void)c;
	(void)rate;
	for (int j = 0; j < r->width; j++)
		column[j] = j;
	for (int at = 0; at + s->L <= T; at += s->hop, out += (size_t)s->bands * w) {
		bands_transform(s, x + (size_t)at * w, r->width, column, r->width, parts, silent, room);
		for (int b = 0; b < s->bands; b++)
			for (size_t j = 0; j < w; j++) {
				const real *part = parts + j * width + (size_t)s->first[b];
				real power = 0;
				for (int i = 0; i < s->size[b]; i++)
					power += part[i] * part[i];
				power /= (real)s->lines[b];
				out[(size_t)b * w + j] =
					silent[j] ? 0 : (real)(0.5 * log((double)power + 1e-6));
			}
	}
}

const struct tokeniser tokeniser_spectral = {.name = "spectral",
	.keys = "encoder.bands|encoder.window|encoder.hop|encoder.evidence",
	.unsigned_features = true,
	.standardised = true,
	.size = size,
	.count = bands_count,
	.prepare = prepare,
	.features = features};
