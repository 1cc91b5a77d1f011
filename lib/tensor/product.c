#include "tensor/product.h"

#include "base/profile.h"
#include "tensor/product_wide.h"
#include "tensor/vector.h"

#include <stdbool.h>

/* A tile is up to 4 rows of 3 vectors: 12 sums, 3 vectors of B and one number of A fill the 16
 * vector registers. Of one vector it has 8 rows: fewer sums would wait for each other. */
enum { ROWS = 8, VECTORS = 3 };

/* R and V are constants in each use, which unrolls the inner loops. */
INLINE void tile(const int R, const int V, int k, struct product_left A, const real *b, size_t ldb, real *c,
	size_t ldc, enum product_start from, const real *start)
{
	vec sum[ROWS][VECTORS];
	UNROLL for (int r = 0; r < R; r++) UNROLL for (int v = 0; v < V; v++) sum[r][v] =
		from == FROM_C      ? V_LOAD(c + (size_t)r * ldc + v * LANES)
		: from == FROM_ROWS ? V_SPLAT(start[r])
				    : (vec){0};
	for (int l = 0; l < k; l++) {
		vec right[VECTORS];
		UNROLL for (int v = 0; v < V; v++) right[v] = V_LOAD(b + (size_t)l * ldb + v * LANES);
		UNROLL for (int r = 0; r < R; r++)
		{
			vec left = V_SPLAT(A.a[(size_t)r * A.row + (size_t)l * A.step]);
			UNROLL for (int v = 0; v < V; v++) sum[r][v] += left * right[v];
		}
	}
	UNROLL for (int r = 0; r < R; r++) UNROLL for (int v = 0; v < V; v++)
		V_STORE(c + (size_t)r * ldc + v * LANES, sum[r][v]);
}

#define TILE_OF(R)                                                   \
	case R:                                                      \
		tile(R, vectors, k, A, b, ldb, c, ldc, from, start); \
		break;

/* All rows of C, `vectors` vectors of columns, R rows at a time. */
INLINE void columns(const int R, const int vectors, int m, int k, struct product_left A, const real *b,
	size_t ldb, real *c, size_t ldc, enum product_start from, const real *start)
{
	for (int i = 0; i < m; i += R) {
		switch (m - i < R ? m - i : R) {
			TILE_OF(1)
			TILE_OF(2)
			TILE_OF(3)
			TILE_OF(4)
			TILE_OF(5)
			TILE_OF(6)
			TILE_OF(7)
			TILE_OF(8)
		}
		A.a += (size_t)R * A.row;
		c += (size_t)R * ldc;
		start = from == FROM_ROWS ? start + R : start;
	}
}

/* Fewer columns than a vector has: B and C through buffers that have whole ones. */
INLINE void last_columns(int m, int n, int k, struct product_left A, const real *b, size_t ldb, real *c,
	size_t ldc, enum product_start from, const real *start)
{
	enum { PART = 128 };
	real right[PART * LANES] = {0}, part[LANES] = {0};
	for (int done = 0; done < k || done == 0; done += PART) {
		int some = k - done < PART ? k - done : PART;
		for (int l = 0; l < some; l++)
			for (int j = 0; j < n; j++)
				right[l * LANES + j] = b[(size_t)(done + l) * ldb + (size_t)j];
		for (int i = 0; i < m; i++) {
			real *to = c + (size_t)i * ldc;
			for (int j = 0; j < n; j++)
				part[j] = from == FROM_C || done ? to[j] : from == FROM_ROWS ? start[i] : 0;
			struct product_left row = {
				A.a + (size_t)i * A.row + (size_t)done * A.step, A.row, A.step};
			tile(1, 1, some, row, right, LANES, part, LANES, FROM_C, NULL);
			for (int j = 0; j < n; j++)
				to[j] = part[j];
		}
	}
}

