/* noisy_topk: the choice is made, and weighted, by z + n softplus(x Wn^T) noise_std with n from N(0, 1), in training; without
 * noise otherwise (Shazeer et al. 2017, equations 3 to 5). With a fixed scale (moe.noise) it is z + n noise_std (Riquelme et al.
 * 2021, with 1/E for it). The losses read the clean logits z. */
#include "base/rng.h"
#include "moe/router.h"

extern const struct router_type router_noisy_topk;

static int declare(const struct router_shape *s, struct tensor_plan plan[ROUTER_TENSORS])
{
	int n = router_linear_tensors(s, plan);
	if (!s->fixed_noise)
		plan[n++] = (struct tensor_plan){"noise.weight", 2, s->E, s->H, START_CONSTANT, 0};
	return n;
}

static struct node *noisy(struct tape *t, struct node *x, const struct weight w[ROUTER_TENSORS],
	const struct router_shape *s, struct node *logits)
{
	struct tensor_plan plan[ROUTER_TENSORS];
	struct rng r = {s->key, 0};
	size_t n = (size_t)x->rows * (size_t)s->E;
	struct node *drawn = op_constant(t, x->rows, s->E, 0);
	real *noise = drawn->x;
	for (size_t i = 0; i < n; i++)
		noise[i] = (real)(s->noise_std * rng_normal(&r));
	if (s->fixed_noise)
		return op_add(t, logits, drawn);
	struct weight scale = w[router_linear_tensors(s, plan)];
	return op_add_noise(t, logits, op_linear(t, x, scale, (struct weight){0}, s->E), noise);
}

static void choose(struct tape *t, struct node *x, const struct weight w[ROUTER_TENSORS],
	const struct router_shape *s, struct choice *c)
{
	c->logits = router_linear(t, x, w, s);
	struct node *score = router_score(t, c->logits, s, c);
	if (s->training && s->noise_std > 0) {
		struct choice besides;
		score = router_score(t, noisy(t, x, w, s, c->logits), s, &besides);
	}
	router_top(t, score, s, c);
}

const struct router_type router_noisy_topk = {"noisy_topk", true, declare, choose};
