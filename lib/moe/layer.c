#include "moe/layer.h"

#include "base/profile.h"
#include "base/rng.h"

#include <string.h>

/* The output of expert e of those of one type for x. */
static struct node *apply_expert(struct tape *t, struct node *x, const struct moe_layer *m,
	const struct expert_part *p, int e, const struct expert_rows *rows)
{
	struct tensor_plan plan[EXPERT_TENSORS];
	struct weight w[EXPERT_TENSORS];
	int tensors = p->type->declare(&m->shape, plan);
	for (int i = 0; i < tensors; i++) {
		size_t n = (size_t)plan[i].rows * (size_t)(plan[i].cols ? plan[i].cols : 1) * (size_t)e;
		w[i] = (struct weight){p->weight[i].x + n, p->weight[i].g ? p->weight[i].g + n : NULL};
	}
	return p->type->forward(t, x, w, &m->shape, rows);
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

/* Which rows [n] of x belong to a window together, and when. */
static const struct expert_rows *rows_of(
	struct tape *t, const struct moe_layer *m, const int *row, int n, int windows)
{
	const int apart = 1 << 20; /* more than any kernel */
	struct expert_rows *rows = tape_take(t, sizeof *rows);
	int *first = tape_take(t, (size_t)(windows + 1) * sizeof *first),
	    *place = tape_take(t, (size_t)n * sizeof *place), at = 0;
	for (int b = 0; b <= windows; b++) {
		while (at < n && row[at] < b * m->N)
			at++;
		first[b] = at;
	}
	for (int i = 0; i < n; i++) {
		int token = row[i] % m->N;
		place[i] = token < m->globals ? (token - m->globals) * apart : token;
	}
	*rows = (struct expert_rows){windows, first, place};
	return rows;
}

/* After the operations of expert e of those of one type. */
static void record_order(struct tape *t, const struct moe_layer *m, const struct expert_part *p, int e)
{
	struct tensor_plan plan[EXPERT_TENSORS];
	int tensors = p->type->declare(&m->shape, plan);
	struct ordered_sum_span *span = tape_take(t, (size_t)tensors * sizeof *span);
	for (int i = 0; i < tensors; i++) {
		size_t n = (size_t)plan[i].rows * (size_t)(plan[i].cols ? plan[i].cols : 1);
		span[i] = (struct ordered_sum_span){
			p->weight[i].g ? p->weight[i].g + n * (size_t)(e - p->first) : NULL, n};
	}
	ordered_sum_record(t, m->ordered_sum, e, m->announces, span, tensors);
}

static struct node *chosen_experts(
	struct tape *t, struct node *x, const struct moe_layer *m, const struct choice *c)
{
	int E = m->route.E;
	struct assignment a = by_expert(t, c, x->rows, E);
	struct node **answer = tape_take(t, (size_t)E * sizeof *answer);
	if (m->ordered_sum)
		ordered_sum_record_end(t, m->ordered_sum, m->announces);
	t->keep_passing = true;
	for (int i = 0; i < m->parts; i++) {
		const struct expert_part *p = &m->part[i];
		for (int e = p->first; e < p->first + p->count; e++) {
			const int *row = a.row + a.first[e];
			int n = a.first[e + 1] - a.first[e];
			answer[e] = NULL;
			if (n)
				answer[e] = apply_expert(t, op_gather(t, x, row, n), m, p, e - p->first,
					p->type->windows ? rows_of(t, m, row, n, x->rows / m->N) : NULL);
			if (m->ordered_sum && (n || !m->ordered_sum->before))
				record_order(t, m, p, e);
		}
	}
	t->keep_passing = false;
	return op_combine(t, c->weight, answer, &a, x->cols);
}

/* From units to their tokens: each gets its unit's choice, and is without an expert where its unit
 * is (none, may be NULL). */
static const bool *spread(
	struct tape *t, const struct moe_layer *m, int rows, struct choice *c, const bool *none, bool wanted)
{
	int *from = tape_take(t, (size_t)rows * sizeof *from),
	    *expert = tape_take(t, (size_t)rows * (size_t)c->k * sizeof *expert);
	bool *left = none ? tape_take(t, (size_t)rows * sizeof *left) : NULL;
	for (int i = 0; i < rows; i++) {
		from[i] = i / m->N * m->route.N + m->unit[i % m->N];
		memcpy(expert + (size_t)i * (size_t)c->k, c->expert + (size_t)from[i] * (size_t)c->k,
			(size_t)c->k * sizeof *expert);
		if (left)
			left[i] = none[from[i]];
	}
	c->expert = expert;
	c->weight = op_gather(t, c->weight, from, rows);
	if (wanted)
		c->probability = op_gather(t, c->probability, from, rows);
	return left;
}

/* Slots instead of tokens: rows [B][E * slots], the experts' answers put back at their slots. */
static struct node *slotted_experts(
	struct tape *t, struct node *x, const struct moe_layer *m, const struct choice *c)
{
	int E = m->route.E, M = c->dispatch->cols, per = M / E, N = m->route.pool, B = x->rows / N;
	struct choice back = {.k = 1};
	int *expert = tape_take(t, (size_t)(B * M) * sizeof *expert);
	for (int i = 0; i < B * M; i++)
		expert[i] = i % M / per;
	back.expert = expert;
	back.weight = op_constant(t, B * M, 1, 1);
	struct node *slot = op_window_slots(t, c->dispatch, x, N);
	return op_window_mix(t, c->combine, chosen_experts(t, slot, m, &back), N);
}

/* What the router reads: in training x times U(1 - jitter, 1 + jitter), drawn for each number
 * (Fedus, Zoph, Shazeer 2021, section 2.4). */
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

/* Tokens given to experts, with weights; the losses see what was chosen, before anything is
 * dropped. The choice by token is left in c. */
static struct node *routed_experts(struct tape *t, struct node *x, const struct moe_layer *m,
	struct choice *c, int units, struct balance *balance, const struct balance_slope *slope, bool wanted)
{
	const bool *none = NULL;
	bool limited = m->router->sends && capacity_limits(&m->capacity);
	if (!c->weight)
		c->weight = op_pick(t, c->score, c->expert, c->k, c->share);
	if (balance)
		balance_count(balance, c, units, m->route.k, m->route.N, m->scope);
	if (slope && t->gradients)
		balance_record(t, c, m->route.N, m->scope, slope);
	if (m->dropout.p > 0 && (m->router->sends || c->share))
		expert_dropout(t, c, m->route.E, &m->dropout);
	int dropped = limited ? capacity_drop(t, c, &m->route, &m->capacity, &none) : 0;
	if (balance)
		balance->dropped += dropped;
	if (m->ablation)
		choice_ablate(t, c, m->ablation, units, m->route.E);
	if (m->unit)
		none = spread(t, m, x->rows, c, none, wanted);
	struct node *y = chosen_experts(t, x, m, c);
	return none && m->capacity.residual ? op_add_rows(t, y, x, none) : y;
}

struct node *moe_layer_forward(struct tape *t, struct node *x, const struct moe_layer *m,
	struct balance *balance, const struct balance_slope *slope, struct choice *chosen)
{
	struct choice c = {0};
	struct node *seen = m->unit ? op_mean_units(t, x, m->N, m->route.N, m->unit) : x, *y;
	m->router->choose(t, jittered(t, seen, &m->route), m->router_weight, &m->route, &c);
	if (c.dispatch && m->ablation)
		choice_ablate(t, &c, m->ablation, x->rows, m->route.E);
	if (c.dispatch)
		y = slotted_experts(t, x, m, &c);
	else
		y = routed_experts(t, x, m, &c, seen->rows, balance, slope, chosen != NULL);
	for (int s = 0; s < m->shared.count; s++)
		y = op_add(t, y, apply_expert(t, x, m, &m->shared, s, NULL));
	if (m->residual) {
		struct expert_part alone = {m->residual, 0, 1, m->residual_weight};
		struct node *weight =
			op_softmax(t, op_linear(t, x, m->coefficient, (struct weight){0}, 2), 1);
		t->keep_passing = true; /* backward reads the answer */
		struct node *answer = apply_expert(t, x, m, &alone, 0, NULL);
		t->keep_passing = false;
		y = op_mix(t, weight, (struct node *[]){answer, y}, 2);
	}
	if (chosen)
		*chosen = c;
	return y;
}
