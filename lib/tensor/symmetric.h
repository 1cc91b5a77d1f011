/* Systems of symmetric matrices: normal equations. Eigenvalues are in tensor/eigen.h. */
#ifndef TENSOR_SYMMETRIC_H
#define TENSOR_SYMMETRIC_H

#include <stdbool.h>

/* G [n][n] += A^T A, or A A^T where `rows`, of A [r][c]; the upper triangle alone. */
void gram_add(bool rows, int r, int c, const double *A, int n, double *G);

/* Solves G X = B in place, B [m][n]: m right sides one after the other. G [n][n] positive definite
 * by its upper triangle; it is lost. false when it is not definite. */
bool solve_definite(int n, double *G, int m, double *B);

#endif
