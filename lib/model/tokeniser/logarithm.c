#include "model/tokeniser/logarithm.h"

#include "model/tokeniser/columns.h"

#include <math.h>

struct logarithms logarithms_new(int V, double least, struct arena *a)
{
	return (struct logarithms){.eigen = eigen_new(V, a), .least = (real)least};
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

void logarithms_end(struct logarithms *g)
{
	int V = g->eigen.n;
	if (!g->n)
		return;
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

void logarithms_add(struct logarithms *g, const real *C, real scale, real *out)
{
	int V = g->eigen.n, lane = g->n++;
	for (int a = 0; a < V; a++)
		for (int b = a; b < V; b++)
			g->eigen.A[a * V + b][lane] =
				(double)(column_held(C[a * V + b] / scale) + (a == b ? g->least : 0));
	g->out[lane] = out;
	if (g->n == EIGEN_LANES)
		logarithms_end(g);
}
