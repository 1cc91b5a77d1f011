#include "train/update.h"

#include "base/mem.h"
#include "base/profile.h"
#include "tensor/slab.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK = 1 << 15 }; /* with what the optimizer keeps of it a block stays in the second cache */

struct block {
	int tensor;
	size_t from, count;
	double squares;
	bool bad; /* not finite after the step */
};

struct update {
	const struct optimizer *optimizer;
	struct params *params;
	struct pool *pool;
	struct block *block;
	int blocks;
	/* this call */
	const real *read;
	real *gradient;
	real *const *state;
	const struct config *config;
	double factor, lr;
	long number;
};

struct update *update_new(const struct optimizer *o, struct params *p, struct pool *pool)
{
	struct update *u = NEW(struct update);
	u->optimizer = o;
	u->params = p;
	u->pool = pool;
	for (int i = 0; i < p->n; i++)
		u->blocks += (int)((p->list[i].count + BLOCK - 1) / BLOCK);
	u->block = NEW_ARRAY(struct block, u->blocks);
	struct block *b = u->block;
	for (int i = 0; i < p->n; i++)
		for (size_t at = 0, n = p->list[i].count; at < n; at += BLOCK)
			*b++ = (struct block){.tensor = i,
				.from = p->list[i].offset + at,
				.count = n - at < BLOCK ? n - at : BLOCK};
	return u;
}

void update_free(struct update *u)
{
	if (!u)
		return;
	free(u->block);
	free(u);
}

static void sum_squares(void *context, int task, int worker)
{
	PROFILE_OPERATION("norm of the gradient");
	struct update *u = context;
	struct block *b = &u->block[task];
	(void)worker;
	b->squares = u->params->list[b->tensor].buffer ? 0 : slab_squares(u->read + b->from, b->count);
}

double update_norm(struct update *u, const real *gradient, const char **bad)
{
	double sum = 0, tensor = 0;
	u->read = gradient;
	pool_run(u->pool, u->blocks, sum_squares, u);
	*bad = NULL;
	for (int i = 0; i < u->blocks; i++) {
		tensor += u->block[i].squares;
		if (i + 1 < u->blocks && u->block[i + 1].tensor == u->block[i].tensor)
			continue;
		if (!(tensor < 1e36) && !*bad) /* NaN, or beyond what a float can square */
			*bad = u->params->list[u->block[i].tensor].name;
		sum += tensor;
		tensor = 0;
	}
	return sqrt(sum);
}

static void step_block(void *context, int task, int worker)
{
	PROFILE_OPERATION("optimizer");
	struct update *u = context;
	struct block *b = &u->block[task];
	const struct param *p = &u->params->list[b->tensor];
	real *x = u->params->x + b->from, *g = u->gradient + b->from, *state[OPTIMIZER_SLOTS] = {0};
	(void)worker;
	b->bad = false;
	if (p->buffer) { /* the gradient takes what stood there before the step, as for the others */
		memcpy(g, x, b->count * sizeof(real));
		return;
	}
	if (u->factor < 1)
		slab_scale(g, b->count, (real)u->factor);
	for (int i = 0; i < u->optimizer->slots; i++)
		state[i] = u->state[i] + b->from;
	u->optimizer->step(p, x, g, state, b->count, u->config, u->lr, u->number);
	b->bad = !slab_finite(x, b->count);
}

const char *update_step(struct update *u, real *gradient, real *const *state, const struct config *c,
	double norm, double lr, long number)
{
	double limit = c->train.clip_norm;
	u->gradient = gradient;
	u->state = state;
	u->config = c;
	u->factor = limit > 0 ? limit / (norm + 1e-6) : 1;
	u->lr = lr;
	u->number = number;
	pool_run(u->pool, u->blocks, step_block, u);
	for (int i = 0; i < u->blocks; i++)
		if (u->block[i].bad) {
			memcpy(u->params->x, gradient, u->params->count * sizeof(real));
			return u->params->list[u->block[i].tensor].name;
		}
	return NULL;
}
