/* Eigenvalues and eigenvectors of small symmetric matrices, EIGEN_LANES of them at a time: their
 * numbers (i,j) stand side by side.
 *
 *     A = sum over k of w[k] v_k v_k^T        v_k is row k of V; in no order
 *
 * By the cyclic Jacobi method, in double. What a lane gives depends, to the bit, on the matrix in
 * this lane alone, not on what is in the others. Numbers may be of any size: each matrix is scaled
 * by a power of two.
 */
#ifndef TENSOR_EIGEN_H
#define TENSOR_EIGEN_H

#include "base/mem.h"

#include <stddef.h>

enum { EIGEN_LANES = 8 };

/* One number of each of the matrices. */
typedef double eigen_lanes[EIGEN_LANES];

struct eigen {
	int n, sweeps;         /* sweeps: how many until it gives up, many more than it needs */
	eigen_lanes *A;        /* [n][n] in: by its upper triangle, which is lost */
	eigen_lanes *w, *V;    /* [n], [n][n] out */
	struct rotation *room; /* [n/2] */
	size_t *alone;         /* [n] room */
};

/* Room for matrices of n, all 0, from the arena. */
struct eigen eigen_new(int n, struct arena *);

/* Returns the lanes that have no answer, 1 << lane each: those with numbers, or eigenvalues, that
 * are not finite, and those that were not diagonal after the last sweep. What is in w and V there
 * means nothing. */
unsigned eigen_solve(const struct eigen *);

/* The upper triangle of A again, of w and V as they are now: with f(w) for w it is the function f
 * of the matrix. */
void eigen_compose(const struct eigen *);

#endif
