/* uniform: token i of a window goes to experts i k, i k + 1, .. (mod E), each counting 1/k: an even load, for timing */
#include "moe/router.h"

extern const struct router_type router_uniform;

static int declare(const struct router_shape *s, struct tensor_plan plan[ROUTER_TENSORS])
{
	(void)s;
	(void)plan;
	return 0;
}

static void choose(struct tape *t, struct node *x, const struct weight w[ROUTER_TENSORS],
	const struct router_shape *s, struct choice *c)
{
	int *expert = tape_take(t, (size_t)x->rows * (size_t)s->k * sizeof *expert);
	(void)w;
	for (int i = 0; i < x->rows; i++)
		for (int j = 0; j < s->k; j++)
			expert[i * s->k + j] = (i % s->N * s->k + j) % s->E;
	c->k = s->k;
	c->expert = expert;
	c->weight = op_constant(t, x->rows, s->k, 1 / (real)s->k);
	c->share = true;
	c->probability = op_constant(t, x->rows, s->E, 1 / (real)s->E);
}

const struct router_type router_uniform = {"uniform", true, declare, choose};
