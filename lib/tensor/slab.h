/* Loops over a slab of numbers, as a training step has them over all parameters. */
#ifndef TENSOR_SLAB_H
#define TENSOR_SLAB_H

#include "base/real.h"

#include <stdbool.h>
#include <stddef.h>

/* Sum of x_i^2 in double, in parts side by side that are added in a fixed order; not finite when a
 * number is not. */
double slab_squares(const real *x, size_t n);
void slab_scale(real *x, size_t n, real factor);   /* x *= factor */
void slab_add(real *sum, const real *x, size_t n); /* sum += x */
bool slab_finite(const real *x, size_t n);

#endif
