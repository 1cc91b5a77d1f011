/* A mixture in the place of a feed-forward: a router, experts of equal shape whose tensors are stacked [E][..], and experts that
 * every token passes through (shared).
 *
 *     y_t = sum over the chosen e of g_te f_e(x_t)  +  sum over the shared s of f_s(x_t)
 *
 * Only what was chosen is computed: the tokens of an expert are gathered, worked on together, and their answers added at their
 * places. Beyond an expert's capacity (moe/capacity.h) places are dropped.
 */
#ifndef MOE_LAYER_H
#define MOE_LAYER_H

#include "moe/balance.h"
#include "moe/capacity.h"
#include "moe/choice.h"
#include "moe/expert.h"
#include "moe/expert_dropout.h"

struct mixture {
	const struct router_type *router;
	const struct expert_type *expert;
	struct router_shape route;
	struct expert_shape shape;
	int shared;
	struct capacity capacity;
	struct expert_dropout dropout;
	const struct weight *router_weight; /* in the order of declare */
	const struct weight *expert_weight; /* stacked */
	const struct weight *shared_weight; /* stacked */
	const struct ablation *ablation;    /* evaluation: experts left out; NULL: none */
};

/* Records the layer for x [B*N][H]. balance (NULL: not wanted) is added to; slope (NULL: no losses) is read in backward. The
 * choice is told to chosen (NULL: not wanted) and lives until the tape is reset. */
struct node *mixture_forward(struct tape *, struct node *x, const struct mixture *, struct balance *balance,
	const struct balance_slope *slope, struct choice *chosen);

#endif
