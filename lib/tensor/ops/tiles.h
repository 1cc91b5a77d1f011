/* Inner header of the feed-forward operations: how their hidden layer is worked on tile by tile.
 *
 * Everything is kept transposed, units or features down and rows along, so that vectors run along
 * the rows and the weights are read as they stand. A tile is TILE hidden units of GROUP rows; what
 * is made of it stays in the first two caches.
 */
#ifndef TENSOR_OPS_TILES_H
#define TENSOR_OPS_TILES_H

#include "tensor/activation.h"
#include "tensor/dropout.h"
#include "tensor/product.h"
#include "tensor/tape.h"

#include <string.h>

enum { TILE = 128, GROUP = 6 * LANES };

/* P rows, whole vectors, in as few groups as there must be, of about equal size. */
INLINE int group_rows(int P)
{
	int groups = (P + GROUP - 1) / GROUP;
	return groups ? whole_vectors((P + groups - 1) / groups) : GROUP;
}

/* [H][P] of x [rows][H], zeros beyond the rows; scratch. */
static inline real *transposed(struct tape *t, const real *x, int rows, int P, int H)
{
	real *to = scratch_reals(t, (size_t)H * (size_t)P);
	transpose(rows, H, x, (size_t)H, to, (size_t)P);
	for (int j = 0; j < H; j++)
		memset(to + (size_t)j * (size_t)P + rows, 0, (size_t)(P - rows) * sizeof(real));
	return to;
}

/* Where a tile's dropout mask stands in its operation's sequence: unit f of row j has element first
 * + f + j F. */
struct mask {
	real p;
	uint32_t key, first, F;
};

INLINE uint32_t mask_element(const struct mask *m, int f, int j)
{
	return m->first + (uint32_t)f + (uint32_t)j * m->F;
}

/* The mask of unit f: mask [n] = 0 or 1 / (1 - p) */
INLINE void draw(real *mask, int n, int f, const struct mask *m)
{
	uint32_t limit = dropout_limit(m->p);
	real keep = 1 / (1 - m->p);
	for (int j = 0; j < n; j++)
		mask[j] = dropped(mask_element(m, f, j), m->key, limit) ? 0 : keep;
}

/* The sums [H][P] that the tiles' shares of the answer are added to, in double: they add up without
 * loss. They start at b [H]. */
static inline double *sums_new(struct tape *t, const real *b, int H, int P)
{
	double *sum = arena_take(t->scratch, (size_t)H * (size_t)P * sizeof *sum);
	for (int j = 0; j < H; j++)
		for (int i = 0; i < P; i++)
			sum[(size_t)j * (size_t)P + (size_t)i] = (double)b[j];
	return sum;
}

/* sum [m] (rows `step` apart) += x [m][GROUP], n of each row */
VECTOR_CLONES
static void add_doubles(double *restrict sum, size_t step, const real *restrict x, int m, int n)
{
	for (int i = 0; i < m; i++)
		for (int j = 0; j < n; j++)
			sum[(size_t)i * step + (size_t)j] += (double)x[i * GROUP + j];
}

/* y [rows][H] = the sums, rounded */
static inline void sums_out(const double *sum, int H, int P, real *y, int rows)
{
	for (int i = 0; i < rows; i++)
		for (int j = 0; j < H; j++)
			y[(size_t)i * (size_t)H + (size_t)j] = (real)sum[(size_t)j * (size_t)P + (size_t)i];
}

#endif
