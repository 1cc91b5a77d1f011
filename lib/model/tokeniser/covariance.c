/* covariance: a token is the covariance C of a region's channels in one band and segment, as a
 * point of a space in which distances add up: log(C / s + f I), s the mean power of the band in
 * training (tokens.scale), f = encoder.floor. For a small f it is the matrix logarithm
 * (log-Euclidean metric: Arsigny, Fillard, Pennec, Ayache 2007), steadied where the window has
 * hardly any power; for a large one next to C itself. It is read as its upper triangle, row by row,
 * entries beside the diagonal times root 2, so that lengths are kept (Barachant, Bonnet, Congedo,
 * Jutten 2012).
 *
 * C is the mean over the band's lines and the tapers of the real part of the cross-spectra
 * (bands.h); what is beyond any amplifier, 1e30 times the mean power, is held there. V channels
 * make V(V+1)/2 features: padding has none. Tokens are in the order of their segments, the bands
 * of a segment one after the other; each band is a kind of its own. */
#include "model/tokeniser/condensed.h"

#include "base/error.h"
#include "tensor/eigen.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

extern const struct tokeniser tokeniser_covariance;

static int kinds(const struct config *c)
{
	return c->encoder.bands.n;
}

static int present(const struct region *r)
{
	int V = 0;
	for (int j = 0; j < r->width; j++)
		V += r->channel[j] >= 0;
	return V;
}

static int size(const struct config *c, int T, double rate, const struct region *r, int *n, int *D)
{
	int V = present(r), segments;
	if (bands_size(c, T, rate, c->encoder.tapers, &segments))
		return -1;
	if (V < 1)
		return err_set(EX_DATAERR, "region %s: has padding and no channel", r->name);
	if (V > 256)
		return err_set(EX_CONFIG,
			"encoder.tokens=covariance: region %s has %d channels, which makes %d features a "
			"token; cut "
			"into smaller regions",
			r->name, V, V * (V + 1) / 2);
	*n = segments * c->encoder.bands.n;
	*D = V * (V + 1) / 2;
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

/* A NaN, which infinite powers leave, becomes the least. */
static real held(real x)
{
	const real most = REAL(1e30);
	x = x > -most ? x : -most;
	return x < most ? x : most;
}

/* Tokens to be, whose matrices wait until there are as many as are solved at a time. */
struct logarithms {
	struct eigen eigen;
	int n;
	real *out[EIGEN_LANES]; /* [V(V+1)/2] where the logarithm of each goes */
	real least;             /* eigenvalues below it are rounding */
};

/* The token x, the upper triangle of C row by row, becomes that of C / scale + least I. */
static void add_matrix(struct logarithms *g, real scale, real *x)
{
	int V = g->eigen.n, lane = g->n++;
	g->out[lane] = x;
	for (int a = 0; a < V; a++)
		for (int b = a; b < V; b++)
			g->eigen.A[a * V + b][lane] = (double)(held(*x++ / scale) + (a == b ? g->least : 0));
}

/* Row by row, entries beside the diagonal times root 2. */
static void copy_triangle(const struct logarithms *g, int lane)
{
	int V = g->eigen.n;
	real *out = g->out[lane];
	for (int a = 0; a < V; a++)
		for (int b = a; b < V; b++)
			*out++ = (real)(g->eigen.A[a * V + b][lane] * (a == b ? 1 : 1.41421356237309505));
}

/* Fills the tokens of the matrices that wait. One whose eigenvalues were not found becomes NaN,
 * which is refused where windows are known by name. */
static void take_logarithms(struct logarithms *g)
{
	int V = g->eigen.n;
	unsigned failed = eigen_solve(&g->eigen);
	for (int k = 0; k < V; k++)
		for (int l = 0; l < EIGEN_LANES; l++) {
			double w = g->eigen.w[k][l];
			g->eigen.w[k][l] = l < g->n ? log(w > (double)g->least ? w : (double)g->least) : 0;
		}
	eigen_compose(&g->eigen);
	for (int l = 0; l < g->n; l++) {
		copy_triangle(g, l);
		for (int i = 0; i < V * (V + 1) / 2 && failed >> l & 1; i++)
			g->out[l][i] = (real)NAN;
	}
	g->n = 0;
}

/* Tokens before the logarithm: for each segment and band the upper triangle of C, row by row. */
static void raw(const struct config *c, const void *prepared, const real *x, int T, double rate,
	const struct region *r, real *out, struct arena *scratch)
{
	const struct condensed *s = prepared;
	size_t w = (size_t)r->width, V = (size_t)present(r);
	int *column = arena_take(scratch, w * sizeof *column), found = 0;
	(void)c;
	(void)rate;
	for (int j = 0; j < r->width; j++)
		if (r->channel[j] >= 0)
			column[found++] = j;
	real *folded = arena_take(scratch, PARITIES * V * (size_t)s->half * sizeof *folded),
	     *parts = arena_take(scratch, V * (size_t)s->most * sizeof *parts),
	     *C = arena_take(scratch, V * V * sizeof *C);
	for (int at = 0; at + s->L <= T; at += s->hop) {
		condensed_fold(s, x + (size_t)at * w, r->width, column, found, folded);
		for (int b = 0; b < s->bands; b++) {
			condensed_products(s, b, folded, found, parts, C);
			for (size_t a = 0; a < V; out += V - a, a++)
				memcpy(out, C + a * V + a, (V - a) * sizeof *out);
		}
	}
}

/* Of each band: the mean of the diagonal over channels and segments. */
static void power(const struct config *c, const real *x, int rows, const struct region *r, real *out)
{
	int bands = c->encoder.bands.n, V = present(r);
	memset(out, 0, (size_t)bands * sizeof *out);
	for (int i = 0; i < rows; i++)
		for (int a = 0; a < V; x += V - a, a++)
			out[i % bands] += held(*x) / (real)V;
	for (int b = 0; b < bands; b++)
		out[b] /= (real)(rows / bands);
}

static void finish(const struct config *c, const real *scale, int rows, const struct region *r, real *x,
	struct arena *scratch)
{
	int V = present(r), bands = c->encoder.bands.n;
	struct logarithms g = {.eigen = eigen_new(V, scratch), .least = (real)c->encoder.floor};
	for (int i = 0; i < rows; i++, x += V * (V + 1) / 2) {
		add_matrix(&g, scale ? scale[i % bands] : 1, x);
		if (g.n == EIGEN_LANES)
			take_logarithms(&g);
	}
	if (g.n)
		take_logarithms(&g);
}

static void features(const struct config *c, const void *prepared, const real *scale, const real *x, int T,
	double rate, const struct region *r, real *out, struct arena *scratch)
{
	const struct condensed *s = prepared;
	raw(c, prepared, x, T, rate, r, out, scratch);
	finish(c, scale, (1 + (T - s->L) / s->hop) * s->bands, r, out, scratch);
}

const struct tokeniser tokeniser_covariance = {.name = "covariance",
	.keys = "encoder.bands|encoder.window|encoder.hop|encoder.evidence|encoder.tapers|encoder.floor",
	.unsigned_features = true,
	.standardised = true,
	.raw = raw,
	.power = power,
	.finish = finish,
	.kinds = kinds,
	.size = size,
	.count = count,
	.prepare = prepare,
	.features = features};
