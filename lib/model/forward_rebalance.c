/* What moves after a step besides what the optimizer moves: balance without a loss, capacities that
 * follow the load, running shares. */
#include "model/forward_parts.h"
#include "moe/rebalance.h"

#include "base/mem.h"

#include <stdlib.h>

static void rebalance(
	const struct model *m, const struct layer_params *l, const struct balance *b, struct params *p)
{
	const struct config *c = &m->config;
	int min, max;
	model_capacity_bounds(m, &min, &max);
	if (l->capacity >= 0) {
		int64_t *sent = NEW_ARRAY(int64_t, b->experts);
		for (int e = 0; e < b->experts; e++)
			sent[e] = balance_sent(b, e);
		capacity_follow(c->moe.capacity_ema, min, max, sent, b->windows, b->experts,
			p->x + p->list[l->capacity].offset);
		free(sent);
	}
	if (l->running >= 0)
		balance_run(
			b, (enum balance_form)c->moe.load_balance_form, p->x + p->list[l->running].offset);
	if (l->balance >= 0 && config_balance(c) == BALANCE_BY_BIAS)
		rebalance_bias(b, c->moe.balance_rate, p->x + p->list[l->balance].offset);
	else if (l->balance >= 0)
		rebalance_quantile(b, p->x + p->list[l->balance].offset);
}

void forward_rebalance(const struct forward *f, struct params *p)
{
	int layers = f->m->config.encoder.layers;
	for (int i = 0; i < f->m->layout.regions * layers && f->balance; i++)
		rebalance(f->m, &f->m->region[i / layers].layer[i % layers], &f->balance[i], p);
}
