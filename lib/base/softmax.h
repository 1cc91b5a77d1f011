#ifndef BASE_SOFTMAX_H
#define BASE_SOFTMAX_H

#include "base/real.h"

/* p [n] = softmax(z [n] / temperature), n >= 1; returns the index of the largest, of equal ones the
 * first. */
int softmax_of(const real *z, int n, double temperature, double *p);

#endif
