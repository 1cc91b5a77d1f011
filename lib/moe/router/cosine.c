/* cosine: topk over z_e = scale (P x / |P x|) . (u_e / |u_e|), scale = exp(log_scale), at most 100,
 * starting at 2 (Chi et al. 2022, "On the representation collapse of sparse MoE layer of experts").
 * The temperature is the learned scale. */
#include "moe/router.h"

#include <math.h>

extern const struct router_type router_cosine;

static int declare(const struct router_shape *s, struct tensor_plan plan[ROUTER_TENSORS])
{
	plan[0] = (struct tensor_plan){"projection.weight", 2, s->dim, s->H, START_FAN_IN, s->H};
	plan[1] = (struct tensor_plan){"embedding.weight", 2, s->E, s->dim, START_NORMAL, 0.01};
	plan[2] = (struct tensor_plan){"log_scale", 1, 1, 0, START_CONSTANT, 0.69314718055994530942};
	return 3;
}

static void choose(struct tape *t, struct node *x, const struct weight w[ROUTER_TENSORS],
	const struct router_shape *s, struct choice *c)
{
	struct node *u = op_linear(t, x, w[0], (struct weight){0}, s->dim);
	c->logits = op_cosine(t, u, w[1], s->E, w[2], true);
	router_top(t, router_score(t, c->logits, s, c), s, c);
}

const struct router_type router_cosine = {.name = "cosine",
	.help = "As topk, by the cosine between token and expert in a space of moe.router_dim "
		"dimensions: z_e = scale (P x / |P x|) . (u_e / |u_e|), with a learned map P "
		"and a learned embedding u_e of each expert (Chi et al. 2022, \"On the "
		"representation collapse of sparse mixture of experts\"). The scale is learned "
		"in the place of a temperature; it starts at 2 and is 100 at most.",
	.keys = "moe.router_dim",
	.sends = true,
	.ranks = true,
	.logits = true,
	.learns = true,
	.declare = declare,
	.choose = choose};
