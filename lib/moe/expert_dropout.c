#include "moe/expert_dropout.h"

#include "base/rng.h"

/* The place of the largest weight of a row, the first among equals. */
static int heaviest(const real *weight, int k)
{
	int best = 0;
	for (int j = 1; j < k; j++)
		best = weight[j] > weight[best] ? j : best;
	return best;
}

void expert_dropout(struct tape *t, struct choice *c, int E, const struct expert_dropout *d)
{
	int rows = c->weight->rows, k = c->k;
	bool *out = tape_take(t, (size_t)E * sizeof *out);
	int *expert = tape_take(t, (size_t)(rows * k) * sizeof *expert),
	    *keep = tape_take(t, (size_t)(rows * k) * sizeof *keep);
	struct rng r = {d->key, 0};
	for (int e = 0; e < E; e++)
		out[e] = rng_uniform(&r) < d->p;
	for (int i = 0; i < rows; i++) {
		int from = i * k, left = 0, best = heaviest(c->weight->x + from, k);
		for (int j = 0; j < k; j++)
			left += c->expert[from + j] >= 0 && !out[c->expert[from + j]];
		for (int j = 0; j < k; j++) {
			int e = c->expert[from + j];
			bool stays = e >= 0 && (!out[e] || (!left && j == best));
			expert[from + j] = stays ? e : -1;
			keep[from + j] = stays ? j : -1;
		}
	}
	c->expert = expert;
	c->weight = op_pick(t, c->weight, keep, k, c->share);
}
