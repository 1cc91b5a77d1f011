#include "moe/capacity.h"

#include "base/rng.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

int capacity_of(double factor, int k, int N, int E, int min, int max)
{
	double C = ceil(factor * k * N / E - 1e-9); /* a whole number stays one */
	if (C < min)
		C = min;
	if (max && C > max)
		C = max;
	return C < 1 ? 1 : (int)fmin(C, 1e9);
}

bool capacity_limits(const struct capacity *c)
{
	return c->each || c->factor > 0;
}

void capacity_follow(double ema, int min, int max, const int64_t *count, int64_t windows, int E, real *each)
{
	for (int e = 0; e < E && windows; e++) {
		double need = CAPACITY_HEADROOM * (double)count[e] / (double)windows;
		each[e] = (real)(ema * (double)each[e] + (1 - ema) * fmin(fmax(need, min), max));
	}
}

struct ordered {
	int place, round; /* rounds come one after the other */
	double rank;      /* within a round, falling */
};

static int before(const void *x, const void *y)
{
	const struct ordered *a = x, *b = y;
	if (a->round != b->round)
		return a->round < b->round ? -1 : 1;
	if (a->rank < b->rank || a->rank > b->rank)
		return a->rank > b->rank ? -1 : 1;
	return a->place < b->place ? -1 : 1;
}

static double largest(const real *rank, int k)
{
	real top = rank[0];
	for (int j = 1; j < k; j++)
		top = rank[j] > top ? rank[j] : top;
	return (double)top;
}

void capacity_positions(struct tape *t, enum drop_policy policy, const int *expert, const real *rank, int N,
	int k, int E, uint64_t key, int *position)
{
	struct ordered *o = tape_take(t, (size_t)(N * k) * sizeof *o);
	int *taken = tape_take(t, (size_t)E * sizeof *taken);
	struct rng r = {key, 0};
	memset(taken, 0, (size_t)E * sizeof *taken);
	for (int i = 0; i < N * k; i++) {
		bool rounds = policy == DROP_CHOICE || policy == DROP_PRIORITY;
		o[i] = (struct ordered){i, rounds ? i % k : 0, 0};
		if (policy == DROP_PROBABILITY)
			o[i].rank = (double)rank[i];
		else if (policy == DROP_PRIORITY)
			o[i].rank = largest(rank + i / k * k, k);
		else if (policy == DROP_RANDOM)
			o[i].rank = rng_uniform(&r);
	}
	qsort(o, (size_t)(N * k), sizeof *o, before);
	for (int i = 0; i < N * k; i++) {
		int e = expert[o[i].place];
		position[o[i].place] = e < 0 ? -1 : taken[e]++;
	}
}

/* Probability of each place: [rows][k] */
static real *ranks(struct tape *t, const struct choice *c, int rows)
{
	const struct node *score = c->score ? c->score : c->probability;
	real *rank = tape_reals(t, (size_t)(rows * c->k));
	for (int i = 0; i < rows * c->k; i++)
		rank[i] = c->expert[i] < 0
				  ? 0
				  : score->x[(size_t)(i / c->k) * (size_t)score->cols + (size_t)c->expert[i]];
	return rank;
}

/* Of each expert: [E] */
static int *capacities(struct tape *t, const struct capacity *how, int k, const struct router_shape *s)
{
	int *C = tape_take(t, (size_t)s->E * sizeof *C);
	for (int e = 0; e < s->E; e++)
		C[e] = how->each ? (int)ceil((double)how->each[e])
				 : capacity_of(how->factor, k, s->pool, s->E, how->min, how->max);
	return C;
}

/* keep [rows][k]: the place's own number in its row, or -1 */
static int mark(const struct choice *c, const int *position, const int *C, int places, int *keep)
{
	int dropped = 0;
	for (int i = 0; i < places; i++) {
		bool over = c->expert[i] >= 0 && position[i] >= C[c->expert[i]];
		keep[i] = over || c->expert[i] < 0 ? -1 : i % c->k;
		dropped += over;
	}
	return dropped;
}

int capacity_drop(struct tape *t, struct choice *c, const struct router_shape *s, const struct capacity *how,
	const bool **none)
{
	int rows = c->weight->rows, k = c->k, places = rows * k;
	const int *C = capacities(t, how, k, s);
	int *position = tape_take(t, (size_t)places * sizeof *position),
	    *keep = tape_take(t, (size_t)places * sizeof *keep);
	const real *rank = ranks(t, c, rows);
	for (int from = 0; from < rows; from += s->pool)
		capacity_positions(t, how->policy, c->expert + from * k, rank + from * k, s->pool, k, s->E,
			rng_stream(s->key, "drop", (uint64_t)(from / s->pool), 0).key, position + from * k);
	int dropped = mark(c, position, C, places, keep);
	*none = NULL;
	if (!dropped)
		return 0;
	int *expert = tape_take(t, (size_t)places * sizeof *expert);
	bool *left_alone = tape_take(t, (size_t)rows * sizeof *left_alone);
	memset(left_alone, 1, (size_t)rows * sizeof *left_alone);
	for (int i = 0; i < places; i++) {
		expert[i] = keep[i] < 0 ? -1 : c->expert[i];
		left_alone[i / k] &= keep[i] < 0;
	}
	c->expert = expert;
	c->weight = op_pick(t, c->weight, keep, k, how->renormalise && c->share);
	*none = left_alone;
	return dropped;
}
