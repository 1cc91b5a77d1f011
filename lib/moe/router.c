#include "moe/router.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

const struct router_type *router_find(const char *name)
{
	for (int i = 0; router_table[i]; i++)
		if (!strcmp(router_table[i]->name, name))
			return router_table[i];
	return NULL;
}

const struct router_type *router_unlearned(void)
{
	int i = 0;
	while (!router_table[i]->unlearned)
		i++;
	return router_table[i];
}

int router_linear_tensors(const struct router_shape *s, struct tensor_plan plan[ROUTER_TENSORS])
{
	int n = 0;
	plan[n++] = (struct tensor_plan){"weight", 2, s->E, s->H, START_FAN_IN, s->H};
	if (s->bias)
		plan[n++] = (struct tensor_plan){"bias", 1, s->E, 0, START_CONSTANT, 0};
	if (s->specialisation) {
		plan[n++] = (struct tensor_plan){"specialisation.embedding", 2, s->E, s->H, START_NORMAL, 1};
		plan[n++] = (struct tensor_plan){"specialisation.weight", 2, s->E, s->H, START_FAN_IN, s->H};
		plan[n++] = (struct tensor_plan){"specialisation.bias", 1, s->E, 0, START_CONSTANT, 0};
	}
	return n;
}

static struct node *specialised(struct tape *t, struct node *x, const struct weight *w, int E)
{
	struct node *near = op_cosine(t, x, w[0], E, (struct weight){0}, false);
	return op_softmax(t, op_add(t, near, op_linear(t, x, w[1], w[2], E)), 1);
}

static struct node *tempered(struct tape *t, struct node *z, const struct router_shape *s)
{
	return s->temperature == 1 ? z : op_scale(t, z, (real)(1 / s->temperature)); /* NOLINT: exactly 1 */
}

static struct node *linear(
	struct tape *t, struct node *x, const struct weight *w, int logits, const struct router_shape *s)
{
	return op_linear(t, x, w[0], s->bias ? w[1] : (struct weight){0}, logits);
}

struct node *router_map(
	struct tape *t, struct node *x, const struct weight *w, int logits, const struct router_shape *s)
{
	return tempered(t, linear(t, x, w, logits, s), s);
}

struct node *router_linear(
	struct tape *t, struct node *x, const struct weight w[ROUTER_TENSORS], const struct router_shape *s)
{
	struct node *z = linear(t, x, w, s->E, s);
	if (s->specialisation)
		z = op_add(t, z, specialised(t, x, w + 1 + s->bias, s->E));
	return tempered(t, z, s);
}

struct node *router_score(struct tape *t, struct node *logits, const struct router_shape *s, struct choice *c)
{
	if (s->score == SCORE_SOFTMAX)
		return c->probability = op_softmax(t, logits, 1);
	struct node *score = op_sigmoid(t, logits);
	int *all = tape_take(t, (size_t)logits->rows * (size_t)s->E * sizeof *all);
	for (int i = 0; i < logits->rows * s->E; i++)
		all[i] = i % s->E;
	c->probability = op_pick(t, score, all, s->E, true);
	return score;
}

bool router_shares(const struct router_shape *s, int k)
{
	return s->renormalise == RENORMALISE_YES || (s->renormalise == RENORMALISE_AUTO && k > 1);
}

/* Insertion from the right: of equals the first stays ahead. */
void router_largest(const real *x, int n, int k, int *best)
{
	int found = 0;
	real bar = 0; /* the least of k that are found */
	for (int e = 0; e < n; e++) {
		if (found == k && !(x[e] > bar))
			continue;
		int at = found < k ? found++ : k - 1;
		for (; at > 0 && x[e] > x[best[at - 1]]; at--)
			best[at] = best[at - 1];
		best[at] = e;
		bar = x[best[found - 1]];
	}
}

/* Scratch of a row: x [E] is what the choice goes by. */
struct row {
	real *x, *sum;     /* [E], [groups] */
	int *best, *group; /* [E], [groups] */
};

/* Takes the experts of all but the best groups out of x. */
static void keep_groups(const struct row *r, const struct router_shape *s)
{
	int size = s->E / s->groups, n = s->k / s->top_groups > 1 ? s->k / s->top_groups : 1;
	for (int i = 0; i < s->groups; i++) {
		router_largest(r->x + i * size, size, n, r->best);
		r->sum[i] = 0;
		for (int j = 0; j < n; j++)
			r->sum[i] += r->x[i * size + r->best[j]];
	}
	router_largest(r->sum, s->groups, s->top_groups, r->group);
	for (int i = 0; i < s->top_groups; i++)
		r->sum[r->group[i]] = INFINITY; /* marks it */
	for (int e = 0; e < s->E; e++)
		if (isfinite(r->sum[e / size]))
			r->x[e] = -INFINITY;
}

/* Empties the places that are not needed to reach top_p. */
static void cut(const real *score, const struct router_shape *s, int *expert)
{
	double sum = 0;
	for (int j = 0; j < s->k; j++) {
		double p = (double)score[expert[j]];
		if (j && sum >= s->top_p)
			expert[j] = -1;
		sum += p;
	}
}

void router_top(struct tape *t, struct node *score, const struct router_shape *s, struct choice *c)
{
	size_t E = (size_t)s->E, k = (size_t)s->k, groups = (size_t)s->groups;
	struct row r = {tape_reals(t, E), tape_reals(t, groups), tape_take(t, E * sizeof(int)),
		tape_take(t, groups * sizeof(int))};
	c->k = s->k;
	c->expert = tape_take(t, (size_t)score->rows * k * sizeof *c->expert);
	for (size_t i = 0; i < (size_t)score->rows; i++) {
		const real *x = score->x + i * E;
		for (size_t e = 0; e < E; e++)
			r.x[e] = s->balance ? x[e] + s->balance[e] : x[e];
		if (s->groups > 1)
			keep_groups(&r, s);
		router_largest(r.x, s->E, s->k, c->expert + i * k);
		if (s->top_p > 0)
			cut(x, s, c->expert + i * k);
	}
	c->score = score;
	c->share = router_shares(s, s->k);
	c->balanced = true;
	c->balance = s->balance;
}

int router_no_tensors(const struct router_shape *s, struct tensor_plan plan[ROUTER_TENSORS])
{
	(void)s;
	(void)plan;
	return 0;
}

void router_even(struct tape *t, int rows, int *expert, const struct router_shape *s, struct choice *c)
{
	c->k = s->k;
	c->expert = expert;
	c->weight = op_constant(t, rows, s->k, 1 / (real)s->k);
	c->share = true;
	c->probability = op_constant(t, rows, s->E, 1 / (real)s->E);
}
