#include "model/tokeniser/columns.h"

int columns_present(const struct region *r, int *column)
{
	int V = 0;
	for (int j = 0; j < r->width; j++) {
		if (r->channel[j] < 0)
			continue;
		if (column)
			column[V] = j;
		V++;
	}
	return V;
}

bool column_flat(const real *x, int L, int W, int c)
{
	bool same = true;
	for (int t = 1; t < L; t++)
		same &= !(x[(size_t)t * (size_t)W + (size_t)c] < x[c]) &&
			!(x[(size_t)t * (size_t)W + (size_t)c] > x[c]);
	return same;
}

real column_held(real x)
{
	const real most = REAL(1e30);
	x = x > -most ? x : -most;
	return x < most ? x : most;
}
