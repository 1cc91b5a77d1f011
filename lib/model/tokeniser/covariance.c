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

/* The upper triangle of C / scale + least I, C [V][V], for the token out. */
static void add_matrix(struct logarithms *g, const real *C, real scale, real *out)
{
	int V = g->eigen.n, lane = g->n++;
	for (int a = 0; a < V; a++)
		for (int b = a; b < V; b++)
			g->eigen.A[a * V + b][lane] =
				(double)(held(C[a * V + b] / scale) + (a == b ? g->least : 0));
	g->out[lane] = out;
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

/* Calls for each segment and band of x, in order, with C [V][V]. */
struct visit {
	void (*see)(struct visit *, int band, const real *C, int V);
	const real *scale;
	struct logarithms logarithms;
	real *out;
};

static void walk(const struct condensed *s, const real *x, int T, const struct region *r, struct visit *v,
	struct arena *scratch)
{
	size_t w = (size_t)r->width, V = (size_t)present(r);
	int *column = arena_take(scratch, w * sizeof *column), found = 0;
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
			v->see(v, b, C, found);
		}
	}
}

static void add_power(struct visit *v, int band, const real *C, int V)
{
	for (int a = 0; a < V; a++)
		v->out[band] += held(C[a * V + a]) / (real)V;
}

static void power(const struct config *c, const void *prepared, const real *x, int T, double rate,
	const struct region *r, real *out, struct arena *scratch)
{
	const struct condensed *s = prepared;
	struct visit v = {.see = add_power, .out = out};
	(void)c;
	(void)rate;
	memset(out, 0, (size_t)s->bands * sizeof *out);
	walk(s, x, T, r, &v, scratch);
	for (int b = 0; b < s->bands; b++)
		out[b] /= (real)(1 + (T - s->L) / s->hop);
}

static void add_token(struct visit *v, int band, const real *C, int V)
{
	add_matrix(&v->logarithms, C, v->scale ? v->scale[band] : 1, v->out);
	if (v->logarithms.n == EIGEN_LANES)
		take_logarithms(&v->logarithms);
	v->out += V * (V + 1) / 2;
}

static void features(const struct config *c, const void *prepared, const real *scale, const real *x, int T,
	double rate, const struct region *r, real *out, struct arena *scratch)
{
	struct visit v = {.see = add_token,
		.scale = scale,
		.logarithms = {.eigen = eigen_new(present(r), scratch), .least = (real)c->encoder.floor},
		.out = out};
	(void)rate;
	walk(prepared, x, T, r, &v, scratch);
	if (v.logarithms.n)
		take_logarithms(&v.logarithms);
}

const struct tokeniser tokeniser_covariance = {.name = "covariance",
	.keys = "encoder.bands|encoder.window|encoder.hop|encoder.evidence|encoder.tapers|encoder.floor",
	.unsigned_features = true,
	.standardised = true,
	.power = power,
	.kinds = kinds,
	.size = size,
	.count = count,
	.prepare = prepare,
	.features = features};
