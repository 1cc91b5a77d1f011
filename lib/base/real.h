/* The number type of the engine: float, or double in `make gradcheck` (-DREAL_DOUBLE). Files always
 * hold float. */
#ifndef BASE_REAL_H
#define BASE_REAL_H

#include <math.h>
#include <stdbool.h>
#include <stddef.h>

#ifdef REAL_DOUBLE
typedef double real;
#define REAL(x) x
#else
typedef float real;
#define REAL(x) x##f
#endif

/* Whether none of x [n] is infinite or not a number. */
static inline bool reals_finite(const real *x, size_t n)
{
	bool finite = true;
	for (size_t i = 0; i < n; i++)
		finite &= isfinite(x[i]) != 0;
	return finite;
}

#endif
