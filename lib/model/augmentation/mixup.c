/* mixup: share x + (1 - share) y with another window y of the batch, share the larger of s and 1 -
 * s, s from Beta(amount, amount); the loss weighs both labels likewise (Zhang, Cisse, Dauphin,
 * Lopez-Paz, ICLR 2018). */
#include "model/augmentation.h"

#include "base/mem.h"

#include <stdlib.h>

extern const struct augmentation augmentation_mixup;

static void pair(double amount, uint64_t seed, uint64_t step, int B, int *partner, real *share)
{
	struct rng order = rng_stream(seed, "augment mixup", step, 0);
	int64_t *p = NEW_ARRAY(int64_t, B);
	rng_permutation(&order, p, B);
	for (int b = 0; b < B; b++) {
		struct rng r = rng_stream(seed, "augment share", step, (uint64_t)b);
		double s = rng_beta(&r, amount, amount);
		partner[b] = (int)p[b];
		share[b] = p[b] == b ? 1 : (real)(s > 0.5 ? s : 1 - s);
	}
	free(p);
}

const struct augmentation augmentation_mixup = {.name = "mixup", .min = 0.05, .max = 100, .pair = pair};
