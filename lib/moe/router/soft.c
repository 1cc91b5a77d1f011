/* soft: every expert, weighted by softmax(x W^T / temperature): dense gating, the most an MoE layer
 * can cost */
#include "moe/router.h"

extern const struct router_type router_soft;

static void choose(struct tape *t, struct node *x, const struct weight w[ROUTER_TENSORS],
	const struct router_shape *s, struct choice *c)
{
	int *all = tape_take(t, (size_t)x->rows * (size_t)s->E * sizeof *all);
	for (int i = 0; i < x->rows; i++)
		for (int e = 0; e < s->E; e++)
			all[i * s->E + e] = e;
	c->logits = router_linear(t, x, w, s);
	c->probability = op_softmax(t, c->logits, 1);
	c->k = s->E;
	c->expert = all;
	c->weight = c->probability;
	c->share = true;
}

static double every_expert(const struct router_shape *s)
{
	return s->E;
}

const struct router_type router_soft = {.name = "soft",
	.help = "Every token goes to all experts, weighted by softmax(W x / temperature). This "
		"is dense gating, the most expensive way to use a mixture.",
	.linear = true,
	.logits = true,
	.learns = true,
	.experts_per_token = every_expert,
	.declare = router_linear_tensors,
	.choose = choose};
