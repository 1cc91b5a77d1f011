#include "base/softmax.h"

#include <math.h>

int softmax_of(const real *z, int n, double temperature, double *p)
{
	int best = 0;
	double sum = 0;
	for (int c = 1; c < n; c++)
		if (z[c] > z[best])
			best = c;
	for (int c = 0; c < n; c++)
		sum += p[c] = exp(((double)z[c] - (double)z[best]) / temperature);
	for (int c = 0; c < n; c++)
		p[c] /= sum;
	return best;
}
