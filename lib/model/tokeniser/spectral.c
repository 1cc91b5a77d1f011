/* spectral: log band powers of overlapping stretches. A stretch of L samples is freed of its mean, tapered by a Hann window and
 * projected on the Fourier frequencies r/L * i inside the bands (Welch 1967, one segment); the power of band (lo, hi] is the mean
 * of |X_i|^2 over its frequencies, and the feature is ln(power + 1e-6) for each (band, channel), scaled by 1/2 to about unit
 * spread. A band without a frequency of its own takes the one nearest to its middle. A column without any signal (padding, a
 * flat channel) gives 0. */
#include "base/error.h"
#include "model/config.h"
#include "model/tokeniser.h"
#include "tensor/gemm.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

extern const struct tokeniser tokeniser_spectral;

/* A column whose variance is below this is a constant, and what its rounding left. */
#define SILENCE REAL(1e-10)

struct basis {
	int L, hop, lines; /* lines: frequencies in use */
	int bands;
	int first[CONFIG_BANDS], last[CONFIG_BANDS]; /* lines first .. last-1 of a band */
	real wave[];                                 /* [2 * lines][L]: tapered cosine and sine */
};

static void cut(const struct config *c, int T, double rate, int *L, int *hop)
{
	*L = (int)lround(c->encoder.window * rate);
	*hop = (int)lround(c->encoder.hop * rate);
	if (*L > T)
		*L = T;
	if (*L < 2)
		*L = 2;
	if (*hop < 1)
		*hop = 1;
}

static int size(const struct config *c, int T, double rate, int W, int *n, int *D)
{
	int L, hop;
	double top = c->encoder.bands[c->encoder.edges - 2];
	cut(c, T, rate, &L, &hop);
	if (L > T)
		return err_set(EX_CONFIG, "encoder.tokens=spectral needs windows of 2 samples at least");
	if (top >= rate / 2)
		return err_set(EX_CONFIG,
			"encoder.bands: a band starts at %g Hz, but at %g Hz sampling nothing is above %g "
			"Hz; set encoder.bands",
			top, rate, rate / 2);
	*n = 1 + (T - L) / hop;
	*D = (c->encoder.edges - 1) * W;
	return 0;
}

static int count(const struct config *c, int T, double rate, int samples)
{
	int L, hop;
	cut(c, T, rate, &L, &hop);
	return samples < L ? 0 : 1 + (samples - L) / hop;
}

/* Fourier lines i (frequency i * rate / L) of band b: lo < f <= hi and below Nyquist. */
static void lines_of(const struct config *c, int b, int L, double rate, int *from, int *to)
{
	double lo = c->encoder.bands[b], hi = c->encoder.bands[b + 1];
	int most = (L - 1) / 2 > 0 ? (L - 1) / 2 : 1;
	*from = (int)floor(lo * L / rate) + 1;
	*to = (int)floor(hi * L / rate + 1e-9) + 1;
	if (*to > most + 1)
		*to = most + 1;
	if (*from >= *to) {
		*from = (int)lround((lo + hi) / 2 * L / rate);
		*from = *from < 1 ? 1 : *from > most ? most : *from;
		*to = *from + 1;
	}
}

static void *prepare(const struct config *c, int T, double rate)
{
	int L, hop, lines = 0, bands = c->encoder.edges - 1;
	int from[CONFIG_BANDS], to[CONFIG_BANDS];
	cut(c, T, rate, &L, &hop);
	for (int b = 0; b < bands; b++) {
		lines_of(c, b, L, rate, &from[b], &to[b]);
		lines += to[b] - from[b];
	}
	struct basis *s = mem_new(1, sizeof *s + 2 * (size_t)lines * (size_t)L * sizeof(real));
	*s = (struct basis){L, hop, lines, bands, {0}, {0}};
	double energy = 0;
	for (int t = 0; t < L; t++) {
		double taper = 0.5 - 0.5 * cos(6.283185307179586 * (t + 0.5) / L);
		energy += taper * taper;
	}
	int line = 0;
	for (int b = 0; b < bands; b++) {
		s->first[b] = line;
		for (int i = from[b]; i < to[b]; i++, line++)
			for (int t = 0; t < L; t++) {
				double taper =
					(0.5 - 0.5 * cos(6.283185307179586 * (t + 0.5) / L)) / sqrt(energy);
				double angle = 6.283185307179586 * (double)i * t / L;
				s->wave[(size_t)(2 * line) * (size_t)L + (size_t)t] =
					(real)(taper * cos(angle));
				s->wave[(size_t)(2 * line + 1) * (size_t)L + (size_t)t] =
					(real)(taper * sin(angle));
			}
		s->last[b] = line;
	}
	return s;
}

static void features(const struct config *c, const void *prepared, const real *x, int T, double rate, int W,
	real *out, struct arena *scratch)
{
	const struct basis *s = prepared;
	size_t w = (size_t)W, L = (size_t)s->L;
	real *stretch = arena_take(scratch, L * w * sizeof(real));
	real *part = arena_take(scratch, 2 * (size_t)s->lines * w * sizeof(real));
	bool *silent = arena_take(scratch, w * sizeof *silent);
	(void)c;
	(void)rate;
	for (int at = 0; at + s->L <= T; at += s->hop, out += (size_t)s->bands * w) {
		memcpy(stretch, x + (size_t)at * w, L * w * sizeof(real));
		for (size_t j = 0; j < w; j++) {
			real mean = 0;
			for (size_t t = 0; t < L; t++)
				mean += stretch[t * w + j];
			mean /= (real)s->L;
			real square = 0;
			for (size_t t = 0; t < L; t++) {
				stretch[t * w + j] -= mean;
				square += stretch[t * w + j] * stretch[t * w + j];
			}
			silent[j] = square < SILENCE * (real)s->L;
		}
		gemm(PLAIN, PLAIN, 2 * s->lines, W, s->L, 1, s->wave, s->L, stretch, W, 0, part, W);
		for (int b = 0; b < s->bands; b++)
			for (size_t j = 0; j < w; j++) {
				real power = 0;
				for (size_t i = 2 * (size_t)s->first[b]; i < 2 * (size_t)s->last[b]; i++)
					power += part[i * w + j] * part[i * w + j];
				power /= (real)(s->last[b] - s->first[b]);
				out[(size_t)b * w + j] =
					silent[j] ? 0 : (real)(0.5 * log((double)power + 1e-6));
			}
	}
}

const struct tokeniser tokeniser_spectral = {"spectral", size, count, prepare, features};
