/* topk: p = softmax(x W^T / temperature); the k most probable experts, weighted by p over the sum
 * of the chosen p (Shazeer et al. 2017, Mixtral 2024), with k = 1 by p itself (Fedus, Zoph, Shazeer
 * 2021, equation 2), which lets the router learn. */
#include "moe/router.h"

extern const struct router_type router_topk;

static void choose(struct tape *t, struct node *x, const struct weight w[ROUTER_TENSORS],
	const struct router_shape *s, struct choice *c)
{
	c->logits = router_linear(t, x, w, s);
	router_top(t, router_score(t, c->logits, s, c), s, c);
}

const struct router_type router_topk = {.name = "topk",
	.help = "Each token goes to the k experts that are most probable for it, p = softmax(W "
		"x / temperature). They are weighted by p divided by the sum of the chosen p "
		"(Shazeer et al. 2017; Mixtral 2024); with k = 1 by p itself (Fedus, Zoph, "
		"Shazeer 2021, equation 2), from which the router can learn.",
	.sends = true,
	.ranks = true,
	.linear = true,
	.logits = true,
	.learns = true,
	.evener = "noisy_topk",
	.declare = router_linear_tensors,
	.choose = choose};
