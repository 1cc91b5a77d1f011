#include "model/tokeniser/bands.h"

#include "base/error.h"
#include "tensor/product.h"
#include "tensor/vector.h"

#include <math.h>
#include <string.h>

/* A column whose variance is below this is a constant, and what its rounding left. */
#define SILENCE REAL(1e-10)
#define LARGEST 268435456.0 /* numbers of the waves */

void bands_cut(const struct config *c, int T, double rate, int *L, int *hop)
{
	*L = c->encoder.window > 0 ? (int)lround(fmin(c->encoder.window * rate, T)) : T;
	*hop = (int)lround(fmin(c->encoder.hop * rate, T));
	if (*L < 2)
		*L = 2;
	if (*hop < 1)
		*hop = 1;
}

int bands_count(const struct config *c, int T, double rate, int samples)
{
	int L, hop;
	bands_cut(c, T, rate, &L, &hop);
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

/* How often a line is there: once for each taper, of which a segment of L samples has L. */
static int count_tapers(int tapers, int L)
{
	return tapers < 1 ? 1 : tapers < L ? tapers : L;
}

/* Taper j of `tapers` at t, of unit energy but for a factor */
static double taper_at(int tapers, int j, int t, int L)
{
	if (tapers == TAPER_HANN)
		return 0.5 - 0.5 * cos(6.283185307179586 * (t + 0.5) / L);
	return tapers ? sin(3.141592653589793 * (j + 1) * (t + 1) / (L + 1)) : 1;
}

/* The two waves of a frequency, in cycles per segment, for each taper, in columns from `at` on;
 * returns the next. */
static int make_waves(struct segments *s, int at, double cycles, int tapers)
{
	for (int j = 0; j < count_tapers(tapers, s->L); j++, at += 2) {
		double energy = 0;
		for (int t = 0; t < s->L; t++)
			energy += taper_at(tapers, j, t, s->L) * taper_at(tapers, j, t, s->L);
		for (int t = 0; t < s->L; t++) {
			double weight = taper_at(tapers, j, t, s->L) / sqrt(energy);
			double angle = 6.283185307179586 * cycles * t / s->L;
			real *to = s->wave + (size_t)t * (size_t)s->width + (size_t)at;
			to[0] = (real)(weight * cos(angle));
			to[1] = (real)(weight * sin(angle));
		}
	}
	return at;
}

/* All but the waves. from, to [bands]: a band's lines. Returns the numbers the waves take. */
static double measure(
	const struct config *c, int T, double rate, int tapers, struct segments *s, int *from, int *to)
{
	double width = 0;
	*s = (struct segments){.bands = c->encoder.bands.n};
	bands_cut(c, T, rate, &s->L, &s->hop);
	int times = count_tapers(tapers, s->L);
	for (int b = 0; b < s->bands; b++) {
		lines_of(c->encoder.bands.edge[b], s->L, rate, &from[b], &to[b]);
		int lines = to[b] > from[b] ? to[b] - from[b] : 1;
		width += 2.0 * lines * times + LANES;
		if (width * s->L > LARGEST)
			return width * s->L;
		s->lines[b] = lines * times;
		s->first[b] = s->width;
		s->size[b] = whole_vectors(2 * s->lines[b]);
		s->width += s->size[b];
	}
	return width * s->L;
}

int bands_size(const struct config *c, int T, double rate, int tapers, int *n)
{
	int from[CONFIG_BANDS], to[CONFIG_BANDS];
	struct segments s;
	double top = 0;
	for (int b = 0; b < c->encoder.bands.n; b++)
		top = fmax(top, c->encoder.bands.edge[b][0]);
	if (top >= rate / 2)
		return err_set(EX_CONFIG,
			"encoder.bands: a band starts at %g Hz, but at %g Hz sampling nothing is above %g "
			"Hz; set encoder.bands",
			top, rate, rate / 2);
	if (measure(c, T, rate, tapers, &s, from, to) > LARGEST)
		return err_set(EX_CONFIG,
			"encoder.window: a stretch of %d samples has too many frequencies in encoder.bands; "
			"make it shorter",
			s.L);
	if (s.L > T)
		return err_set(
			EX_CONFIG, "encoder.tokens: tokens of bands need windows of 2 samples at least");
	*n = 1 + (T - s.L) / s.hop;
	return 0;
}

struct segments *bands_prepare(const struct config *c, int T, double rate, int tapers)
{
	int from[CONFIG_BANDS], to[CONFIG_BANDS];
	struct segments s;
	must(measure(c, T, rate, tapers, &s, from, to) <= LARGEST);
	struct segments *made = mem_new(1, sizeof s + (size_t)s.width * (size_t)s.L * sizeof(real));
	*made = s;
	for (int b = 0; b < s.bands; b++) {
		const double *edge = c->encoder.bands.edge[b];
		int at = s.first[b];
		for (int i = from[b]; i < to[b]; i++)
			at = make_waves(made, at, i, tapers);
		if (to[b] == from[b])
			make_waves(made, at, fmin((edge[0] + edge[1]) / 2, rate / 2) * s.L / rate, tapers);
	}
	return made;
}

void bands_transform(const struct segments *s, const real *x, int W, const int *column, int V, real *parts,
	bool *silent, real *room)
{
	size_t L = (size_t)s->L, width = (size_t)s->width;
	for (int v = 0; v < V; v++) {
		real mean = 0, square = 0, *y = room + (size_t)v * L;
		for (size_t t = 0; t < L; t++)
			mean += y[t] = x[t * (size_t)W + (size_t)column[v]];
		mean /= (real)s->L;
		for (size_t t = 0; t < L; t++) {
			y[t] -= mean;
			square += y[t] * y[t];
		}
		if (silent)
			silent[v] = square < SILENCE * (real)s->L;
	}
	product(V, s->width, s->L, (struct product_left){room, L, 1}, s->wave, width, parts, width, FROM_ZERO,
		NULL);
}
