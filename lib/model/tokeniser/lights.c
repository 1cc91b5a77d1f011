#include "model/tokeniser/lights.h"

#include "model/tokeniser/bands.h"
#include "model/tokeniser/columns.h"
#include "model/tokeniser/whiten.h"

#include "base/error.h"
#include "tensor/product.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Hz: where the high passes begin, and where all of them end. */
static const double lows[LIGHT_LOWS] = {4, 10, 22};
static const double top = 60;

int lights_lows(double rate)
{
	int n = 0;
	while (n < LIGHT_LOWS && lows[n] < rate / 2)
		n++;
	return n;
}

static double frequency(const struct config *c, int light)
{
	const double *edge = c->encoder.bands.edge[light];
	return (edge[0] + edge[1]) / 2;
}

/* The same configuration with all lines for its only band. */
static struct config with_lines(const struct config *c)
{
	struct config all = *c;
	all.encoder.bands = (struct bands){.n = 1, .edge = {{lows[0], top}}};
	return all;
}

int lights_size(
	const struct config *c, const char *tokens, int T, double rate, const struct region *r, int *n)
{
	int V = columns_present(r, NULL);
	if (!lights_lows(rate))
		return err_set(EX_CONFIG, "encoder.tokens=%s: needs more than %g samples a second, not %g",
			tokens, 2 * lows[0], rate);
	for (int i = 0; i < c->encoder.bands.n; i++)
		if (frequency(c, i) >= rate / 2)
			return err_set(EX_CONFIG,
				"encoder.bands: %g Hz, the middle of a band, but at %g Hz sampling nothing "
				"is above %g Hz; set encoder.bands",
				frequency(c, i), rate, rate / 2);
	if (V < 1)
		return err_set(EX_DATAERR, "region %s: has padding and no channel", r->name);
	if (V > 256)
		return err_set(EX_CONFIG,
			"encoder.tokens=%s: region %s has %d channels, 256 at most; cut into smaller "
			"regions",
			tokens, r->name, V);
	struct config all = with_lines(c);
	return bands_size(&all, T, rate, 0, n);
}

/* --- what is computed once */

/* The references of a frequency, orthonormal: R [LIGHT_WAVES][L], those that are not there 0. */
static void make_references(double f, double rate, int L, double *R)
{
	memset(R, 0, LIGHT_WAVES * (size_t)L * sizeof *R);
	for (int h = 0; h < LIGHT_WAVES; h++) {
		double *r = R + (size_t)h * (size_t)L, energy = 0, cycles = f * (1 + h / 2) / rate;
		if (cycles >= 0.5)
			return;
		for (int t = 0; t < L; t++) {
			double angle = 6.283185307179586 * cycles * t;
			r[t] = h % 2 ? cos(angle) : sin(angle);
		}
		for (int g = 0; g < h; g++) {
			double product = 0;
			const double *before = R + (size_t)g * (size_t)L;
			for (int t = 0; t < L; t++)
				product += before[t] * r[t];
			for (int t = 0; t < L; t++)
				r[t] -= product * before[t];
		}
		for (int t = 0; t < L; t++)
			energy += r[t] * r[t];
		for (int t = 0; t < L; t++) /* of hardly a sample the others leave nothing */
			r[t] = energy > 1e-9 * L ? r[t] / sqrt(energy) : 0;
	}
}

/* What the lines see of the references of light i */
static void transform_references(struct lights *l, int i, const double *R)
{
	for (int h = 0; h < LIGHT_WAVES; h++)
		for (int j = 0; j < l->width; j++) {
			double sum = 0;
			for (int t = 0; t < l->L; t++)
				sum += (double)l->wave[(size_t)t * (size_t)l->width + (size_t)j] *
				       R[(size_t)h * (size_t)l->L + (size_t)t];
			l->wave[l->reference + ((size_t)j * (size_t)l->n + (size_t)i) * LIGHT_WAVES +
				(size_t)h] = (real)sum;
		}
}

/* Lines of the transform up to a frequency */
static int lines_below(double f, double rate, const struct segments *s)
{
	int lines = (int)floor(f * s->L / rate) - (int)floor(lows[0] * s->L / rate);
	return lines < s->lines[0] ? lines : s->lines[0];
}

