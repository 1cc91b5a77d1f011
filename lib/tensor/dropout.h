/* Which elements dropout takes: the one definition of every mask, for loops that compilers
 * vectorise.
 *
 *     uint32_t limit = dropout_limit(p);
 *     x = dropped(element, key, limit) ? 0 : x / (1 - p);
 *
 * An element is dropped when a hash of its number and the operation's key falls below the share p
 * of the 32-bit numbers.
 */
#ifndef TENSOR_DROPOUT_H
#define TENSOR_DROPOUT_H

#include "base/real.h"
#include "base/rng.h"

#include <stdbool.h>

static inline uint32_t dropout_limit(real p)
{
	return (uint32_t)((double)p * 4294967296.0);
}

static inline bool dropped(uint32_t element, uint32_t key, uint32_t limit)
{
	return rng_mix32(element * 0x9e3779b9U + key) < limit;
}

#endif
