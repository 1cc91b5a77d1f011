/* Sums over many items by several threads, the same to the last bit however many there are: blocks
 * of items are added up apart, and the blocks in their order. */
#ifndef BASE_SUM_H
#define BASE_SUM_H

#include "base/mem.h"
#include "base/pool.h"

#include <stdint.h>

enum { SUM_BLOCK = 64 }; /* items of a block: one thread takes them, in their order */

/* Adds what there is of item i to sum [width]. scratch is empty and this thread's own. */
typedef void sum_add(void *context, int64_t i, struct arena *scratch, double *sum);

/* total [width] += the sum over the items 0 .. n-1. */
void sum_items(struct pool *pool, int64_t n, sum_add *add, void *context, int width, double *total);

#endif
