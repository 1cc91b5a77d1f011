/* The eigensolver against what must hold of eigenvectors, and against eigenvalues by another
 * method.
 * usage: test_eigen [matrices]     of the sizes 1 to 64, most of them small */
#include "check.h"

#include "base/rng.h"
#include "tensor/eigen.h"

#include <float.h>
#include <stdbool.h>
#include <stdlib.h>

enum { MOST = 64 };

static long matrices = 20000;

/* Eigenvalues of A [n][n] symmetric, rising: to three diagonals by Householder's reflections, then
 * by bisection: the number of eigenvalues below x is that of the negative pivots of A - x I (Sturm;
 * Givens 1954). A is lost. */
static void other_eigenvalues(int n, double *A, double *w)
{
	double d[MOST], e2[MOST] = {0}, v[MOST], p[MOST], bound = 0;
	for (int k = 0; k + 2 < n; k++) {
		double norm = 0, vp = 0;
		for (int i = k + 1; i < n; i++)
			norm += A[i * n + k] * A[i * n + k];
		norm = sqrt(norm);
		if (!(norm > 0))
			continue;
		for (int i = k + 1; i < n; i++)
			v[i] = A[i * n + k];
		v[k + 1] += v[k + 1] < 0 ? -norm : norm;
		double square = 0;
		for (int i = k + 1; i < n; i++)
			square += v[i] * v[i];
		for (int i = k; i < n; i++) { /* p = 2 A v / |v|^2 */
			p[i] = 0;
			for (int j = k + 1; j < n; j++)
				p[i] += 2 * A[i * n + j] * v[j] / square;
			vp += i > k ? v[i] * p[i] / square : 0;
		}
		v[k] = 0;
		for (int i = k; i < n; i++)
			p[i] -= vp * v[i];
		for (int i = k; i < n; i++)
			for (int j = k; j < n; j++)
				A[i * n + j] -= v[i] * p[j] + p[i] * v[j];
	}
	for (int i = 0; i < n; i++) {
		d[i] = A[i * n + i];
		if (i + 1 < n)
			e2[i + 1] = A[(i + 1) * n + i] * A[(i + 1) * n + i];
	}
	for (int i = 0; i < n; i++)
		bound = fmax(bound, fabs(d[i]) + sqrt(e2[i]) + (i + 1 < n ? sqrt(e2[i + 1]) : 0));
	for (int k = 0; k < n; k++) {
		double low = k ? w[k - 1] : -bound, high = bound;
		for (int step = 0; step < 60 && high - low > 1e-13 * bound; step++) {
			double x = low + (high - low) / 2, q = 1;
			int below = 0;
			for (int i = 0; i < n; i++) {
				q = d[i] - x - (i ? e2[i] / q : 0);
				if (fabs(q) < 1e-30 * bound)
					q = -1e-30 * bound;
				below += q < 0;
			}
			*(below > k ? &high : &low) = x;
		}
		w[k] = low;
	}
}

static double spread(struct rng *r)
{
	return 2 * rng_uniform(r) - 1;
}

/* A = Q diag(value) Q^T, Q of n reflections */
static void turned(int n, const double *value, struct rng *r, double *A)
{
	double v[MOST];
	memset(A, 0, (size_t)(n * n) * sizeof *A);
	for (int i = 0; i < n; i++)
		A[i * n + i] = value[i];
	for (int times = 0; times < 3; times++) {
		double square = 0;
		for (int i = 0; i < n; i++) {
			v[i] = spread(r);
			square += v[i] * v[i];
		}
		for (int side = 0; side < 2; side++) /* I - 2 v v^T / |v|^2 from left and right */
			for (int j = 0; j < n; j++) {
				double dot = 0;
				for (int i = 0; i < n; i++)
					dot += v[i] * A[side ? j * n + i : i * n + j];
				for (int i = 0; i < n; i++)
					A[side ? j * n + i : i * n + j] -= 2 * dot * v[i] / square;
			}
	}
}

/* The sum of `rank` outer products; a row in three is silent where `silent`. */
static void products(int n, int rank, bool silent, double range, struct rng *r, double *A)
{
	double x[MOST];
	memset(A, 0, (size_t)(n * n) * sizeof *A);
	for (int k = 0; k < rank; k++) {
		for (int i = 0; i < n; i++)
			x[i] = silent && i % 3 == 0 ? 0 : spread(r) * pow(10, range * spread(r));
		for (int i = 0; i < n; i++)
			for (int j = 0; j < n; j++)
				A[i * n + j] += x[i] * x[j];
	}
}

