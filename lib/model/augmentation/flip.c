/* flip: the sign of all samples is turned, with this probability. */
#include "model/augmentation.h"

extern const struct augmentation augmentation_flip;

static void flip(const struct augmentation_view *v)
{
	struct rng r = augmentation_draws(v, "augment flip", -1);
	if (rng_uniform(&r) < v->amount)
		for (int i = 0; i < v->there * v->W; i++)
			v->x[i] = -v->x[i];
}

const struct augmentation augmentation_flip = {
	.name = "flip", .signs = true, .min = 1e-3, .max = 1, .change = flip};
