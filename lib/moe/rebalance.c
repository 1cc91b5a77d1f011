#include "moe/rebalance.h"

#include "base/mem.h"

#include <math.h>
#include <stdlib.h>

void rebalance_bias(const struct balance *a, double rate, real *b)
{
	int64_t all = 0;
	for (int e = 0; e < a->experts; e++)
		all += balance_sent(a, e);
	double mean = (double)all / a->experts;
	for (int e = 0; e < a->experts; e++) {
		double c = (double)balance_sent(a, e);
		b[e] += (real)(c < mean ? rate : c > mean ? -rate : 0);
	}
}

static int rising(const void *x, const void *y)
{
	real a = *(const real *)x, b = *(const real *)y;
	return a < b ? -1 : a > b;
}

/* x [n] is sorted on the way. */
static double quantile(real *x, size_t n, int k, int E)
{
	size_t h = n * (size_t)k / (size_t)E;
	qsort(x, n, sizeof *x, rising);
	if (n * (size_t)k % (size_t)E || !h)
		return (double)x[h];
	return ((double)x[h - 1] + (double)x[h < n ? h : n - 1]) / 2;
}

void rebalance_quantile(const struct balance *a, real *b)
{
	size_t n = a->lacks, E = (size_t)a->experts;
	if (!n)
		return;
	real *column = NEW_ARRAY(real, n);
	double sum = 0;
	for (size_t e = 0; e < E; e++) {
		for (size_t i = 0; i < n; i++)
			column[i] = a->lack[i * E + e];
		b[e] = (real)quantile(column, n, a->k, a->experts);
		sum += (double)b[e];
	}
	for (size_t e = 0; e < E; e++)
		b[e] -= (real)(sum / a->experts);
	free(column);
}
