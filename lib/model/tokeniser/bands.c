#include "model/tokeniser/bands.h"

#include "base/error.h"
#include "tensor/gemm.h"

#include <math.h>
#include <string.h>

/* A column whose variance is below this is a constant, and what its rounding left. */
#define SILENCE REAL(1e-10)

static void cut(const struct config *c, int T, double rate, int *L, int *hop)
{
	*L = c->encoder.window > 0 ? (int)lround(c->encoder.window * rate) : T;
	*hop = (int)lround(c->encoder.hop * rate);
	if (*L > T)
		*L = T;
	if (*L < 2)
		*L = 2;
	if (*hop < 1)
		*hop = 1;
}

int bands_size(const struct config *c, int T, double rate, int *n)
{
	int L, hop;
	double top = 0;
	cut(c, T, rate, &L, &hop);
	for (int b = 0; b < c->encoder.bands.n; b++)
		top = fmax(top, c->encoder.bands.edge[b][0]);
	if (L > T)
		return err_set(
			EX_CONFIG, "encoder.tokens: tokens of bands need windows of 2 samples at least");
	if (top >= rate / 2)
		return err_set(EX_CONFIG,
			"encoder.bands: a band starts at %g Hz, but at %g Hz sampling nothing is above %g "
			"Hz; set encoder.bands",
			top, rate, rate / 2);
	*n = 1 + (T - L) / hop;
	return 0;
}

int bands_count(const struct config *c, int T, double rate, int samples)
{
	int L, hop;
	cut(c, T, rate, &L, &hop);
	return samples < L ? 0 : 1 + (samples - L) / hop;
}

/* Lines from .. to-1 of a band; none: *to = *from. */
static void lines_of(const double edge[2], int L, double rate, int *from, int *to)
{
	int most = (L - 1) / 2 > 0 ? (L - 1) / 2 : 1;
	*from = (int)floor(edge[0] * L / rate) + 1;
	*to = (int)floor(edge[1] * L / rate + 1e-9) + 1;
	if (*to > most + 1)
		*to = most + 1;
	if (*to < *from)
		*to = *from;
}

/* Taper j of `tapers` at t, of unit energy but for a factor */
static double taper_at(int tapers, int j, int t, int L)
{
	if (tapers == TAPER_HANN)
		return 0.5 - 0.5 * cos(6.283185307179586 * (t + 0.5) / L);
	return tapers ? sin(3.141592653589793 * (j + 1) * (t + 1) / (L + 1)) : 1;
}

/* The two waves of a frequency, in cycles per stretch, for each taper. */
static int make_waves(struct stretches *s, int line, double cycles, int tapers)
{
	for (int j = 0; j < (tapers > 1 ? tapers : 1); j++, line++) {
		real *cosine = s->wave + (size_t)(2 * line) * (size_t)s->L, *sine = cosine + s->L;
		double energy = 0;
		for (int t = 0; t < s->L; t++)
			energy += taper_at(tapers, j, t, s->L) * taper_at(tapers, j, t, s->L);
		for (int t = 0; t < s->L; t++) {
			double weight = taper_at(tapers, j, t, s->L) / sqrt(energy);
			double angle = 6.283185307179586 * cycles * t / s->L;
			cosine[t] = (real)(weight * cos(angle));
			sine[t] = (real)(weight * sin(angle));
		}
	}
	return line;
}

struct stretches *bands_prepare(const struct config *c, int T, double rate, int tapers)
{
	int L, hop, lines = 0, bands = c->encoder.bands.n;
	int from[CONFIG_BANDS], to[CONFIG_BANDS];
	cut(c, T, rate, &L, &hop);
	for (int b = 0; b < bands; b++) {
		lines_of(c->encoder.bands.edge[b], L, rate, &from[b], &to[b]);
		lines += to[b] > from[b] ? to[b] - from[b] : 1;
	}
	lines *= tapers > 1 ? tapers : 1;
	struct stretches *s = mem_new(1, sizeof *s + 2 * (size_t)lines * (size_t)L * sizeof(real));
	*s = (struct stretches){L, hop, lines, bands, {0}, {0}};
	int line = 0;
	for (int b = 0; b < bands; b++) {
		const double *edge = c->encoder.bands.edge[b];
		s->first[b] = line;
		for (int i = from[b]; i < to[b]; i++)
			line = make_waves(s, line, i, tapers);
		if (to[b] == from[b])
			line = make_waves(
				s, line, fmin((edge[0] + edge[1]) / 2, rate / 2) * L / rate, tapers);
		s->last[b] = line;
	}
	return s;
}

void bands_transform(
	const struct stretches *s, const real *x, int W, real *parts, bool *silent, struct arena *scratch)
{
	size_t w = (size_t)W, L = (size_t)s->L;
	real *stretch = arena_take(scratch, L * w * sizeof(real));
	memcpy(stretch, x, L * w * sizeof(real));
	for (size_t j = 0; j < w; j++) {
		real mean = 0, square = 0;
		for (size_t t = 0; t < L; t++)
			mean += stretch[t * w + j];
		mean /= (real)s->L;
		for (size_t t = 0; t < L; t++) {
			stretch[t * w + j] -= mean;
			square += stretch[t * w + j] * stretch[t * w + j];
		}
		silent[j] = square < SILENCE * (real)s->L;
	}
	gemm(PLAIN, PLAIN, 2 * s->lines, W, s->L, 1, s->wave, s->L, stretch, W, 0, parts, W);
}
