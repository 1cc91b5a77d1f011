#include "tensor/lapack.h"

#include "base/error.h"

#include <cblas.h>
#include <math.h>

extern void ssyevd_(const char *job, const char *triangle, const int *n, float *a, const int *lda, float *w,
	float *work, const int *lwork, int *iwork, const int *liwork, int *info);
extern void dsyevd_(const char *job, const char *triangle, const int *n, double *a, const int *lda, double *w,
	double *work, const int *lwork, int *iwork, const int *liwork, int *info);

#ifdef REAL_DOUBLE
#define syevd dsyevd_
#else
#define syevd ssyevd_
#endif

struct eigen_room eigen_room(int n, struct arena *a)
{
	int reals = 1 + 6 * n + 2 * n * n, ints = 3 + 5 * n;
	return (struct eigen_room){reals, ints, arena_take(a, (size_t)reals * sizeof(real)),
		arena_take(a, (size_t)ints * sizeof(int))};
}

void eigen_symmetric(int n, real *A, real *value, const struct eigen_room *room)
{
	int info;
	syevd("V", "L", &n, A, &n, value, room->real, &room->reals, room->whole, &room->ints, &info);
	must(info == 0); /* of finite numbers it always finds them */
}

void gram_add(bool rows, int r, int c, const double *A, int n, double *G)
{
	cblas_dsyrk(CblasRowMajor, CblasUpper, rows ? CblasNoTrans : CblasTrans, rows ? r : c, rows ? c : r,
		1, A, c, 1, G, n);
}

/* U of the b rows and columns from j on, G = U^T U; false when they are not definite. */
static bool factor_block(size_t n, double *G, size_t j, size_t b)
{
	for (size_t p = j; p < j + b; p++) {
		if (!(G[p * n + p] > 0))
			return false;
		double root = sqrt(G[p * n + p]);
		for (size_t k = p; k < j + b; k++)
			G[p * n + k] /= root;
		for (size_t i = p + 1; i < j + b; i++)
			for (size_t k = i; k < j + b; k++)
				G[i * n + k] -= G[p * n + i] * G[p * n + k];
	}
	return true;
}

/* Cholesky, block by block. LAPACK's own (dposv_ of OpenBLAS 0.3.21) spoils what other threads do in the library at the same time:
 * seen as eigenvalues that are not found, in one of three runs of four threads. */
static bool factor(size_t n, double *G)
{
	enum { BLOCK = 64 };
	for (size_t j = 0; j < n; j += BLOCK) {
		size_t b = n - j < BLOCK ? n - j : BLOCK;
		int rest = (int)(n - j - b), N = (int)n;
		if (!factor_block(n, G, j, b))
			return false;
		if (!rest)
			break;
		cblas_dtrsm(CblasRowMajor, CblasLeft, CblasUpper, CblasTrans, CblasNonUnit, (int)b, rest, 1,
			G + j * n + j, N, G + j * n + j + b, N);
		cblas_dsyrk(CblasRowMajor, CblasUpper, CblasTrans, rest, (int)b, -1, G + j * n + j + b, N, 1,
			G + (j + b) * n + j + b, N);
	}
	return true;
}

bool solve_definite(int n, double *G, int m, double *B)
{
	size_t N = (size_t)n;
	if (!factor(N, G))
		return false;
	for (int r = 0; r < m; r++) {
		double *x = B + (size_t)r * N;
		for (size_t j = 0; j < N; j++) {
			x[j] /= G[j * N + j];
			for (size_t k = j + 1; k < N; k++)
				x[k] -= G[j * N + k] * x[j];
		}
		for (size_t j = N; j-- > 0;) {
			for (size_t k = j + 1; k < N; k++)
				x[j] -= G[j * N + k] * x[k];
			x[j] /= G[j * N + j];
		}
	}
	return true;
}
