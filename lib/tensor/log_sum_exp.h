/* ln sum_i e^z_i, in double. */
#ifndef TENSOR_LOG_SUM_EXP_H
#define TENSOR_LOG_SUM_EXP_H

#include "base/real.h"

#include <math.h>

static inline double log_sum_exp(const real *z, int n)
{
	double top = (double)z[0], sum = 0;
	for (int i = 1; i < n; i++)
		top = fmax(top, (double)z[i]);
	for (int i = 0; i < n; i++)
		sum += exp((double)z[i] - top);
	return top + log(sum);
}

#endif
