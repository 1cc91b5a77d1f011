/* noisy_topk: the choice is made, and weighted, by z + n softplus(x Wn^T) noise_std with n from
 * N(0, 1), in training; without noise otherwise (Shazeer et al. 2017, equations 3 to 5). With a
 * fixed scale (moe.noise) it is z + n noise_std (Riquelme et al. 2021, with 1/E for it). The losses
 * read the clean logits z. */
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

/* noise_std n, drawn for every logit */
static const real *draw(struct tape *t, int rows, const struct router_shape *s)
{
	struct rng r = {s->key, 0};
	size_t n = (size_t)rows * (size_t)s->E;
	real *noise = tape_reals(t, n);
	for (size_t i = 0; i < n; i++)
		noise[i] = (real)(s->noise_std * rng_normal(&r));
	return noise;
}

static void choose(struct tape *t, struct node *x, const struct weight w[ROUTER_TENSORS],
	const struct router_shape *s, struct choice *c)
{
	struct tensor_plan plan[ROUTER_TENSORS];
	c->logits = router_linear(t, x, w, s);
	struct node *score = router_score(t, c->logits, s, c);
	if (s->training && s->noise_std > 0) {
		const real *noise = draw(t, x->rows, s);
		struct weight map = s->fixed_noise ? (struct weight){0} : w[router_linear_tensors(s, plan)];
		struct node *scale = map.x ? op_linear(t, x, map, (struct weight){0}, s->E) : NULL;
		struct node *z =
			scale ? op_add_noise(t, c->logits, scale, noise) : op_shift(t, c->logits, noise);
		struct choice besides;
		score = router_score(t, z, s, &besides);
		if (s->load)
			c->load = op_load(t, c->logits, z, scale, (real)s->noise_std, s->k);
	}
	router_top(t, score, s, c);
}

const struct router_type router_noisy_topk = {.name = "noisy_topk",
	.help = "As topk, with noise on the logits in training, so that other experts are "
		"tried, too: the choice and the weights go by z + n softplus(V x) noise_std, "
		"where n is drawn from N(0, 1) and V is learned (Shazeer et al. 2017, equations"
		" 3 to 5). With moe.noise=fixed it is z + n noise_std (Riquelme et al. 2021, "
		"who take 1/E for noise_std). There is no noise in evaluation, and the losses "
		"see the logits without it.",
	.keys = "moe.noise|moe.noise_std",
	.sends = true,
	.ranks = true,
	.linear = true,
	.logits = true,
	.learns = true,
	.noisy = true,
	.declare = declare,
	.choose = choose};
