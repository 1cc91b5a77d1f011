/* Small matrix products, where a general library's packing costs more than it saves: the rows of
 * one window against the weights of one layer. Vectors run along n, sums are held in registers over
 * the whole of k.
 *
 *     product:  C [m][n] = A B + start      A(i,l) = a[i * row + l * step], B [k][n] and C [m][n] row-major
 *
 * Each element is one sum in the order of l, so it has the same bits whatever m and n are. On the
 * shapes of this program it reaches the machine's peak where sgemm reaches half to three quarters
 * of it (k = 32: 90 against 50 GFLOP/s on a Zen 3 core).
 */
#ifndef TENSOR_PRODUCT_H
#define TENSOR_PRODUCT_H

#include "base/real.h"

#include <stddef.h>

struct product_left {
	const real *a;
	size_t row,
		step; /* distances in elements; {a, lda, 1} for A as it stands, {a, 1, lda} for A transposed */
};

enum product_start {
	FROM_ZERO,
	FROM_C,    /* C += A B */
	FROM_ROWS, /* C(i,j) starts at start[i] */
};

void product(int m, int n, int k, struct product_left A, const real *B, size_t ldb, real *C, size_t ldc,
	enum product_start, const real *start);

/* C [m][n] = X Y^T, of rows that lie along k: X [m][k], Y [n][k], k whole vectors. The sum runs in
 * LANES parts (tensor/vector.h), which are added pairwise at the end. */
void row_products(
	int m, int n, int k, const real *X, size_t ldx, const real *Y, size_t ldy, real *C, size_t ldc);

/* to [n][m] (rows `ldto` apart) = x [m][n] (rows `ldx` apart), transposed */
void transpose(int m, int n, const real *x, size_t ldx, real *to, size_t ldto);
void add_transposed(int m, int n, const real *x, size_t ldx, real *to, size_t ldto); /* to += ... */

/* sum [n] += the rows of x [m][n], first to last */
void add_rows(int m, int n, const real *x, real *sum);

#endif
