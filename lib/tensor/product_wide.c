#include "tensor/product_wide.h"

#include "base/error.h"
#include "tensor/vector.h"

#ifdef HAS_CLONES

#define WIDE_TARGET __attribute__((target("arch=x86-64-v4")))

typedef real wide __attribute__((vector_size(64)));
typedef real wide_unaligned __attribute__((vector_size(64), aligned(sizeof(real)), may_alias));

#define W_LOAD(p)     ((wide)(*(const wide_unaligned *)(p)))
#define W_STORE(p, v) (*(wide_unaligned *)(p) = (wide_unaligned)(v))

enum { ROWS = 12, WIDE = 2 * LANES };

bool product_has_wide(void)
{
	return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
	       __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
	       __builtin_cpu_supports("avx512vl");
}

/* R rows of V wide vectors, and a narrow one after them when `half`: R (V + half) sums of at most
 * 24, of 32 registers. */
INLINE void tile(const int R, const int V, const bool half, int k, struct product_left A, const real *b,
	size_t ldb, real *c, size_t ldc, enum product_start from, const real *start)
{
	wide sum[ROWS][3];
	vec rest[ROWS];
	UNROLL_12 for (int r = 0; r < R; r++)
	{
		const real *at = c + (size_t)r * ldc;
		UNROLL for (int v = 0; v < V; v++) sum[r][v] = from == FROM_C      ? W_LOAD(at + v * WIDE)
							       : from == FROM_ROWS ? start[r] - (wide){0}
										   : (wide){0};
		if (half)
			rest[r] = from == FROM_C      ? V_LOAD(at + V * WIDE)
				  : from == FROM_ROWS ? V_SPLAT(start[r])
						      : (vec){0};
	}
	for (int l = 0; l < k; l++, b += ldb) {
		wide right[3];
		vec last = {0};
		UNROLL for (int v = 0; v < V; v++) right[v] = W_LOAD(b + v * WIDE);
		if (half)
			last = V_LOAD(b + V * WIDE);
		UNROLL_12 for (int r = 0; r < R; r++)
		{
			real a = A.a[(size_t)r * A.row + (size_t)l * A.step];
			wide left = a - (wide){0};
			UNROLL for (int v = 0; v < V; v++) sum[r][v] += left * right[v];
			if (half)
				rest[r] += V_SPLAT(a) * last;
		}
	}
	UNROLL_12 for (int r = 0; r < R; r++)
	{
		real *at = c + (size_t)r * ldc;
		UNROLL for (int v = 0; v < V; v++) W_STORE(at + v * WIDE, sum[r][v]);
		if (half)
			V_STORE(at + V * WIDE, rest[r]);
	}
}

#define TILE_OF(R)                                                   \
	case R:                                                      \
		tile(R, V, half, k, A, b, ldb, c, ldc, from, start); \
		break;

/* All rows of C, R at a time. */
INLINE void columns(const int R, const int V, const bool half, int m, int k, struct product_left A,
	const real *b, size_t ldb, real *c, size_t ldc, enum product_start from, const real *start)
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
			TILE_OF(9)
			TILE_OF(10)
			TILE_OF(11)
			TILE_OF(12)
		}
		A.a += (size_t)R * A.row;
		c += (size_t)R * ldc;
		start = from == FROM_ROWS ? start + R : start;
	}
}

WIDE_TARGET
void product_wide(int m, int n, int k, struct product_left A, const real *b, size_t ldb, real *c, size_t ldc,
	enum product_start from, const real *start)
{
	for (int left = n / LANES, done; left > 0; left -= done, b += done * LANES, c += done * LANES) {
		int vectors = left / 2;
		done = left;
		if (left == 1) {
			columns(12, 0, true, m, k, A, b, ldb, c, ldc, from, start);
		} else if (vectors >= 3 && left != 8) {
			done = vectors == 3 ? left : 6; /* seven: with the narrow one */
			if (done == 7)
				columns(6, 3, true, m, k, A, b, ldb, c, ldc, from, start);
			else
				columns(8, 3, false, m, k, A, b, ldb, c, ldc, from, start);
		} else {
			done = left == 8 ? 4 : left;
			if (done == 5)
				columns(8, 2, true, m, k, A, b, ldb, c, ldc, from, start);
			else if (done == 4)
				columns(12, 2, false, m, k, A, b, ldb, c, ldc, from, start);
			else if (done == 3)
				columns(12, 1, true, m, k, A, b, ldb, c, ldc, from, start);
			else
				columns(12, 1, false, m, k, A, b, ldb, c, ldc, from, start);
		}
	}
}

#else

bool product_has_wide(void)
{
	return false;
}

void product_wide(int m, int n, int k, struct product_left A, const real *b, size_t ldb, real *c, size_t ldc,
	enum product_start from, const real *start)
{
	(void)m, (void)n, (void)k, (void)A, (void)b, (void)ldb, (void)c, (void)ldc, (void)from, (void)start;
	must(false);
}

#endif
