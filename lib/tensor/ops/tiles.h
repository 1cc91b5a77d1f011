/* Inner header of the feed-forward operations: how their hidden layer is worked on tile by tile.
 *
 * Everything is kept transposed, units or features down and rows along, so that vectors run along the rows and the weights are
 * read as they stand. A tile is TILE hidden units of GROUP rows; what is made of it stays in the first two caches.
 */
#ifndef TENSOR_OPS_TILES_H
#define TENSOR_OPS_TILES_H

#include "base/rng.h"
#include "tensor/activation.h"
#include "tensor/product.h"
#include "tensor/tape.h"

#include <string.h>

enum { TILE = 128, GROUP = 6 * LANES };

/* [H][P] of x [rows][H], zeros beyond the rows; scratch. */
static inline real *transposed(struct tape *t, const real *x, int rows, int P, int H)
{
	real *to = scratch_reals(t, (size_t)H * (size_t)P);
	transpose(rows, H, x, (size_t)H, to, (size_t)P);
	for (int j = 0; j < H; j++)
		memset(to + (size_t)j * (size_t)P + rows, 0, (size_t)(P - rows) * sizeof(real));
	return to;
}

/* Where a tile's dropout mask stands in its operation's sequence: unit f of row j has element first + f + j F. */
struct mask {
	real p;
	uint32_t key, first, F;
};

/* sum [m] (rows `step` apart) += x [m][GROUP], n of each row */
VECTOR_CLONES
static void add_doubles(double *restrict sum, size_t step, const real *restrict x, int m, int n)
{
	for (int i = 0; i < m; i++)
		for (int j = 0; j < n; j++)
			sum[(size_t)i * step + (size_t)j] += (double)x[i * GROUP + j];
}

#endif
