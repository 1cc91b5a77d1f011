#include "model/tokeniser/whiten.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

/* Added to the diagonal, as a fraction of its mean. */
static const double shrinkage = 1e-3;

static void load(const struct eigen *e, int lane, const double *S)
{
	int V = e->n;
	double trace = 0;
	for (int a = 0; a < V; a++)
		trace += S[a * V + a];
	for (int a = 0; a < V; a++)
		for (int b = a; b < V; b++)
			e->A[a * V + b][lane] = S[a * V + b] + (a == b ? shrinkage * trace / V : 0);
}

static void store(const struct eigen *e, int lane, bool failed, double *R)
{
	int V = e->n;
	for (int a = 0; a < V; a++)
		for (int b = a; b < V; b++)
			R[a * V + b] = R[b * V + a] = failed ? (double)NAN : e->A[a * V + b][lane];
}

void whiten(const struct eigen *e, int n, double *S)
{
	size_t each = (size_t)e->n * (size_t)e->n;
	memset(e->A, 0, each * sizeof *e->A);
	for (int l = 0; l < n; l++)
		load(e, l, S + (size_t)l * each);
	unsigned failed = eigen_solve(e);
	for (int k = 0; k < e->n; k++)
		for (int l = 0; l < EIGEN_LANES; l++)
			e->w[k][l] = e->w[k][l] > 0 ? 1 / sqrt(e->w[k][l]) : 0;
	eigen_compose(e);
	for (int l = 0; l < n; l++)
		store(e, l, failed >> l & 1, S + (size_t)l * each);
}
