/* Exponentials of a row, as softmax and its logarithm need them. */
#ifndef TENSOR_SOFTMAX_H
#define TENSOR_SOFTMAX_H

#include "base/real.h"

/* y [n] = e^((x - the largest) / temperature) for n > 0; returns their sum, of LANES parts that are
 * added pairwise. y may be x. */
real row_exponentials(const real *x, int n, real temperature, real *y);
/* ln sum_i e^x_i */
double log_sum_exp(const real *x, int n);

#endif
