/* soft_moe: z = (x / |x|) . (scale phi / |phi|) for the slots phi [E * slots]; a slot is the mean
 * of the window's tokens by softmax of z over the tokens, an expert works on its slots, and a token
 * gets the mean of their answers by softmax of z over the slots (Puigcerver et al. 2023, equations
 * 1 to 3 and section 2.3). */
#include "moe/router.h"

extern const struct router_type router_soft_moe;

static int declare(const struct router_shape *s, struct tensor_plan plan[ROUTER_TENSORS])
{
	plan[0] = (struct tensor_plan){"slots.weight", 2, s->E * s->slots, s->H, START_FAN_IN, s->H};
	plan[1] = (struct tensor_plan){"scale", 1, 1, 0, START_CONSTANT, 1};
	return 2;
}

static void choose(struct tape *t, struct node *x, const struct weight w[ROUTER_TENSORS],
	const struct router_shape *s, struct choice *c)
{
	struct node *z = op_cosine(t, x, w[0], s->E * s->slots, w[1], false);
	c->dispatch = op_softmax_rows(t, z, s->pool);
	c->combine = op_softmax(t, z, 1);
}

static double every_expert(const struct router_shape *s)
{
	return s->E;
}

const struct router_type router_soft_moe = {.name = "soft_moe",
	.help = "Experts work on weighted means of tokens, called slots, and not on single "
		"tokens (Puigcerver et al. 2023, equations 1 to 3 and section 2.3). With an "
		"embedding phi of each slot, z = (x / |x|) . (scale phi / |phi|). A slot is the"
		" mean of the window's tokens, weighted by the softmax of z over the tokens; a "
		"token's result is the mean of what the experts make of the slots, weighted by "
		"the softmax of z over the slots.",
	.keys = "moe.slots",
	.learns = true,
	.pools = true,
	.mixes = true,
	.experts_per_token = every_expert,
	.declare = declare,
	.choose = choose};