VECTOR_CLONES
static void product_narrow(int m, int n, int k, struct product_left A, const real *B, size_t ldb, real *C,
	size_t ldc, enum product_start from, const real *start)
{
	int j = 0, whole = n / LANES;
	while (whole >
		0) { /* four left are two pairs, not three and one: a single one would wait for its sums */
		int vectors = whole == 4 || whole == 2 ? 2 : whole < VECTORS ? whole : VECTORS;
		const real *b = B + j;
		real *c = C + j;
		if (vectors == 3)
			columns(4, 3, m, k, A, b, ldb, c, ldc, from, start);
		else if (vectors == 2)
			columns(6, 2, m, k, A, b, ldb, c, ldc, from, start);
		else
			columns(8, 1, m, k, A, b, ldb, c, ldc, from, start);
		j += vectors * LANES;
		whole -= vectors;
	}
	if (j < n)
		last_columns(m, n - j, k, A, B + j, ldb, C + j, ldc, from, start);
}

void product(int m, int n, int k, struct product_left A, const real *B, size_t ldb, real *C, size_t ldc,
	enum product_start from, const real *start)
{
	PROFILE_PART("product");
	int whole = product_has_wide() ? n / LANES * LANES : 0;
	if (whole)
		product_wide(m, whole, k, A, B, ldb, C, ldc, from, start);
	if (whole < n)
		product_narrow(m, n - whole, k, A, B + whole, ldb, C + whole, ldc, from, start);
}

/* 2 rows of X against 4 of Y: eight sums hide the latency of the additions */
INLINE void row_tile(const int R, const int S, int k, const real *x, size_t ldx, const real *y, size_t ldy,
	real *c, size_t ldc)
{
	vec sum[2][4] = {{{0}}};
	for (int l = 0; l < k; l += LANES) {
		vec left[2];
		UNROLL for (int r = 0; r < R; r++) left[r] = V_LOAD(x + (size_t)r * ldx + (size_t)l);
		UNROLL for (int j = 0; j < S; j++)
		{
			vec right = V_LOAD(y + (size_t)j * ldy + (size_t)l);
			UNROLL for (int r = 0; r < R; r++) sum[r][j] += left[r] * right;
		}
	}
	UNROLL for (int r = 0; r < R; r++) UNROLL for (int j = 0; j < S; j++) c[(size_t)r * ldc + (size_t)j] =
		v_sum(sum[r][j]);
}

VECTOR_CLONES
void row_products(
	int m, int n, int k, const real *X, size_t ldx, const real *Y, size_t ldy, real *C, size_t ldc)
{
	PROFILE_PART("product");
	for (int i = 0; i < m; i += 2)
		for (int j = 0; j < n; j += 4) {
			const real *x = X + (size_t)i * ldx, *y = Y + (size_t)j * ldy;
			real *c = C + (size_t)i * ldc + (size_t)j;
			if (i + 2 <= m && j + 4 <= n)
				row_tile(2, 4, k, x, ldx, y, ldy, c, ldc);
			else if (j + 4 <= n)
				row_tile(1, 4, k, x, ldx, y, ldy, c, ldc);
			else
				for (int r = i; r < m && r < i + 2; r++)
					for (int s = j; s < n; s++)
						row_tile(1, 1, k, X + (size_t)r * ldx, ldx,
							Y + (size_t)s * ldy, ldy,
							C + (size_t)r * ldc + (size_t)s, ldc);
		}
}

/* LANES vectors turned into their columns: pairs of numbers change places, then pairs of pairs,
 * then halves. */
