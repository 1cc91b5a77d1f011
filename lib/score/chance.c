#include "score/chance.h"

#include <math.h>

double chance_limit(int64_t n, double p, double level)
{
	double below = 0;
	if (p <= 0 || p >= 1)
		return p <= 0 ? 0 : 1;
	for (int64_t k = 0; k < n; k++) {
		double wrong = (double)(n - k);
		below += exp(lgamma((double)n + 1) - lgamma((double)k + 1) - lgamma(wrong + 1) +
			     (double)k * log(p) + wrong * log1p(-p));
		if (below >= level)
			return (double)k / (double)n;
	}
	return 1;
}
