#include "moe/balance.h"

#include "base/mem.h"
#include "tensor/softmax.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct balance balance_new(int E)
{
	return (struct balance){.E = E,
		.count = NEW_ARRAY(int64_t, E),
		.first = NEW_ARRAY(int64_t, E),
		.probability = NEW_ARRAY(double, E),
		.importance = NEW_ARRAY(double, E)};
}

void balance_free(struct balance *b)
{
	free(b->count);
	free(b->first);
	free(b->probability);
	free(b->importance);
	free(b->lack);
	*b = (struct balance){0};
}

void balance_clear(struct balance *b)
{
	size_t n = (size_t)b->E;
	b->tokens = b->assigned = b->dropped = 0;
	b->z = 0;
	b->lacks = 0;
	memset(b->count, 0, n * sizeof *b->count);
	memset(b->first, 0, n * sizeof *b->first);
	memset(b->probability, 0, n * sizeof *b->probability);
	memset(b->importance, 0, n * sizeof *b->importance);
}

static void make_room(struct balance *b, size_t more)
{
	if (b->lacks + more <= b->room)
		return;
	b->room = 2 * (b->lacks + more);
	GROW(b->lack, b->room * (size_t)b->E);
}

/* The (k+1)-th largest of score + balance, less each score. */
static void keep_lacks(struct balance *b, const struct choice *c, int rows, int k)
{
	size_t E = (size_t)b->E;
	make_room(b, (size_t)rows);
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

void balance_count(struct balance *b, const struct choice *c, int rows, int k)
{
	b->k = k;
	b->balanced = c->balanced;
	b->has_z = c->logits != NULL;
	b->tokens += rows;
	if (b->keep_lacks && c->balance)
		keep_lacks(b, c, rows, k);
	for (size_t r = 0; r < (size_t)rows; r++) {
		size_t at = r * (size_t)c->k;
		for (int j = 0; j < c->k; j++) {
			int e = c->expert[at + (size_t)j];
			if (e < 0)
				continue;
			b->assigned++;
			b->count[e]++;
			b->first[e] += j == 0;
			b->importance[e] += (double)c->weight->x[at + (size_t)j];
		}
		for (int e = 0; e < b->E; e++)
			b->probability[e] += (double)c->probability->x[r * (size_t)b->E + (size_t)e];
		if (c->logits) {
			double z = log_sum_exp(c->logits->x + r * (size_t)b->E, b->E);
			b->z += z * z;
		}
	}
}

void balance_add(struct balance *b, const struct balance *part)
{
	b->k = part->k;
	b->balanced = part->balanced;
	b->has_z = part->has_z;
	b->tokens += part->tokens;
	b->assigned += part->assigned;
	b->dropped += part->dropped;
	b->z += part->z;
	make_room(b, part->lacks);
	if (part->lacks)
		memcpy(b->lack + b->lacks * (size_t)b->E, part->lack,
			part->lacks * (size_t)b->E * sizeof *b->lack);
	b->lacks += part->lacks;
	for (int e = 0; e < b->E; e++) {
		b->count[e] += part->count[e];
		b->first[e] += part->first[e];
		b->probability[e] += part->probability[e];
		b->importance[e] += part->importance[e];
	}
}

/* Share of expert e that the form multiplies with its mean probability. */
static double share(const struct balance *b, enum balance_form form, int e)
{
	double n = (double)b->tokens;
	if (form == BALANCE_FIRST)
		return (double)b->first[e] / n;
	return (double)b->count[e] / (form == BALANCE_SUM ? n : (double)b->assigned);
}

double balance_loss(const struct balance *b, enum balance_form form)
{
	double sum = 0, squares = 0;
	if (!b->balanced || !b->tokens)
		return 0;
	if (form == BALANCE_CV2) {
		for (int e = 0; e < b->E; e++)
			sum += b->importance[e];
		double mean = sum / b->E;
		for (int e = 0; e < b->E; e++)
			squares += (b->importance[e] - mean) * (b->importance[e] - mean);
		return mean > 0 ? squares / b->E / (mean * mean) : 0;
	}
	for (int e = 0; e < b->E; e++)
		sum += share(b, form, e) * b->probability[e] / (double)b->tokens;
	return b->E * sum;
}

double balance_z(const struct balance *b)
{
	return b->has_z && b->tokens ? b->z / (double)b->tokens : 0;
}

/* cv2 = E S / T^2 - 1 with S = sum of squares, T = sum:  d/dI_i = 2 E (I_i T - S) / T^3 */
static double slope_of_cv2(const struct balance *b, int e)
{
	double total = 0, squares = 0;
	for (int i = 0; i < b->E; i++) {
		total += b->importance[i];
		squares += b->importance[i] * b->importance[i];
	}
	return total > 0 ? 2 * b->E * (b->importance[e] * total - squares) / (total * total * total) : 0;
}

void balance_slopes(const struct balance *b, enum balance_form form, double weight, double z_weight,
	struct balance_slope *s)
{
	for (int e = 0; e < b->E; e++) {
		bool on = b->balanced && b->tokens;
		s->p[e] = s->g[e] = 0;
		if (on && form == BALANCE_CV2)
			s->g[e] = (real)(weight * slope_of_cv2(b, e));
		else if (on)
			s->p[e] = (real)(weight * b->E * share(b, form, e) / (double)b->tokens);
	}
	s->z = b->has_z && b->tokens ? (real)(z_weight / (double)b->tokens) : 0;
}

/* --- on the tape */

struct saved {
	struct choice c;
	const struct balance_slope *slope;
};

static void backward(struct tape *t, struct node *y)
{
	const struct saved *s = y->saved;
	const struct choice *c = &s->c;
	int E = c->probability->cols;
	(void)t;
	for (size_t r = 0; r < (size_t)c->probability->rows; r++) {
		size_t row = r * (size_t)E, place = r * (size_t)c->k;
		for (int e = 0; e < E; e++)
			c->probability->g[row + (size_t)e] += s->slope->p[e];
		for (int j = 0; j < c->k; j++)
			if (c->expert[place + (size_t)j] >= 0)
				c->weight->g[place + (size_t)j] += s->slope->g[c->expert[place + (size_t)j]];
		if (s->slope->z > 0) {
			const real *z = c->logits->x + row;
			double lse = log_sum_exp(z, E);
			for (int e = 0; e < E; e++)
				c->logits->g[row + (size_t)e] +=
					(real)(2 * (double)s->slope->z * lse * exp((double)z[e] - lse));
		}
	}
}

void balance_record(struct tape *t, const struct choice *c, const struct balance_slope *slope)
{
	struct node *y = tape_node(t, 1, 1, 0, NULL, backward);
	y->x[0] = 0;
	if (t->gradients) {
		struct saved *s = y->saved = tape_take(t, sizeof *s);
		*s = (struct saved){*c, slope};
	}
}