enum kind { RANDOM, COVARIANCE, RANK, SILENT, GRADED, REPEATED, CLOSE, EQUAL, DIAGONAL, WHOLE, KINDS };

/* Rounded to floats, as the matrices of windows are, and of some other magnitude. */
static void make(enum kind kind, int n, struct rng *r, double *A)
{
	static const double size[] = {1, 1, 1e-30, 1e30, 1e-42, 1e37};
	double value[MOST];
	for (int i = 0; i < n; i++)
		value[i] =
			kind == REPEATED ? (double)(i % 3) - 1 : 1 + (kind == CLOSE ? 1e-7 * spread(r) : 0);
	if (kind == COVARIANCE || kind == RANK || kind == SILENT || kind == GRADED)
		products(n, kind == RANK ? (n + 1) / 3 : n + 2, kind == SILENT, kind == GRADED ? 3 : 0.3, r,
			A);
	else
		turned(n, value, r, A);
	for (int i = 0; i < n; i++)
		for (int j = i; j < n; j++) {
			double *a = &A[i * n + j];
			if (kind == RANDOM)
				*a = spread(r);
			else if (kind == WHOLE)
				*a = rng_uniform(r) < 0.3 ? -0.0 : (double)(int)(3 * spread(r));
			else if (kind == EQUAL)
				*a = 1;
			else if (kind == DIAGONAL)
				*a = i == j ? spread(r) : 0;
		}
	double most = 0, times = size[rng_next(r) % 6];
	for (int i = 0; i < n * n; i++)
		most = fmax(most, fabs(A[i]));
	for (int i = 0; i < n; i++)
		for (int j = i; j < n; j++)
			A[j * n + i] = A[i * n + j] =
				(double)(float)(A[i * n + j] / (most > 0 ? most : 1) * times);
}

static void put(const struct eigen *e, int lane, const double *A)
{
	for (int i = 0; i < e->n; i++)
		for (int j = i; j < e->n; j++)
			e->A[i * e->n + j][lane] = A[i * e->n + j];
}

struct worst {
	double residual, orthogonality, eigenvalue;
};

