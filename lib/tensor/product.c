#include "tensor/product.h"

#include "base/profile.h"
#include "tensor/vector.h"

#include <stdbool.h>

/* A tile is up to 4 rows of 3 vectors: 12 sums, 3 vectors of B and one number of A fill the 16 vector registers. */
enum { ROWS = 4, VECTORS = 3 };

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

#define FOR_ROWS(V)                                            \
	switch (rows) {                                        \
	case 1:                                                \
		tile(1, V, k, A, b, ldb, c, ldc, from, start); \
		break;                                         \
	case 2:                                                \
		tile(2, V, k, A, b, ldb, c, ldc, from, start); \
		break;                                         \
	case 3:                                                \
		tile(3, V, k, A, b, ldb, c, ldc, from, start); \
		break;                                         \
	default:                                               \
		tile(4, V, k, A, b, ldb, c, ldc, from, start); \
	}

/* All rows of C, `vectors` vectors of columns. */
INLINE void columns(const int vectors, int m, int k, struct product_left A, const real *b, size_t ldb,
	real *c, size_t ldc, enum product_start from, const real *start)
{
	for (int i = 0; i < m; i += ROWS) {
		int rows = m - i < ROWS ? m - i : ROWS;
		FOR_ROWS(vectors)
		A.a += ROWS * A.row;
		c += ROWS * ldc;
		start = from == FROM_ROWS ? start + ROWS : start;
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
void product(int m, int n, int k, struct product_left A, const real *B, size_t ldb, real *C, size_t ldc,
	enum product_start from, const real *start)
{
	PROFILE_PART("product");
	int j = 0, whole = n / LANES;
	while (whole >
		0) { /* four left are two pairs, not three and one: a single one would wait for its sums */
		int vectors = whole == 4 || whole == 2 ? 2 : whole < VECTORS ? whole : VECTORS;
		const real *b = B + j;
		real *c = C + j;
		if (vectors == 3)
			columns(3, m, k, A, b, ldb, c, ldc, from, start);
		else if (vectors == 2)
			columns(2, m, k, A, b, ldb, c, ldc, from, start);
		else
			columns(1, m, k, A, b, ldb, c, ldc, from, start);
		j += vectors * LANES;
		whole -= vectors;
	}
	if (j < n)
		last_columns(m, n - j, k, A, B + j, ldb, C + j, ldc, from, start);
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

/* Blocks of 8 x 8, so that whole cache lines are read and written. */
INLINE void transposed(
	int m, int n, const real *restrict x, size_t ldx, real *restrict to, size_t ldto, const bool add)
{
	enum { BLOCK = 8 };
	for (int i = 0; i < m; i += BLOCK)
		for (int j = 0; j < n; j += BLOCK) {
			int rows = m - i < BLOCK ? m - i : BLOCK, cols = n - j < BLOCK ? n - j : BLOCK;
			for (int c = 0; c < cols; c++)
				for (int r = 0; r < rows; r++) {
					real *at = to + (size_t)(j + c) * ldto + (size_t)(i + r);
					real value = x[(size_t)(i + r) * ldx + (size_t)(j + c)];
					*at = add ? *at + value : value;
				}
		}
}

void transpose(int m, int n, const real *x, size_t ldx, real *to, size_t ldto)
{
	transposed(m, n, x, ldx, to, ldto, false);
}

void add_transposed(int m, int n, const real *x, size_t ldx, real *to, size_t ldto)
{
	transposed(m, n, x, ldx, to, ldto, true);
}

VECTOR_CLONES
void add_rows(int m, int n, const real *restrict x, real *restrict sum)
{
	for (int i = 0; i < m; i++)
		for (int j = 0; j < n; j++)
			sum[j] += x[(size_t)i * (size_t)n + (size_t)j];
}
