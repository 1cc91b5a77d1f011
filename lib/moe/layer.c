#include "moe/layer.h"

#include "base/profile.h"
#include "base/rng.h"

#include <string.h>

/* Expert e's part of stacked tensors. */
static void slice(
	const struct mixture *m, const struct weight *stacked, int e, struct weight w[EXPERT_TENSORS])
{
	struct tensor_plan plan[EXPERT_TENSORS];
	m->expert->declare(&m->shape, plan);
	for (int i = 0; i < m->expert->tensors; i++) {
		size_t n = (size_t)plan[i].rows * (size_t)(plan[i].cols ? plan[i].cols : 1) * (size_t)e;
		w[i] = (struct weight){stacked[i].x + n, stacked[i].g ? stacked[i].g + n : NULL};
	}
}

static struct node *work(
	struct tape *t, struct node *x, const struct mixture *m, const struct weight *stacked, int e)
{
	struct weight w[EXPERT_TENSORS];
	slice(m, stacked, e, w);
	return m->expert->forward(t, x, w, &m->shape);
}

/* The choice turned round: each expert's rows, in order. */
static struct assignment by_expert(struct tape *t, const struct choice *c, int rows, int E)
{
	PROFILE_OPERATION("dispatch");
	int places = rows * c->k, n = 0;
	int *first = tape_take(t, (size_t)(E + 1) * sizeof *first),
	    *next = tape_take(t, (size_t)E * sizeof *next);
	memset(first, 0, (size_t)(E + 1) * sizeof *first);
	for (int i = 0; i < places; i++)
		if (c->expert[i] >= 0) {
			first[c->expert[i] + 1]++;
			n++;
		}
	int *row = tape_take(t, (size_t)n * sizeof *row), *slot = tape_take(t, (size_t)n * sizeof *slot);
	for (int e = 0; e < E; e++) {
		first[e + 1] += first[e];
		next[e] = first[e];
	}
	for (int i = 0; i < places; i++)
		if (c->expert[i] >= 0) {
			int at = next[c->expert[i]]++;
			row[at] = i / c->k;
			slot[at] = i % c->k;
		}
	return (struct assignment){E, first, row, slot};
}

static struct node *chosen_experts(
	struct tape *t, struct node *x, const struct mixture *m, const struct choice *c)
{
	int E = m->route.E;
	struct assignment a = by_expert(t, c, x->rows, E);
	struct node **answer = tape_take(t, (size_t)E * sizeof *answer);
	t->keep_passing = true;
	for (int e = 0; e < E; e++) {
		int n = a.first[e + 1] - a.first[e];
		answer[e] =
			n ? work(t, op_gather(t, x, a.row + a.first[e], n), m, m->expert_weight, e) : NULL;
	}
	t->keep_passing = false;
	return op_combine(t, c->weight, answer, &a, x->cols);
}

/* Slots instead of tokens: rows [B][E * slots], the experts' answers put back at their slots. */
static struct node *slotted_experts(
	struct tape *t, struct node *x, const struct mixture *m, const struct choice *c)
{
	int E = m->route.E, M = c->dispatch->cols, per = M / E, N = m->route.N, B = x->rows / N;
	struct choice back = {.k = 1};
	int *expert = tape_take(t, (size_t)(B * M) * sizeof *expert);
	for (int i = 0; i < B * M; i++)
		expert[i] = i % M / per;
	back.expert = expert;
	back.weight = op_constant(t, B * M, 1, 1);
	struct node *slot = op_window_slots(t, c->dispatch, x, N);
	return op_window_mix(t, c->combine, chosen_experts(t, slot, m, &back), N);
}

/* Tokens given to experts, with weights; the losses see what was chosen, before anything is dropped. */
static struct node *routed_experts(struct tape *t, struct node *x, const struct mixture *m, struct choice *c,
	struct balance *balance, const struct balance_slope *slope)
{
	const bool *none = NULL;
	bool limited = m->router->sends && capacity_limits(&m->capacity);
	if (!c->weight)
		c->weight = op_pick(t, c->score, c->expert, c->k, c->share);
	if (balance)
		balance_count(balance, c, x->rows, m->route.k);
	if (slope && t->gradients)
		balance_record(t, c, slope);
	if (m->dropout.p > 0 && (m->router->sends || c->share))
		expert_dropout(t, c, m->route.E, &m->dropout);
	int dropped = limited ? capacity_drop(t, c, &m->route, &m->capacity, &none) : 0;
	if (balance)
		balance->dropped += dropped;
	if (m->ablation)
		choice_ablate(t, c, m->ablation, x->rows, m->route.E);
	struct node *y = chosen_experts(t, x, m, c);
	return none && m->capacity.residual ? op_add_rows(t, y, x, none) : y;
}

/* What the router reads: in training x times U(1 - jitter, 1 + jitter), drawn for each number (Fedus, Zoph, Shazeer 2021,
 * section 2.4). */
static struct node *jittered(struct tape *t, struct node *x, const struct router_shape *s)
{
	if (!s->training || s->jitter <= 0)
		return x;
	size_t n = (size_t)x->rows * (size_t)x->cols;
	real *factor = tape_reals(t, n);
	struct rng r = rng_stream(s->key, "jitter", 0, 0);
	for (size_t i = 0; i < n; i++)
		factor[i] = (real)(1 + s->jitter * (2 * rng_uniform(&r) - 1));
	return op_times(t, x, factor);
}

struct node *mixture_forward(struct tape *t, struct node *x, const struct mixture *m, struct balance *balance,
	const struct balance_slope *slope, struct choice *chosen)
{
	struct choice c = {0};
	struct node *y;
	m->router->choose(t, jittered(t, x, &m->route), m->router_weight, &m->route, &c);
	if (c.dispatch && m->ablation)
		choice_ablate(t, &c, m->ablation, x->rows, m->route.E);
	if (c.dispatch)
		y = slotted_experts(t, x, m, &c);
	else
		y = routed_experts(t, x, m, &c, balance, slope);
	for (int s = 0; s < m->shared; s++)
		y = op_add(t, y, work(t, x, m, m->shared_weight, s));
	if (chosen)
		*chosen = c;
	return y;
}
