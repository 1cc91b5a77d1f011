/* The number type of the engine: float, or double in `make gradcheck` (-DREAL_DOUBLE). Files always
 * hold float. */
#ifndef BASE_REAL_H
#define BASE_REAL_H

#ifdef REAL_DOUBLE
typedef double real;
#define REAL(x) x
#else
typedef float real;
#define REAL(x) x##f
#endif

#endif
