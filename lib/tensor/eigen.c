#include "tensor/eigen.h"

#include "tensor/vector.h"

#include <float.h>
#include <stdbool.h>

/* What may be left beside the diagonal of a matrix whose largest number is between 1/2 and 1. */
#define SMALL 0x1p-30F

enum { SWEEPS = 40 }; /* matrices of 9 need about 6, those of 256 about 10 */

/* Two vectors make a line of lanes: what registers hold, and compilers know how to move. */
enum { HALVES = 2, HALF = EIGEN_LANES / HALVES };
typedef double half __attribute__((vector_size(HALF * sizeof(double)), may_alias));
typedef struct {
	half of[HALVES];
} lanes;
typedef float half_floats __attribute__((vector_size(HALF * sizeof(float))));
typedef float floats __attribute__((vector_size(EIGEN_LANES * sizeof(float))));
typedef int32_t masks __attribute__((vector_size(EIGEN_LANES * sizeof(int32_t))));

/* Rows and columns p and q turned by an angle: its sine, and the tangent of its half (Rutishauser
 * 1966). */
struct rotation {
	lanes sine, tangent;
	size_t p, q;
};

struct eigen eigen_new(int n, struct arena *a)
{
	size_t N = (size_t)n, matrices = N * N * sizeof(eigen_lanes);
	struct eigen e = {.n = n,
		.sweeps = SWEEPS,
		.A = arena_take(a, matrices),
		.w = arena_take(a, N * sizeof(eigen_lanes)),
		.V = arena_take(a, matrices),
		.room = arena_take(a, (N / 2 + 1) * sizeof(struct rotation)),
		.alone = arena_take(a, N * sizeof(size_t))};
	memset(e.A, 0, matrices);
	return e;
}

INLINE bool any(masks m)
{
	int64_t part[4];
	memcpy(part, &m, sizeof part);
	return part[0] | part[1] | part[2] | part[3];
}

INLINE floats narrow(half a, half b)
{
	return __builtin_shufflevector(__builtin_convertvector(a, half_floats),
		__builtin_convertvector(b, half_floats), 0, 1, 2, 3, 4, 5, 6, 7);
}

INLINE lanes widen(floats a)
{
	return (lanes){{__builtin_convertvector(__builtin_shufflevector(a, a, 0, 1, 2, 3), half),
		__builtin_convertvector(__builtin_shufflevector(a, a, 4, 5, 6, 7), half)}};
}

INLINE floats root(floats a)
{
	float x[EIGEN_LANES];
	memcpy(x, &a, sizeof x);
	for (int i = 0; i < EIGEN_LANES; i++)
		x[i] = sqrtf(x[i]);
	memcpy(&a, x, sizeof x);
	return a;
}

/* The angle that makes A(p,q) next to nothing: none in lanes where it is small already. With h = 2
 * A(p,q) and d = A(q,q) - A(p,p) the tangent of its half is h / (|d| + r + sqrt(2 r (|d| + r))), r
 * = sqrt(d^2 + h^2), with the sign of d. It needs no more than the precision of a float, the sine
 * that belongs to it does. false: no lane has an angle. */
INLINE bool find_rotation(const lanes *pp, const lanes *qq, const lanes *pq, struct rotation *r)
{
	const half *a = pp->of, *b = qq->of, *c = pq->of;
	floats h = narrow(c[0] + c[0], c[1] + c[1]), d = narrow(b[0] - a[0], b[1] - a[1]);
	masks sign = (d < 0) & INT32_MIN, turns = (floats)((masks)h & INT32_MAX) > SMALL;
	d = (floats)((masks)d & INT32_MAX);
	floats side = root(d * d + h * h), sum = d + side, t = h / (sum + root(2 * side * sum));
	r->tangent = widen((floats)(((masks)t ^ sign) & turns));
	for (int i = 0; i < HALVES; i++)
		r->sine.of[i] = 2 * r->tangent.of[i] / (1 + r->tangent.of[i] * r->tangent.of[i]);
	return any(turns);
}

INLINE void turn_half(half *a, half *b, half sine, half tangent)
{
	half x = *a, y = *b;
	*a = x - sine * (y + tangent * x);
	*b = y + sine * (x - tangent * y);
}

/* Two numbers of rows, or columns, p and q */
INLINE void turn(lanes *a, lanes *b, const struct rotation *r)
{
	for (int h = 0; h < HALVES; h++)
		turn_half(&a->of[h], &b->of[h], r->sine.of[h], r->tangent.of[h]);
}

