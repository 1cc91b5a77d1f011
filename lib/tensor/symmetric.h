/* Systems and eigenvalues of symmetric matrices; the eigenvalues from the LAPACK inside OpenBLAS, on one thread, as products are
 * (tensor/gemm.h). */
#ifndef TENSOR_SYMMETRIC_H
#define TENSOR_SYMMETRIC_H

#include "base/mem.h"
#include "base/real.h"

#include <stdbool.h>

/* What eigen_symmetric of n works with, once for many. */
struct eigen_room {
	int reals, ints;
	real *real;
	int *whole;
};
struct eigen_room eigen_room(int n, struct arena *);

/* A [n][n] symmetric becomes its eigenvectors, row k that of value[k], rising. The numbers must be finite. */
void eigen_symmetric(int n, real *A, real *value, const struct eigen_room *);

/* G [n][n] += A^T A, or A A^T where `rows`, of A [r][c]; the upper triangle alone. */
void gram_add(bool rows, int r, int c, const double *A, int n, double *G);

/* Solves G X = B in place, B [m][n]: m right sides one after the other. G [n][n] positive definite by its upper triangle; it is lost.
 * false when it is not definite. */
bool solve_definite(int n, double *G, int m, double *B);

#endif
