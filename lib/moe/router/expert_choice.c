/* expert_choice: each expert takes the C = ceil(capacity_factor N / E) tokens (within capacity_min
 * and capacity_max) of the N of a window, or in training with scope=batch of all windows of a step,
 * that are most probable for it by softmax over the experts, and counts by that probability; a
 * token gets from no expert to all (Zhou et al. 2022). */
#include "moe/capacity.h"

extern const struct router_type router_expert_choice;

/* Places in expert [N][E] for the tokens of one window or batch: expert e's C best rows of p
 * [N][E]. */
static void take_best(const real *p, int N, int E, int C, int *expert, int *best)
{
	for (int e = 0; e < E; e++) {
		int n = 0;
		for (int i = 0; i < N; i++) {
			real x = p[i * E + e];
			if (n == C && !(x > p[best[C - 1] * E + e]))
				continue;
			int at = n < C ? n++ : C - 1;
			for (; at > 0 && x > p[best[at - 1] * E + e]; at--)
				best[at] = best[at - 1];
			best[at] = i;
		}
		for (int j = 0; j < n; j++)
			expert[best[j] * E + e] = e;
	}
}

static int taken(const struct router_shape *s)
{
	int C = capacity_of(s->capacity_factor, 1, s->pool, s->E, s->capacity_min, s->capacity_max);
	return C > s->pool ? s->pool : C;
}

static void choose(struct tape *t, struct node *x, const struct weight w[ROUTER_TENSORS],
	const struct router_shape *s, struct choice *c)
{
	int E = s->E, N = s->pool, C = taken(s);
	int *expert = tape_take(t, (size_t)x->rows * (size_t)E * sizeof *expert);
	int *best = tape_take(t, (size_t)N * sizeof *best);
	c->logits = router_linear(t, x, w, s);
	c->probability = op_softmax(t, c->logits, 1);
	for (int i = 0; i < x->rows * E; i++)
		expert[i] = -1;
	for (int from = 0; from < x->rows; from += N)
		take_best(c->probability->x + (size_t)from * (size_t)E, N, E, C, expert + from * E, best);
	c->k = E;
	c->expert = expert;
	c->score = c->probability;
}

/* The mean: some tokens get more, some none. */
static double experts_per_token(const struct router_shape *s)
{
	return s->capacity_factor < s->E ? s->capacity_factor : s->E;
}

const struct router_type router_expert_choice = {.name = "expert_choice",
	.help = "The experts choose tokens (Zhou et al. 2022). Of the N tokens of a window, "
		"each expert takes the C = ceil(capacity_factor N / E) for which it is most "
		"probable by softmax over the experts, at least capacity_min and at most "
		"capacity_max, and counts by that probability. With moe.scope=batch it takes "
		"them in training from all windows of a step. A token may be taken by no "
		"expert, by several, or by all.",
	.linear = true,
	.logits = true,
	.learns = true,
	.pools = true,
	.experts_per_token = experts_per_token,
	.taken = taken,
	.declare = router_linear_tensors,
	.choose = choose};