static int rising(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

/* |A V^T - V^T L| and the eigenvalues' distance by the size of the largest eigenvalue, |V V^T - I|
 * as it is: Frobenius norms. A is lost. */
static void measure(const struct eigen *e, int lane, double *A, struct worst *to)
{
	int n = e->n;
	double w[MOST], other[MOST], norm = 0, residual = 0, orthogonality = 0;
	for (int k = 0; k < n; k++) {
		w[k] = e->w[k][lane];
		norm = fmax(norm, fabs(w[k]));
	}
	for (int k = 0; k < n; k++)
		for (int i = 0; i < n; i++) {
			double sum = -w[k] * e->V[k * n + i][lane], dot = -(double)(i == k);
			for (int j = 0; j < n; j++) {
				sum += A[i * n + j] * e->V[k * n + j][lane];
				dot += e->V[k * n + j][lane] * e->V[i * n + j][lane];
			}
			residual += norm > 0 ? sum / norm * (sum / norm) : sum;
			orthogonality += dot * dot;
		}
	to->residual = fmax(to->residual, sqrt(residual));
	to->orthogonality = fmax(to->orthogonality, sqrt(orthogonality));
	if (!(norm > 0))
		norm = 1;
	for (int i = 0; i < n * n; i++)
		A[i] /= norm;
	other_eigenvalues(n, A, other);
	qsort(w, (size_t)n, sizeof *w, rising);
	for (int k = 0; k < n; k++)
		to->eigenvalue = fmax(to->eigenvalue, fabs(w[k] / norm - other[k]));
}

/* Of 100 sizes 90 are 1 to 12, of 1,000 one is above 32. */
static int size_of(long batch)
{
	if (batch % 1000 == 999)
		return 33 + (int)(batch / 1000 * 7 % 32);
	return batch % 10 == 9 ? 13 + (int)(batch / 10 % 20) : 1 + (int)(batch % 12);
}

static struct worst all;

static void matrices_are_taken_apart(void)
{
	struct rng r = rng_stream(1, "eigen", 0, 0);
	static double A[EIGEN_LANES][MOST * MOST];
	struct arena *arena = arena_new();
	for (long i = 0; i * EIGEN_LANES < matrices; i++) {
		arena_reset(arena);
		struct eigen e = eigen_new(size_of(i), arena);
		for (int l = 0; l < EIGEN_LANES; l++) {
			make((enum kind)(rng_next(&r) % KINDS), e.n, &r, A[l]);
			put(&e, l, A[l]);
		}
		CHECK(!eigen_solve(&e));
		for (int l = 0; l < EIGEN_LANES; l++)
			measure(&e, l, A[l], &all);
	}
	arena_free(arena);
	CHECK(all.residual <= 1e-7);
	CHECK(all.orthogonality <= 1e-10);
	CHECK(all.eigenvalue <= 1e-8);
}

/* As many channels as a region of covariance tokens may have; the matrix is known by its making. */
static void large_ones_too(void)
{
	enum { N = 256 };
	struct rng r = rng_stream(2, "eigen", 0, 0);
	struct arena *arena = arena_new();
	struct eigen e = eigen_new(N, arena);
	double *A = arena_take(arena, (size_t)N * N * sizeof *A), residual = 0, orthogonality = 0, norm = 0;
	for (int i = 0; i < N; i++)
		for (int j = i; j < N; j++)
			e.A[i * N + j][3] = A[i * N + j] = A[j * N + i] = spread(&r);
	CHECK(!eigen_solve(&e));
	for (int k = 0; k < N; k++)
		norm = fmax(norm, fabs(e.w[k][3]));
	for (int k = 0; k < N; k++)
		for (int i = 0; i < N; i++) {
			double sum = -e.w[k][3] * e.V[k * N + i][3], dot = -(double)(i == k);
			for (int j = 0; j < N; j++) {
				sum += A[i * N + j] * e.V[k * N + j][3];
				dot += e.V[k * N + j][3] * e.V[i * N + j][3];
			}
			residual += sum * sum / norm / norm;
			orthogonality += dot * dot;
		}
	CHECK(sqrt(residual) <= 1e-6);
	CHECK(sqrt(orthogonality) <= 1e-10);
	arena_free(arena);
}

/* The bits of w and V of a lane */
static void copy(const struct eigen *e, int lane, double *to)
{
	for (int i = 0; i < e->n; i++)
		*to++ = e->w[i][lane];
	for (int i = 0; i < e->n * e->n; i++)
		*to++ = e->V[i][lane];
}

/* Each of eight alone, in another lane, has the bits it has in company; with neighbours that need
 * other sweeps, or have no answer. */
static void company_changes_no_bit(void)
{
	enum { N = 12 };
	struct rng r = rng_stream(3, "eigen", 0, 0);
	static double A[EIGEN_LANES][N * N], was[EIGEN_LANES][N + N * N], is[N + N * N];
	struct arena *arena = arena_new();
	int differences = 0;
	for (int round = 0; round < 400; round++) {
		arena_reset(arena);
		struct eigen e = eigen_new(1 + round % N, arena);
		size_t bytes = (size_t)(e.n + e.n * e.n) * sizeof(double);
		for (int l = 0; l < EIGEN_LANES; l++) {
			make((enum kind)(rng_next(&r) % KINDS), e.n, &r, A[l]);
			put(&e, l, A[l]);
		}
		CHECK(!eigen_solve(&e));
		for (int l = 0; l < EIGEN_LANES; l++)
			copy(&e, l, was[l]);
		for (int l = 0; l < EIGEN_LANES; l++) {
			struct eigen alone = eigen_new(e.n, arena);
			int lane = (l + round) % EIGEN_LANES, bad = (lane + 1) % EIGEN_LANES;
			put(&alone, lane, A[l]);
			if (round % 2)
				alone.A[0][bad] = NAN;
			CHECK(eigen_solve(&alone) == (round % 2 ? 1U << bad : 0));
			copy(&alone, lane, is);
			differences += memcmp(was[l], is, bytes) != 0;
		}
	}
	CHECK(differences == 0);
	arena_free(arena);
}

/* Times a power of two, up to the ends of a double's range, only the eigenvalues change, and they
 * by this power. */
static void size_changes_no_vector(void)
{
	enum { N = 9 };
	static const int power[] = {0, 1, -30, 100, 1000, -1000, -1074};
	struct rng r = rng_stream(4, "eigen", 0, 0);
	static double A[N * N], B[N * N], was[N + N * N], is[N + N * N];
	struct arena *arena = arena_new();
	for (int round = 0; round < 70; round++) {
		struct eigen e = eigen_new(N, arena);
		for (int i = 0; i < N; i++)
			for (int j = i; j < N; j++) {
				A[i * N + j] = (double)(int)(100 * spread(&r));
				B[i * N + j] = ldexp(A[i * N + j], power[round % 7]);
			}
		put(&e, 0, A);
		put(&e, 1, B);
		CHECK(!eigen_solve(&e));
		copy(&e, 0, was);
		copy(&e, 1, is);
		for (int i = 0; i < N; i++)
			CHECK(is[i] == ldexp(was[i], power[round % 7]));
		CHECK(!memcmp(was + N, is + N, N * N * sizeof *is));
		arena_reset(arena);
	}
	arena_free(arena);
}

static void numbers_must_be_finite(void)
{
	static const double odd[] = {NAN, INFINITY, -INFINITY};
	struct arena *arena = arena_new();
	for (int i = 0; i < 3; i++) {
		struct eigen e = eigen_new(3, arena);
		e.A[i][2] = odd[i]; /* of the first row */
		e.A[0][5] = 7;
		CHECK(eigen_solve(&e) == 1U << 2);
		CHECK(e.w[0][5] == 7 && e.w[1][5] == 0 && e.w[2][5] == 0);
	}
	struct eigen e = eigen_new(2, arena);
	for (int i = 0; i < 4; i++)
		e.A[i][7] = DBL_MAX; /* twice this is an eigenvalue */
	CHECK(eigen_solve(&e) == 1U << 7);
	arena_free(arena);
}

/* Where the sweeps end too early it is said, of the lanes of which it is true. */
static void what_is_not_done_fails(void)
{
	struct rng r = rng_stream(5, "eigen", 0, 0);
	struct arena *arena = arena_new();
	double A[20 * 20];
	struct eigen e = eigen_new(20, arena);
	make(RANDOM, 20, &r, A);
	put(&e, 1, A);
	put(&e, 6, A);
	e.A[0][0] = e.A[1][0] = e.A[21][0] = 1; /* done after one sweep */
	e.sweeps = 2;
	CHECK(eigen_solve(&e) == ((1U << 1) | (1U << 6)));
	put(&e, 1, A);
	e.sweeps = 40;
	CHECK(!eigen_solve(&e));
	arena_free(arena);
}

/* A function of a matrix: of its square root the square is the matrix. */
static void functions_of_matrices(void)
{
	enum { N = 7 };
	struct rng r = rng_stream(6, "eigen", 0, 0);
	struct arena *arena = arena_new();
	double A[N * N], root[N * N];
	struct eigen e = eigen_new(N, arena);
	products(N, N + 3, false, 0.3, &r, A);
	put(&e, 4, A);
	CHECK(!eigen_solve(&e));
	for (int k = 0; k < N; k++)
		for (int l = 0; l < EIGEN_LANES; l++)
			e.w[k][l] = l == 4 ? sqrt(e.w[k][l]) : 0;
	eigen_compose(&e);
	for (int i = 0; i < N; i++)
		for (int j = i; j < N; j++)
			root[i * N + j] = root[j * N + i] = e.A[i * N + j][4];
	for (int i = 0; i < N; i++)
		for (int j = 0; j < N; j++) {
			double sum = 0;
			for (int k = 0; k < N; k++)
				sum += root[i * N + k] * root[k * N + j];
			CHECK_NEAR(sum, A[i * N + j], 1e-7);
		}
	arena_free(arena);
}

int main(int argc, char **argv)
{
	if (argc > 1)
		matrices = atol(argv[1]);
	CASE(matrices_are_taken_apart);
	if (argc > 1)
		printf("# %ld matrices: residual %.1e, orthogonality %.1e, eigenvalues %.1e\n", matrices,
			all.residual, all.orthogonality, all.eigenvalue);
	CASE(large_ones_too);
	CASE(company_changes_no_bit);
	CASE(size_changes_no_vector);
	CASE(numbers_must_be_finite);
	CASE(what_is_not_done_fails);
	CASE(functions_of_matrices);
	return check_done();
}