INLINE void turn_rows(lanes *restrict a, lanes *restrict b, size_t n, const struct rotation *restrict r)
{
	const half sine[] = {r->sine.of[0], r->sine.of[1]}, tangent[] = {r->tangent.of[0], r->tangent.of[1]};
	for (size_t k = 0; k < n; k++) {
		turn_half(&a[k].of[0], &b[k].of[0], sine[0], tangent[0]);
		turn_half(&a[k].of[1], &b[k].of[1], sine[1], tangent[1]);
	}
}

/* Number (i,j) of a symmetric matrix of which the upper triangle is there */
INLINE lanes *at(lanes *A, size_t n, size_t i, size_t j)
{
	size_t other = (i ^ j) & -(size_t)(i > j); /* without a branch, which no processor could foretell */
	return A + (i ^ other) * n + (j ^ other);
}

/* The four numbers in which the rows of one rotation cross the columns of another */
INLINE void turn_crossing(lanes *A, size_t n, const struct rotation *r, const struct rotation *s)
{
	lanes *pp = at(A, n, r->p, s->p), *pq = at(A, n, r->p, s->q), *qp = at(A, n, r->q, s->p),
	      *qq = at(A, n, r->q, s->q);
	for (int h = 0; h < HALVES; h++) {
		half a = pp->of[h], b = pq->of[h], c = qp->of[h], d = qq->of[h];
		turn_half(&a, &c, r->sine.of[h], r->tangent.of[h]);
		turn_half(&b, &d, r->sine.of[h], r->tangent.of[h]);
		turn_half(&a, &b, s->sine.of[h], s->tangent.of[h]);
		turn_half(&c, &d, s->sine.of[h], s->tangent.of[h]);
		pp->of[h] = a, pq->of[h] = b, qp->of[h] = c, qq->of[h] = d;
	}
}

INLINE void turn_itself(lanes *A, size_t n, const struct rotation *r)
{
	lanes *pp = A + r->p * n + r->p, *pq = A + r->p * n + r->q, *qq = A + r->q * n + r->q;
	for (int h = 0; h < HALVES; h++) {
		half a = pp->of[h], b = pq->of[h], c = b, d = qq->of[h], sine = r->sine.of[h],
		     tangent = r->tangent.of[h];
		turn_half(&a, &c, sine, tangent);
		turn_half(&b, &d, sine, tangent);
		turn_half(&a, &b, sine, tangent);
		turn_half(&c, &d, sine, tangent);
		pp->of[h] = a, pq->of[h] = b, qq->of[h] = d;
	}
}

/* All pairs p < q with p + q = round (modulo n): they have no index in common, so that their angles
 * are found before any is turned. false: nothing was to be turned. */
INLINE bool turn_round(const struct eigen *e, size_t n, size_t round)
{
	lanes *A = (lanes *)(void *)e->A, *V = (lanes *)(void *)e->V;
	size_t m = 0, alone = 0;
	for (size_t p = 0; p < n; p++) {
		size_t q = round >= p ? round - p : round + n - p;
		struct rotation *r = &e->room[m];
		if (p > q)
			continue;
		if (p < q && find_rotation(&A[p * n + p], &A[q * n + q], &A[p * n + q], r)) {
			r->p = p;
			r->q = q;
			m++;
			continue;
		}
		e->alone[alone++] = p;
		if (p < q)
			e->alone[alone++] = q;
	}
	for (size_t i = 0; i < m; i++) {
		const struct rotation *r = &e->room[i];
		const size_t p = r->p, q = r->q;
		turn_itself(A, n, r);
		for (size_t j = i + 1; j < m; j++)
			turn_crossing(A, n, r, &e->room[j]);
		for (size_t j = 0; j < alone; j++)
			turn(at(A, n, p, e->alone[j]), at(A, n, q, e->alone[j]), r);
		turn_rows(&V[p * n], &V[q * n], n, r);
	}
	return m > 0;
}

/* false: something is left beside the diagonal after the last sweep. */
VECTOR_CLONES
static bool diagonalise(const struct eigen *e)
{
	size_t n = (size_t)e->n;
	bool turned = true;
	for (int sweep = 0; sweep < e->sweeps && turned; sweep++) {
		turned = false;
		for (size_t round = 0; round < n; round++)
			turned |= turn_round(e, n, round);
	}
	return !turned;
}

