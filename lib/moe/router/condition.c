/* condition: topk over x + u_c, where u_c is a learned embedding of the window's condition c: its
 * task or site, its group or its recording (conditional biasing: Dumoulin et al. 2018,
 * "Feature-wise transformations"). Jitter is on x before, and the experts work on x alone. The
 * embeddings start at 0, as topk; the last one stands for every unknown c where there is such a
 * one. */
#include "base/error.h"
#include "moe/router.h"

extern const struct router_type router_condition;

static int declare(const struct router_shape *s, struct tensor_plan plan[ROUTER_TENSORS])
{
	int n = router_linear_tensors(s, plan);
	plan[n] = (struct tensor_plan){"condition.weight", 2, s->conditions, s->H, START_CONSTANT, 0};
	return n + 1;
}

static void choose(struct tape *t, struct node *x, const struct weight w[ROUTER_TENSORS],
	const struct router_shape *s, struct choice *c)
{
	struct tensor_plan plan[ROUTER_TENSORS];
	must(s->condition);
	for (int b = 0; b < x->rows / s->N; b++)
		must(s->condition[b] >= 0 && s->condition[b] < s->conditions);
	x = op_add_embedding(t, x, w[router_linear_tensors(s, plan)], s->condition, s->N);
	c->logits = router_linear(t, x, w, s);
	router_top(t, router_score(t, c->logits, s, c), s, c);
}

const struct router_type router_condition = {.name = "condition",
	.help = "As topk over x + u_c, where u_c is a learned embedding of the window's "
		"recording, group or condition c (moe.condition), such as its task or its site "
		"(conditional biasing: Dumoulin et al. 2018, \"Feature-wise transformations\")."
		" Only the router sees u_c; the experts work on x. The embeddings start at 0, "
		"so that training begins as with topk. With moe.condition_unknown above 0 one "
		"more embedding stands for every unknown c.",
	.keys = "moe.condition|moe.condition_unknown",
	.sends = true,
	.ranks = true,
	.linear = true,
	.logits = true,
	.learns = true,
	.conditions = true,
	.declare = declare,
	.choose = choose};
