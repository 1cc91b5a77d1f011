/* What a step does to all numbers of a model once their gradient is there, by all threads: norm,
 * clipping, the optimizer.
 *
 * The slab is cut into blocks, each within one tensor: what is added up is added block by block, so
 * the bytes do not depend on the number of threads.
 */
#ifndef TRAIN_UPDATE_H
#define TRAIN_UPDATE_H

#include "base/pool.h"
#include "train/optimizer.h"

struct update;

struct update *update_new(
	const struct optimizer *, struct params *, struct pool *); /* the parameters it moves; borrowed */
void update_free(struct update *);

/* The norm of the whole gradient, without that of buffers, which no step moves; *bad (NULL: none)
 * names the first tensor where it is not finite, or too large for the second moment. */
double update_norm(struct update *, const real *gradient, const char **bad);

/* Clips the gradient of that norm to train.clip_norm, as the field's standard library clips: g *=
 * limit / (norm + 1e-6) when the norm is above the limit. Then the optimizer's step. Returns NULL,
 * or the name of the first tensor that would no longer be finite: then the parameters are as
 * before. */
const char *update_step(struct update *, real *gradient, real *const *state, const struct config *,
	double norm, double lr, long number);

#endif
