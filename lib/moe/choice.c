#include "moe/choice.h"

#include "base/error.h"

#include <string.h>

/* The choice by levels, from the leaves on: of one router, itself. */
int choice_levels(const struct choice *c, struct choice_level level[ROUTER_LEVELS])
{
	for (int i = 0; i < c->levels; i++)
		level[i] = c->level[i];
	if (c->levels)
		return c->levels;
	level[0] = (struct choice_level){
		1, c->probability->cols, c->k, c->k, c->expert, c->weight, c->probability, c->logits};
	return 1;
}

int choice_reached(const struct choice_level *l)
{
	return l->routers == 1 ? 1 : l->places / l->k;
}

int choice_router(const struct choice_level *l, size_t row, int i)
{
	return l->routers == 1 ? 0 : l->chosen[row * (size_t)l->places + (size_t)(i * l->k)] / l->n;
}

int choice_places(const struct choice *c, int E)
{
	return c->dispatch ? E : c->k;
}

int choice_rows(const struct choice *c)
{
	return c->dispatch ? c->combine->rows : c->weight->rows;
}

static void write_mixed(
	const struct choice *c, int rows, int E, float *probability, int32_t *expert, float *weight)
{
	int M = c->combine->cols, per = M / E;
	for (size_t r = 0; r < (size_t)rows; r++)
		for (int e = 0; e < E; e++) {
			size_t at = r * (size_t)E + (size_t)e;
			double sum = 0;
			for (int s = 0; s < per; s++)
				sum += (double)c->combine->x[r * (size_t)M + (size_t)(e * per + s)];
			probability[at] = weight[at] = (float)sum;
			expert[at] = e;
		}
}

void choice_write(const struct choice *c, int rows, int E, float *probability, int32_t *expert, float *weight)
{
	if (c->dispatch) {
		write_mixed(c, rows, E, probability, expert, weight);
		return;
	}
	for (size_t i = 0; i < (size_t)rows * (size_t)E; i++)
		probability[i] = (float)c->probability->x[i];
	for (size_t i = 0; i < (size_t)rows * (size_t)c->k; i++) {
		expert[i] = c->expert[i];
		weight[i] = c->expert[i] < 0 ? 0 : (float)c->weight->x[i];
	}
}

/* --- ablation */

/* Empties all but the k heaviest places of a token; of equal ones the first stay. */
static void keep_heaviest(int *expert, const real *weight, int places, int k)
{
	int left = 0;
	for (int j = 0; j < places; j++)
		left += expert[j] >= 0;
	for (; left > k; left--) {
		int lightest = -1;
		for (int j = 0; j < places; j++)
			if (expert[j] >= 0 && (lightest < 0 || weight[j] <= weight[lightest]))
				lightest = j;
		expert[lightest] = -1;
	}
}

static void ablate_token(const struct ablation *a, int *expert, real *weight, int places, bool rescale)
{
	real before = 0, after = 0;
	for (int j = 0; j < places; j++)
		before += expert[j] < 0 ? 0 : weight[j];
	for (int j = 0; j < places; j++)
		if (expert[j] >= 0 && a->off && a->off[expert[j]])
			expert[j] = -1;
	if (a->k)
		keep_heaviest(expert, weight, places, a->k);
	for (int j = 0; j < places; j++)
		after += expert[j] < 0 ? 0 : weight[j];
	for (int j = 0; j < places; j++)
		if (expert[j] < 0)
			weight[j] = 0;
		else if (rescale && after > 0)
			weight[j] *= before / after;
}

static struct node *copy(struct tape *t, const struct node *x)
{
	struct node *y = op_constant(t, x->rows, x->cols, 0);
	memcpy(y->x, x->x, (size_t)x->rows * (size_t)x->cols * sizeof *x->x);
	return y;
}

/* Softmax over the slots of the experts that are left. */
static void ablate_mixed(struct tape *t, struct choice *c, const struct ablation *a, int rows, int E)
{
	int M = c->combine->cols, per = M / E;
	c->combine = copy(t, c->combine);
	for (size_t r = 0; a->off && r < (size_t)rows; r++) {
		real *w = c->combine->x + r * (size_t)M, sum = 0;
		for (int s = 0; s < M; s++)
			sum += w[s] = a->off[s / per] ? 0 : w[s];
		for (int s = 0; s < M && sum > 0; s++)
			w[s] /= sum;
	}
}

void choice_ablate(struct tape *t, struct choice *c, const struct ablation *a, int rows, int E)
{
	must(!t->gradients);
	if (c->dispatch) {
		ablate_mixed(t, c, a, rows, E);
		return;
	}
	size_t places = (size_t)rows * (size_t)c->k;
	int *expert = memcpy(tape_take(t, places * sizeof *expert), c->expert, places * sizeof *expert);
	c->expert = expert;
	c->weight = copy(t, c->weight);
	for (size_t r = 0; r < (size_t)rows; r++)
		ablate_token(a, expert + r * (size_t)c->k, c->weight->x + r * (size_t)c->k, c->k, c->share);
}
