/* channels: each channel is 0 throughout, with this probability. */
#include "model/augmentation.h"

extern const struct augmentation augmentation_channels;

static void channels(const struct augmentation_view *v)
{
	for (int j = 0; j < v->W; j++) {
		struct rng r = augmentation_draws(v, "augment channels", v->channel[j]);
		bool gone = v->channel[j] >= 0 && rng_uniform(&r) < v->amount;
		for (int t = 0; t < v->there && gone; t++)
			v->x[(size_t)t * (size_t)v->W + (size_t)j] = 0;
	}
}

const struct augmentation augmentation_channels = {
	.name = "channels", .min = 1e-3, .max = 0.95, .change = channels};
