/* Matrix products: the one door to OpenBLAS, which works on one thread; the threads are ours (base/pool.h).
 *
 *     gemm:  C [m][n] = alpha op(A) op(B) + beta C      row-major; op(A) is [m][k], op(B) is [k][n]
 */
#ifndef TENSOR_GEMM_H
#define TENSOR_GEMM_H

#include "base/real.h"

enum transpose { PLAIN, TRANSPOSED };

void gemm(enum transpose a, enum transpose b, int m, int n, int k, real alpha, const real *A, int lda,
	const real *B, int ldb, real beta, real *C, int ldc);

/* Tells OpenBLAS to leave threading to us. Called once by whoever makes a model. */
void gemm_single_thread(void);

const char *gemm_library(void); /* name and kernel, for --version -v and the benchmark */

#endif