/* The lanes of which a number is not finite; top: the largest of each of the others. */
INLINE unsigned measure(eigen_lanes *A, size_t n, eigen_lanes top)
{
	eigen_lanes nothing = {0}; /* or not a number */
	unsigned bad = 0;
	for (size_t i = 0; i < n; i++)
		for (size_t j = i; j < n; j++)
			for (int l = 0; l < EIGEN_LANES; l++) {
				double x = fabs(A[i * n + j][l]);
				top[l] = x > top[l] ? x : top[l];
				nothing[l] += x - x;
			}
	for (int l = 0; l < EIGEN_LANES; l++)
		bad |= (unsigned)!(nothing[l] == 0) << l;
	return bad;
}

static void clear(eigen_lanes *x, size_t n, unsigned which)
{
	for (size_t i = 0; i < n; i++)
		for (int l = 0; l < EIGEN_LANES; l++)
			x[i][l] = which >> l & 1 ? 0 : x[i][l];
}

/* -0 becomes 0: which of them a lane has could tell whether its company was turned, where it is
 * turned by no angle. */
INLINE void drop_signs_of_zeros(eigen_lanes *x, size_t n)
{
	for (size_t i = 0; i < n; i++)
		for (int l = 0; l < EIGEN_LANES; l++)
			x[i][l] += 0;
}

/* x [n] times 2^exponent in each lane, in two steps because the power may be more than a double
 * holds. */
INLINE void scale(eigen_lanes *x, size_t n, const int *exponent)
{
	eigen_lanes first, second;
	for (int l = 0; l < EIGEN_LANES; l++) {
		first[l] = ldexp(1, exponent[l] / 2);
		second[l] = ldexp(1, exponent[l] - exponent[l] / 2);
	}
	for (size_t i = 0; i < n; i++)
		for (int l = 0; l < EIGEN_LANES; l++)
			x[i][l] = x[i][l] * first[l] * second[l];
}

/* The lanes in which something is left beside the diagonal. */
static unsigned not_diagonal(eigen_lanes *A, size_t n)
{
	unsigned bad = 0;
	for (size_t i = 0; i < n; i++)
		for (size_t j = i + 1; j < n; j++)
			for (int l = 0; l < EIGEN_LANES; l++)
				bad |= (unsigned)(fabs(A[i * n + j][l]) > (double)SMALL) << l;
	return bad;
}

static unsigned not_finite(eigen_lanes *x, size_t n)
{
	unsigned bad = 0;
	for (size_t i = 0; i < n; i++)
		for (int l = 0; l < EIGEN_LANES; l++)
			bad |= (unsigned)!isfinite(x[i][l]) << l;
	return bad;
}

VECTOR_CLONES
unsigned eigen_solve(const struct eigen *e)
{
	size_t n = (size_t)e->n;
	eigen_lanes top = {0};
	int down[EIGEN_LANES], up[EIGEN_LANES];
	unsigned bad = measure(e->A, n, top);
	if (bad)
		clear(e->A, n * n, bad);
	for (int l = 0; l < EIGEN_LANES; l++) {
		frexp(bad >> l & 1 ? 0 : top[l], &up[l]);
		down[l] = -up[l];
	}
	scale(e->A, n * n, down);
	memset(e->V, 0, n * n * sizeof *e->V);
	for (size_t i = 0; i < n; i++)
		for (int l = 0; l < EIGEN_LANES; l++)
			e->V[i * n + i][l] = 1;
	if (!diagonalise(e))
		bad |= not_diagonal(e->A, n);
	for (size_t i = 0; i < n; i++)
		memcpy(e->w[i], e->A[i * n + i], sizeof e->w[i]);
	scale(e->w, n, up);
	drop_signs_of_zeros(e->w, n);
	drop_signs_of_zeros(e->V, n * n);
	return bad | not_finite(e->w, n);
}

VECTOR_CLONES
void eigen_compose(const struct eigen *e)
{
	size_t n = (size_t)e->n;
	memset(e->A, 0, n * n * sizeof *e->A);
	for (size_t k = 0; k < n; k++)
		for (size_t i = 0; i < n; i++) {
			eigen_lanes *v = e->V + k * n;
			eigen_lanes part;
			for (int l = 0; l < EIGEN_LANES; l++)
				part[l] = e->w[k][l] * v[i][l];
			for (size_t j = i; j < n; j++)
				for (int l = 0; l < EIGEN_LANES; l++)
					e->A[i * n + j][l] += part[l] * v[j][l];
		}
}
