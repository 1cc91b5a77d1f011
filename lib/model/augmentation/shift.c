/* shift: the samples go round by up to so much time, what leaves at one end coming in at the
 * other. */
#include "model/augmentation.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

extern const struct augmentation augmentation_shift;

static void shift(const struct augmentation_view *v)
{
	struct rng r = augmentation_draws(v, "augment shift", -1);
	int most = augmentation_samples(v->amount, v->rate),
	    by = (int)rng_below(&r, 2 * (uint64_t)most + 1) - most;
	size_t row = (size_t)v->W * sizeof *v->x,
	       head = (size_t)(((by % v->there) + v->there) % v->there) * row, all = (size_t)v->there * row;
	char *x = (char *)v->x, *old = mem_new(1, all);
	memcpy(old, x, all);
	memcpy(x, old + head, all - head);
	memcpy(x + all - head, old, head);
	free(old);
}

const struct augmentation augmentation_shift = {
	.name = "shift", .seconds = true, .min = 1e-4, .max = 3600, .change = shift};
