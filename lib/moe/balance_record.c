/* The losses on the tape: their slopes go to the gradients of what a choice was made from. */
#include "moe/balance.h"
#include "moe/choice.h"
#include "tensor/softmax.h"

#include <math.h>

struct saved {
	struct choice c;
	int per, entries;
	const int *scope;
	const struct balance_slope *slope;
};

/* One level of a row; p, g: the slopes of the level's entries. */
static void add_row(const struct choice_level *l, size_t row, const real *p, const real *g, double z_slope)
{
	size_t place = row * (size_t)l->places;
	for (int j = 0; j < l->places; j++)
		if (l->chosen[place + (size_t)j] >= 0)
			l->weight->g[place + (size_t)j] += g[l->chosen[place + (size_t)j]];
	for (int i = 0; i < choice_reached(l); i++) {
		int from = choice_router(l, row, i) * l->n;
		size_t at = row * (size_t)l->probability->cols + (size_t)from;
		for (int e = 0; e < l->n; e++)
			l->probability->g[at + (size_t)e] += p[from + e];
		if (!(z_slope > 0))
			continue;
		const real *z = l->logits->x + at;
		double lse = log_sum_exp(z, l->n);
		for (int e = 0; e < l->n; e++)
			l->logits->g[at + (size_t)e] += (real)(2 * z_slope * lse * exp((double)z[e] - lse));
	}
}

static void backward(struct tape *t, struct node *y)
{
	const struct saved *s = y->saved;
	struct choice_level level[ROUTER_LEVELS];
	int levels = choice_levels(&s->c, level);
	(void)t;
	for (int r = 0; r < s->c.probability->rows; r++) {
		size_t at = s->scope ? (size_t)s->scope[r / s->per] * (size_t)s->entries : 0;
		const real *load = s->slope->load + at;
		for (int e = 0; s->c.load && e < s->c.load->cols; e++)
			s->c.load->g[r * s->c.load->cols + e] += load[e];
		for (int i = 0; i < levels; i++) {
			add_row(&level[i], (size_t)r, s->slope->p + at, s->slope->g + at,
				(double)s->slope->z[i]);
			at += (size_t)(level[i].routers * level[i].n);
		}
	}
}

void balance_record(
	struct tape *t, const struct choice *c, int per, const int *scope, const struct balance_slope *slope)
{
	struct node *y = tape_node(t, 1, 1, 0, NULL, backward);
	y->x[0] = 0;
	if (!t->gradients)
		return;
	struct choice_level level[ROUTER_LEVELS];
	struct saved *s = y->saved = tape_take(t, sizeof *s);
	*s = (struct saved){*c, per, 0, scope, slope};
	for (int i = choice_levels(c, level) - 1; i >= 0; i--)
		s->entries += level[i].routers * level[i].n;
}