struct lights *lights_prepare(const struct config *c, int T, double rate)
{
	struct config all = with_lines(c);
	struct segments *s = bands_prepare(&all, T, rate, 0);
	size_t L = (size_t)s->L, width = 2 * (size_t)s->lines[0], n = (size_t)c->encoder.bands.n;
	struct lights *l = mem_new(1, sizeof *l + (L * width + width * n * LIGHT_WAVES) * sizeof(real));
	*l = (struct lights){.L = s->L,
		.hop = s->hop,
		.n = c->encoder.bands.n,
		.lows = lights_lows(rate),
		.width = (int)width,
		.reference = L * width};
	for (int i = 0; i < l->lows; i++)
		l->first[i] = 2 * lines_below(lows[i], rate, s);
	for (size_t t = 0; t < L; t++)
		for (size_t j = 0; j < width; j++)
			l->wave[t * width + j] =
				REAL(1.41421356237309505) * s->wave[t * (size_t)s->width + j];
	double *R = NEW_ARRAY(double, LIGHT_WAVES *L);
	for (int i = 0; i < l->n; i++) {
		make_references(frequency(c, i), rate, s->L, R);
		transform_references(l, i, R);
	}
	free(R);
	free(s);
	return l;
}

/* --- what is computed for each segment */

/* parts [V][width] of a segment x [L][W]; room [V][L] */
static void transform(
	const struct lights *l, const real *x, int W, const int *column, int V, real *parts, real *room)
{
	size_t L = (size_t)l->L, width = (size_t)l->width;
	for (size_t v = 0; v < (size_t)V; v++) {
		bool flat = column_flat(x, l->L, W, column[v]);
		double mean = 0;
		for (size_t t = 0; t < L; t++)
			mean += (double)x[t * (size_t)W + (size_t)column[v]] / l->L;
		for (size_t t = 0; t < L; t++)
			room[v * L + t] =
				flat ? 0 : (real)((double)x[t * (size_t)W + (size_t)column[v]] - mean);
	}
	product(V, l->width, l->L, (struct product_left){room, L, 1}, l->wave, width, parts, width, FROM_ZERO,
		NULL);
	for (size_t i = 0; i < (size_t)V * width; i++)
		parts[i] = column_held(parts[i]);
}

/* S [V][V], upper triangle, of what a high pass leaves */
static void covariance_above(const struct lights *l, int low, const real *parts, int V, double *S)
{
	for (int a = 0; a < V; a++)
		for (int b = a; b < V; b++) {
			const real *p = parts + (size_t)a * (size_t)l->width,
				   *q = parts + (size_t)b * (size_t)l->width;
			double sum = 0;
			for (int j = l->first[low]; j < l->width; j++)
				sum += (double)p[j] * (double)q[j];
			S[a * V + b] = sum / l->L;
		}
}

/* ZR [V][LIGHT_WAVES] / sqrt(L) */
static void follow(const struct lights *l, int light, int low, const real *parts, int V, double *ZR)
{
	for (int v = 0; v < V; v++)
		for (int h = 0; h < LIGHT_WAVES; h++) {
			double sum = 0;
			const real *r = l->wave + l->reference + light * LIGHT_WAVES + h;
			for (int j = l->first[low]; j < l->width; j++)
				sum += (double)parts[(size_t)v * (size_t)l->width + (size_t)j] *
				       (double)r[(size_t)j * (size_t)l->n * LIGHT_WAVES];
			ZR[v * LIGHT_WAVES + h] = sum / sqrt(l->L);
		}
}

/* U = R ZR */
static void whitened(int V, const double *R, const double *ZR, double *U)
{
	for (int v = 0; v < V; v++)
		for (int h = 0; h < LIGHT_WAVES; h++) {
			double sum = 0;
			for (int a = 0; a < V; a++)
				sum += R[v * V + a] * ZR[a * LIGHT_WAVES + h];
			U[v * LIGHT_WAVES + h] = sum;
		}
}

void lights_walk(const struct lights *l, const real *x, int T, const struct region *r, struct arena *scratch,
	void (*see)(void *context, int light, int low, const double *U, int V), void *context)
{
	size_t w = (size_t)r->width;
	int *column = arena_take(scratch, w * sizeof *column), V = columns_present(r, column);
	size_t each = (size_t)V * (size_t)V;
	struct eigen eigen = eigen_new(V, scratch);
	real *room = arena_take(scratch, (size_t)V * (size_t)l->L * sizeof *room),
	     *parts = arena_take(scratch, (size_t)V * (size_t)l->width * sizeof *parts);
	double *R = arena_take(scratch, LIGHT_LOWS * each * sizeof *R),
	       *ZR = arena_take(scratch, (size_t)V * LIGHT_WAVES * sizeof *ZR),
	       *U = arena_take(scratch, (size_t)V * LIGHT_WAVES * sizeof *U);
	for (int at = 0; at + l->L <= T; at += l->hop) {
		transform(l, x + (size_t)at * w, r->width, column, V, parts, room);
		for (int low = 0; low < l->lows; low++)
			covariance_above(l, low, parts, V, R + (size_t)low * each);
		whiten(&eigen, l->lows, R);
		for (int light = 0; light < l->n; light++)
			for (int low = 0; low < l->lows; low++) {
				follow(l, light, low, parts, V, ZR);
				whitened(V, R + (size_t)low * each, ZR, U);
				see(context, light, low, U, V);
			}
	}
}
