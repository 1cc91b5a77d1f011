#include "tensor/gemm.h"

#include "base/mem.h"
#include "base/profile.h"

#include <cblas.h>
#include <pthread.h>

void gemm(enum transpose a, enum transpose b, int m, int n, int k, real alpha, const real *A, int lda,
	const real *B, int ldb, real beta, real *C, int ldc)
{
	PROFILE_PART("BLAS");
	CBLAS_TRANSPOSE ta = a == PLAIN ? CblasNoTrans : CblasTrans,
			tb = b == PLAIN ? CblasNoTrans : CblasTrans;
#ifdef REAL_DOUBLE
	cblas_dgemm(CblasRowMajor, ta, tb, m, n, k, alpha, A, lda, B, ldb, beta, C, ldc);
#else
	cblas_sgemm(CblasRowMajor, ta, tb, m, n, k, alpha, A, lda, B, ldb, beta, C, ldc);
#endif
}

/* Never while others are at work in there: it moves what they stand on. */
static void one_thread(void)
{
	openblas_set_num_threads(1);
}

void gemm_single_thread(int callers)
{
	enum { BUFFER = 129 << 20, REST = 192 << 20 }; /* rest: what else will be asked for meanwhile */
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	mem_need_space((size_t)callers * BUFFER + REST, "OpenBLAS");
	pthread_once(&once, one_thread);
}

const char *gemm_library(void)
{
	return openblas_get_config();
}