INLINE void turn_square(vec v[LANES])
{
	vec a[LANES], b[LANES];
#ifdef REAL_DOUBLE
	UNROLL for (int i = 0; i < LANES; i += 2)
	{
		a[i] = __builtin_shufflevector(v[i], v[i + 1], 0, 4, 2, 6);
		a[i + 1] = __builtin_shufflevector(v[i], v[i + 1], 1, 5, 3, 7);
	}
	UNROLL for (int i = 0; i < 2; i++)
	{
		b[i] = __builtin_shufflevector(a[i], a[i + 2], 0, 1, 4, 5);
		b[i + 2] = __builtin_shufflevector(a[i], a[i + 2], 2, 3, 6, 7);
	}
	UNROLL for (int i = 0; i < LANES; i++) v[i] = b[i];
#else
	UNROLL for (int i = 0; i < LANES; i += 2)
	{
		a[i] = __builtin_shufflevector(v[i], v[i + 1], 0, 8, 1, 9, 4, 12, 5, 13);
		a[i + 1] = __builtin_shufflevector(v[i], v[i + 1], 2, 10, 3, 11, 6, 14, 7, 15);
	}
	UNROLL for (int i = 0; i < LANES; i += 4) UNROLL for (int j = 0; j < 2; j++)
	{
		b[i + 2 * j] = __builtin_shufflevector(a[i + j], a[i + j + 2], 0, 1, 8, 9, 4, 5, 12, 13);
		b[i + 2 * j + 1] =
			__builtin_shufflevector(a[i + j], a[i + j + 2], 2, 3, 10, 11, 6, 7, 14, 15);
	}
	UNROLL for (int i = 0; i < LANES / 2; i++)
	{
		v[i] = __builtin_shufflevector(b[i], b[i + 4], 0, 1, 2, 3, 8, 9, 10, 11);
		v[i + 4] = __builtin_shufflevector(b[i], b[i + 4], 4, 5, 6, 7, 12, 13, 14, 15);
	}
#endif
}

/* The square, or what is left of one, at row i and column j. */
INLINE void turn_part(int i, int j, int m, int n, const real *restrict x, size_t ldx, real *restrict to,
	size_t ldto, const bool add)
{
	x += (size_t)i * ldx + (size_t)j;
	to += (size_t)j * ldto + (size_t)i;
	if (i + LANES <= m && j + LANES <= n) {
		vec v[LANES];
		UNROLL for (int r = 0; r < LANES; r++) v[r] = V_LOAD(x + (size_t)r * ldx);
		turn_square(v);
		UNROLL for (int c = 0; c < LANES; c++)
			V_STORE(to + (size_t)c * ldto, add ? V_LOAD(to + (size_t)c * ldto) + v[c] : v[c]);
		return;
	}
	for (int c = 0; c < LANES && j + c < n; c++)
		for (int r = 0; r < LANES && i + r < m; r++) {
			real *one = to + (size_t)c * ldto + (size_t)r;
			real value = x[(size_t)r * ldx + (size_t)c];
			*one = add ? *one + value : value;
		}
}

/* Along the rows of the side whose rows are further apart: of these fewer find room in the first
 * cache. */
INLINE void transposed(
	int m, int n, const real *restrict x, size_t ldx, real *restrict to, size_t ldto, const bool add)
{
	if (ldx > ldto)
		for (int i = 0; i < m; i += LANES)
			for (int j = 0; j < n; j += LANES)
				turn_part(i, j, m, n, x, ldx, to, ldto, add);
	else
		for (int j = 0; j < n; j += LANES)
			for (int i = 0; i < m; i += LANES)
				turn_part(i, j, m, n, x, ldx, to, ldto, add);
}

VECTOR_CLONES
void transpose(int m, int n, const real *x, size_t ldx, real *to, size_t ldto)
{
	PROFILE_PART("transposition");
	transposed(m, n, x, ldx, to, ldto, false);
}

VECTOR_CLONES
void add_transposed(int m, int n, const real *x, size_t ldx, real *to, size_t ldto)
{
	PROFILE_PART("transposition");
	transposed(m, n, x, ldx, to, ldto, true);
}

VECTOR_CLONES
void add_rows(int m, int n, const real *restrict x, real *restrict sum)
{
	for (int i = 0; i < m; i++)
		for (int j = 0; j < n; j++)
			sum[j] += x[(size_t)i * (size_t)n + (size_t)j];
}
