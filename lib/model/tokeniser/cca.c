/* cca: canonical correlations of a region's channels with sines and cosines at given frequencies
 * (lights.h): for each frequency and high pass the three largest, the largest first. A segment is
 * a token. */
#include "model/tokeniser/bands.h"
#include "model/tokeniser/columns.h"
#include "model/tokeniser/lights.h"

#include "tensor/eigen.h"

#include <math.h>
#include <string.h>

extern const struct tokeniser tokeniser_cca;

enum { ROOTS = 3 };

/* Correlations for each frequency and high pass */
static int roots_of(int V)
{
	return V < ROOTS ? V : ROOTS;
}

static int size(const struct config *c, int T, double rate, const struct region *r, int *n, int *D)
{
	*D = c->encoder.bands.n * lights_lows(rate) * roots_of(columns_present(r, NULL));
	return lights_size(c, "cca", T, rate, r, n);
}

static void *prepare(const struct config *c, int T, double rate)
{
	return lights_prepare(c, T, rate);
}

/* Grams U^T U that wait until there are as many as are solved at a time. */
struct roots {
	struct eigen eigen;
	int n, V;
	real *out; /* where the correlations of the first of them go */
};

/* The correlations of lane l: the eigenvalues' roots, in falling order */
static void store(const struct roots *g, int l, bool failed, real *out)
{
	double left[LIGHT_WAVES];
	for (int k = 0; k < LIGHT_WAVES; k++)
		left[k] = g->eigen.w[k][l];
	for (int i = 0; i < roots_of(g->V); i++) {
		int most = 0;
		for (int k = 1; k < LIGHT_WAVES; k++)
			most = left[k] > left[most] ? k : most;
		out[i] = failed ? (real)NAN : (real)sqrt(left[most] > 0 ? left[most] : 0);
		left[most] = -INFINITY;
	}
}

static void take_roots(struct roots *g)
{
	unsigned failed = g->n ? eigen_solve(&g->eigen) : 0;
	for (int l = 0; l < g->n; l++, g->out += roots_of(g->V))
		store(g, l, failed >> l & 1, g->out);
	g->n = 0;
}

static void see(void *context, int light, int low, const double *U, int V)
{
	struct roots *g = context;
	int lane = g->n++;
	(void)light;
	(void)low;
	for (int a = 0; a < LIGHT_WAVES; a++)
		for (int b = a; b < LIGHT_WAVES; b++) {
			double sum = 0;
			for (int v = 0; v < V; v++)
				sum += U[v * LIGHT_WAVES + a] * U[v * LIGHT_WAVES + b];
			g->eigen.A[a * LIGHT_WAVES + b][lane] = sum;
		}
	if (g->n == EIGEN_LANES)
		take_roots(g);
}

static void features(const struct config *c, const void *prepared, const real *x, int T, double rate,
	const struct region *r, real *out, struct arena *scratch)
{
	struct roots g = {
		.eigen = eigen_new(LIGHT_WAVES, scratch), .V = columns_present(r, NULL), .out = out};
	(void)c;
	(void)rate;
	lights_walk(prepared, x, T, r, scratch, see, &g);
	take_roots(&g);
}

const struct tokeniser tokeniser_cca = {.name = "cca",
	.keys = "encoder.bands|encoder.window|encoder.hop|encoder.evidence",
	.unsigned_features = true,
	.standardised = true,
	.ridge = 0.0675,
	.size = size,
	.count = bands_count,
	.prepare = prepare,
	.features = features};
