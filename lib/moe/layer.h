/* A MoE layer in the place of a feed-forward: a router, experts whose tensors are stacked, type by
 * type, and experts that every token passes through (shared).
 *
 *     y_t = sum over the chosen e of g_te f_e(x_t)  +  sum over the shared s of f_s(x_t)
 *
 * With a residual expert r the token's weights are softmax(Wc x), two numbers: c_1 f_r(x) + c_2
 * (all of the above) (PR-MoE, Rajbhandari et al. 2022).
 *
 * What is routed is a token, or a unit of several tokens: the router reads the mean of its tokens,
 * and all of them go where it goes.
 *
 * Only what was chosen is computed: the tokens of an expert are gathered, worked on together, and
 * their answers added at their places. Beyond an expert's capacity (moe/capacity.h) places are
 * dropped.
 */
#ifndef MOE_LAYER_H
#define MOE_LAYER_H

#include "moe/balance.h"
#include "moe/capacity.h"
#include "moe/choice.h"
#include "moe/expert.h"
#include "moe/expert_dropout.h"
#include "moe/ordered_sum.h"

/* Experts of one type: numbers first .. first + count - 1, tensors stacked [count][..] in the order
 * of declare. */
struct expert_part {
	const struct expert_type *type;
	int first, count;
	const struct weight *weight;
};

struct moe_layer {
	const struct router_type *router;
	struct router_shape route; /* its N are units */
	struct expert_shape shape;
	int parts;
	struct expert_part part[EXPERT_KINDS];
	int N, globals;  /* tokens of a window, and how many of them, in front, have no time */
	const int *unit; /* [N] the unit of each token; NULL: each is one by itself */
	const struct weight *router_weight;   /* in the order of declare */
	struct expert_part shared;            /* of type ffn */
	const struct expert_type *residual;   /* NULL: no residual expert */
	const struct weight *residual_weight; /* its tensors */
	struct weight coefficient;            /* [2][H] */
	struct capacity capacity;
	struct expert_dropout dropout;
	const int *scope; /* [B] the scope of the balance losses each window counts for; NULL: all for one */
	struct ordered_sum *ordered_sum; /* routed experts' gradients; NULL: no other chunk adds to them */
	bool announces;                  /* see moe/ordered_sum.h */
	const struct ablation *ablation; /* evaluation: experts left out; NULL: none */
};

/* Records the layer for x [B*N][H]. balance (NULL: not wanted) is added to; slope (NULL: no losses)
 * is read in backward. The choice is written to chosen (NULL: not wanted) and lives until the tape
 * is reset. */
struct node *moe_layer_forward(struct tape *, struct node *x, const struct moe_layer *,
	struct balance *balance, const struct balance_slope *slope, struct choice *chosen);

#endif
