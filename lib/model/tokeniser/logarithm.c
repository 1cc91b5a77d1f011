#include "model/tokeniser/logarithm.h"

#include "model/tokeniser/columns.h"
#include "tensor/eigen.h"

#include <math.h>
#include <string.h>

/* Tokens to be, whose matrices wait until there are as many as are solved at a time. */
struct waiting {
	struct eigen eigen;
	int n;
	real *out[EIGEN_LANES]; /* [V(V+1)/2] where the logarithm of each goes */
	real least;             /* eigenvalues below it are rounding */
};

/* The token x, the upper triangle of C row by row, becomes that of C / scale + least I. */
static void add_matrix(struct waiting *g, real scale, real *x)
{
	int V = g->eigen.n, lane = g->n++;
	g->out[lane] = x;
	for (int a = 0; a < V; a++)
		for (int b = a; b < V; b++)
			g->eigen.A[a * V + b][lane] =
				(double)(column_held(*x++ / scale) + (a == b ? g->least : 0));
}

/* Row by row, entries beside the diagonal times root 2. */
static void copy_triangle(const struct waiting *g, int lane)
{
	int V = g->eigen.n;
	real *out = g->out[lane];
	for (int a = 0; a < V; a++)
		for (int b = a; b < V; b++)
			*out++ = (real)(g->eigen.A[a * V + b][lane] * (a == b ? 1 : 1.41421356237309505));
}

/* Fills the tokens of the matrices that wait. One whose eigenvalues were not found becomes NaN,
 * which is refused where windows are known by name. */
static void take(struct waiting *g)
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

void logarithms(int V, int kinds, const real *scale, double least, int rows, real *x, struct arena *scratch)
{
	struct waiting g = {.eigen = eigen_new(V, scratch), .least = (real)least};
	for (int i = 0; i < rows; i++, x += V * (V + 1) / 2) {
		add_matrix(&g, scale ? scale[i % kinds] : 1, x);
		if (g.n == EIGEN_LANES)
			take(&g);
	}
	if (g.n)
		take(&g);
}

void diagonal_means(int V, int kinds, int rows, const real *x, real *power)
{
	memset(power, 0, (size_t)kinds * sizeof *power);
	for (int i = 0; i < rows; i++)
		for (int a = 0; a < V; x += V - a, a++)
			power[i % kinds] += column_held(*x) / (real)V;
	for (int b = 0; b < kinds; b++)
		power[b] /= (real)(rows / kinds);
}
