#include "tensor/lapack.h"

#include "base/error.h"

#include <cblas.h>

extern void ssyevd_(const char *job, const char *triangle, const int *n, float *a, const int *lda, float *w,
	float *work, const int *lwork, int *iwork, const int *liwork, int *info);
extern void dsyevd_(const char *job, const char *triangle, const int *n, double *a, const int *lda, double *w,
	double *work, const int *lwork, int *iwork, const int *liwork, int *info);
extern void dposv_(const char *triangle, const int *n, const int *m, double *a, const int *lda, double *b,
	const int *ldb, int *info);

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

/* Its columns are our rows: our upper triangle is its lower one. */
bool solve_definite(int n, double *G, int m, double *B)
{
	int info;
	dposv_("L", &n, &m, G, &n, B, &n, &info);
	return info == 0;
}
