#include "model/params.h"

#include "base/mem.h"
#include "base/rng.h"

#include <math.h>
#include <stdlib.h>

int params_add(struct params *p, const char *name, int rank, const int64_t *shape, enum init init,
	double scale, bool matrix)
{
	struct param one = {
		.rank = rank, .offset = p->count, .count = 1, .init = init, .scale = scale, .matrix = matrix};
	for (int i = 0; i < rank; i++) {
		one.shape[i] = shape[i];
		one.count *= (size_t)shape[i];
	}
	one.name = mem_text(name);
	p->count += one.count;
	ROOM_FOR_ONE(p->list, p->n, p->room);
	p->list[p->n] = one;
	return p->n++;
}

void params_allocate(struct params *p)
{
	p->x = NEW_ARRAY(real, p->count);
}

void params_init(struct params *p, uint64_t seed)
{
	for (int i = 0; i < p->n; i++) {
		const struct param *t = &p->list[i];
		struct rng r = rng_stream(seed, t->name, 0, 0);
		real *x = p->x + t->offset;
		double bound = 0;
		if (t->init == INIT_FAN_IN)
			bound = 1 / sqrt(t->scale);
		else if (t->init == INIT_XAVIER)
			bound = sqrt(6 / (double)(t->shape[0] + t->shape[1]));
		for (size_t j = 0; j < t->count; j++) {
			/* through float, so that a double build starts at the same numbers */
			double v = t->init == INIT_ONE        ? 1
				   : t->init == INIT_ZERO     ? 0
				   : t->init == INIT_CONSTANT ? t->scale
				   : t->init == INIT_NORMAL   ? t->scale * rng_normal(&r)
							      : bound * (2 * rng_uniform(&r) - 1);
			x[j] = (real)(float)v;
		}
	}
}

void params_free(struct params *p)
{
	for (int i = 0; i < p->n; i++)
		free(p->list[i].name);
	free(p->list);
	free(p->x);
	*p = (struct params){0};
}
