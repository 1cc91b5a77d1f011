/* Matrix products: the one door to OpenBLAS, which works on one thread; the threads are ours
 * (base/pool.h).
 *
 *     gemm:  C [m][n] = alpha op(A) op(B) + beta C      row-major; op(A) is [m][k], op(B) is [k][n]
 */
#ifndef TENSOR_GEMM_H
#define TENSOR_GEMM_H

#include "base/real.h"

enum transpose { PLAIN, TRANSPOSED };

void gemm(enum transpose a, enum transpose b, int m, int n, int k, real alpha, const real *A, int lda,
	const real *B, int ldb, real beta, real *C, int ldc);

/* Tells OpenBLAS to leave threading to us; `callers` threads will call gemm at the same time.
 * Called by whoever makes a model. OpenBLAS takes a buffer of 128 MB of address space for each and
 * tries for ever when it gets none: this ends the program first. */
void gemm_single_thread(int callers);

const char *gemm_library(void); /* name and kernel, for --version -v and the benchmark */

#endif
