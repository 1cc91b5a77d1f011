/* Expert dropout: in training whole experts are left out for a batch, so that no token comes to
 * rely on one (expert dropout of MoE layers; the weights of a token's others are divided by their
 * sum when they summed to 1 before).
 *
 * An expert is left out with probability p, the same for all tokens of a batch; a token whose
 * experts all would go keeps the first of its choice, the one that counts most.
 */
#ifndef MOE_EXPERT_DROPOUT_H
#define MOE_EXPERT_DROPOUT_H

#include "moe/router.h"

struct expert_dropout {
	double p;     /* 0: off */
	uint64_t key; /* of (seed, step, region, layer) */
};

/* Takes experts out of a choice whose weights are there. */
void expert_dropout(struct tape *, struct choice *, int E, const struct expert_dropout *);

#endif
