/* mask: a segment of so much time is 0 in all channels. */
#include "model/augmentation.h"

#include <string.h>

extern const struct augmentation augmentation_mask;

static void mask(const struct augmentation_view *v)
{
	struct rng r = augmentation_draws(v, "augment mask", -1);
	int n = augmentation_samples(v->amount, v->rate);
	n = n < v->there ? n : v->there;
	size_t from = (size_t)rng_below(&r, (uint64_t)(v->there - n + 1));
	memset(v->x + from * (size_t)v->W, 0, (size_t)n * (size_t)v->W * sizeof *v->x);
}

const struct augmentation augmentation_mask = {
	.name = "mask", .seconds = true, .min = 1e-4, .max = 3600, .change = mask};
