/* uniform: token i of a window goes to experts i k, i k + 1, .. (mod E), each counting 1/k: an even
 * load, for timing */
#include "moe/router.h"

extern const struct router_type router_uniform;

static void choose(struct tape *t, struct node *x, const struct weight w[ROUTER_TENSORS],
	const struct router_shape *s, struct choice *c)
{
	int *expert = tape_take(t, (size_t)x->rows * (size_t)s->k * sizeof *expert);
	(void)w;
	for (int i = 0; i < x->rows; i++)
		for (int j = 0; j < s->k; j++)
			expert[i * s->k + j] = (i % s->N * s->k + j) % s->E;
	router_even(t, x->rows, expert, s, c);
}

const struct router_type router_uniform = {.name = "uniform",
	.help = "Token i of a window goes to the experts i k, i k + 1, .. (modulo E), each of "
		"which counts 1/k. The load is even, which is of use for timing.",
	.sends = true,
	.declare = router_no_tensors,
	.choose = choose};
