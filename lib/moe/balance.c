#include "moe/balance.h"

#include "base/mem.h"
#include "moe/choice.h"
#include "tensor/softmax.h"

#include <stdlib.h>
#include <string.h>

struct balance balance_new(const struct router_shape *s)
{
	struct balance b = {.experts = s->E, .levels = s->levels ? s->levels : 1};
	int routers = 1;
	for (int i = b.levels - 1, at = 0; i >= 0; i--, at++) /* from the root on */
		b.level[i] = (struct balance_level){routers, s->levels ? s->level[at] : s->E, 0, 0},
		routers *= b.level[i].n;
	for (int i = 0; i < b.levels; i++) {
		b.level[i].router = b.routers;
		b.level[i].entry = b.entries;
		b.routers += b.level[i].routers;
		b.entries += b.level[i].routers * b.level[i].n;
	}
	balance_clear(&b, 1);
	return b;
}

void balance_free(struct balance *b)
{
	free(b->sums);
	free(b->whole);
	free(b->part);
	free(b->lack);
	*b = (struct balance){0};
}

/* Numbers of one scope */
static size_t wholes(const struct balance *b)
{
	return 2 * (size_t)(b->routers + b->entries);
}

static size_t parts(const struct balance *b)
{
	return 3 * (size_t)b->entries;
}

static void make_room(struct balance *b, int scopes)
{
	b->room = scopes;
	GROW(b->sums, scopes);
	GROW(b->whole, (size_t)scopes * wholes(b));
	GROW(b->part, (size_t)scopes * parts(b));
	for (int i = 0; i < scopes; i++) {
		int64_t *w = b->whole + (size_t)i * wholes(b);
		double *p = b->part + (size_t)i * parts(b);
		b->sums[i] = (struct balance_sums){.tokens = w,
			.assigned = w + b->routers,
			.count = w + 2 * b->routers,
			.first = w + 2 * b->routers + b->entries,
			.probability = p,
			.importance = p + b->entries,
			.load = p + 2 * b->entries};
	}
}

void balance_clear(struct balance *b, int scopes)
{
	if (scopes > b->room)
		make_room(b, scopes);
	b->scopes = scopes;
	b->windows = b->tokens = b->dropped = 0;
	b->lacks = 0;
	memset(b->z, 0, sizeof b->z);
	memset(b->whole, 0, (size_t)scopes * wholes(b) * sizeof *b->whole);
	memset(b->part, 0, (size_t)scopes * parts(b) * sizeof *b->part);
}

static void room_for_lacks(struct balance *b, size_t more)
{
	if (b->lacks + more <= b->lack_room)
		return;
	b->lack_room = 2 * (b->lacks + more);
	GROW(b->lack, b->lack_room * (size_t)b->experts);
}

/* The (k+1)-th largest of score + balance, less each score. */
static void keep_lacks(struct balance *b, const struct choice *c, int rows, int k)
{
	size_t E = (size_t)b->experts;
	room_for_lacks(b, (size_t)rows);
	for (size_t r = 0; r < (size_t)rows; r++) {
		const real *s = c->score->x + r * E;
		real *lack = b->lack + b->lacks++ * E, cut = 0;
		for (size_t e = 0; e < E; e++) { /* the one that so many are before */
			int ahead = 0;
			for (size_t i = 0; i < E; i++) {
				real one = s[i] + c->balance[i], other = s[e] + c->balance[e];
				ahead += one > other || (!(one < other) && i < e);
			}
			if (ahead == k)
				cut = s[e] + c->balance[e];
		}
		for (size_t e = 0; e < E; e++)
			lack[e] = cut - s[e];
	}
}

static void count_row(
	struct balance_sums *s, const struct balance_level *at, const struct choice_level *l, size_t row)
{
	const int *chosen = l->chosen + row * (size_t)l->places;
	const real *weight = l->weight->x + row * (size_t)l->places;
	for (int j = 0; j < l->places; j++) {
		if (chosen[j] < 0)
			continue;
		s->assigned[at->router + chosen[j] / l->n]++;
		s->count[at->entry + chosen[j]]++;
		s->first[at->entry + chosen[j]] += j % l->k == 0;
		s->importance[at->entry + chosen[j]] += (double)weight[j];
	}
	for (int i = 0; i < choice_reached(l); i++) {
		int q = choice_router(l, row, i);
		const real *p = l->probability->x + row * (size_t)l->probability->cols + (size_t)(q * l->n);
		s->tokens[at->router + q]++;
		for (int e = 0; e < l->n; e++)
			s->probability[at->entry + q * l->n + e] += (double)p[e];
	}
}

static double squared_logs(const struct choice_level *l, size_t row)
{
	double sum = 0;
	for (int i = 0; i < choice_reached(l); i++) {
		size_t at = row * (size_t)l->logits->cols + (size_t)(choice_router(l, row, i) * l->n);
		double z = log_sum_exp(l->logits->x + at, l->n);
		sum += z * z;
	}
	return sum;
}

void balance_count(struct balance *b, const struct choice *c, int rows, int k, int per, const int *scope)
{
	struct choice_level level[ROUTER_LEVELS];
	int levels = choice_levels(c, level);
	b->k = k;
	b->balanced = c->balanced;
	b->has_z = level[0].logits != NULL;
	b->has_load = c->load != NULL;
	b->windows += rows / per;
	b->tokens += rows;
	if (b->keep_lacks && c->balance)
		keep_lacks(b, c, rows, k);
	for (int r = 0; r < rows; r++) {
		struct balance_sums *s = &b->sums[scope ? scope[r / per] : 0];
		for (int i = 0; i < levels; i++) {
			count_row(s, &b->level[i], &level[i], (size_t)r);
			if (b->has_z)
				b->z[i] += squared_logs(&level[i], (size_t)r);
		}
		for (int e = 0; c->load && e < b->experts; e++)
			s->load[e] += (double)c->load->x[(size_t)r * (size_t)b->experts + (size_t)e];
	}
}

void balance_add(struct balance *b, const struct balance *part)
{
	b->k = part->k;
	b->balanced = part->balanced;
	b->has_z = part->has_z;
	b->has_load = part->has_load;
	b->windows += part->windows;
	b->tokens += part->tokens;
	b->dropped += part->dropped;
	room_for_lacks(b, part->lacks);
	if (part->lacks)
		memcpy(b->lack + b->lacks * (size_t)b->experts, part->lack,
			part->lacks * (size_t)b->experts * sizeof *b->lack);
	b->lacks += part->lacks;
	for (int i = 0; i < b->levels; i++)
		b->z[i] += part->z[i];
	for (size_t i = 0; i < (size_t)b->scopes * wholes(b); i++)
		b->whole[i] += part->whole[i];
	for (size_t i = 0; i < (size_t)b->scopes * parts(b); i++)
		b->part[i] += part->part[i];
}

int64_t balance_sent(const struct balance *b, int expert)
{
	int64_t sum = 0;
	for (int i = 0; i < b->scopes; i++)
		sum += b->sums[i].count[expert];
	return sum;
}
