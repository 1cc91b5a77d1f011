/* The losses themselves: a term for each router in each scope. */
#include "moe/balance.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

/* One of them, and what part of the whole loss it is. */
struct term {
	const struct balance_sums *s;
	int router, entry, n;
	double part;
};

static double reach(const struct balance *b, const struct balance_level *l)
{
	double sum = 0;
	for (int i = 0; i < b->scopes; i++)
		for (int q = 0; q < l->routers; q++)
			sum += (double)b->sums[i].tokens[l->router + q];
	return sum;
}

/* The terms of one level; part is 0 where no token came. */
static struct term term_of(const struct balance *b, const struct balance_level *l, double all, int i)
{
	const struct balance_sums *s = &b->sums[i / l->routers];
	int q = i % l->routers;
	double tokens = (double)s->tokens[l->router + q];
	return (struct term){s, l->router + q, l->entry + q * l->n, l->n, all > 0 ? tokens / all : 0};
}

/* share [n] of each alternative that the form multiplies with its mean probability, of this batch
 * alone */
static void shares_now(const struct term *t, enum balance_form form, double *share)
{
	const int64_t *of = (form == BALANCE_FIRST ? t->s->first : t->s->count) + t->entry;
	double all = (double)(form == BALANCE_FIRST ? t->s->tokens : t->s->assigned)[t->router];
	for (int e = 0; e < t->n; e++)
		share[e] = (double)of[e] / all;
}

/* Weighted means of running shares start at 0: their sum says how much of 1 they have seen. */
static void shares(const struct balance *b, const struct term *t, enum balance_form form, double *share)
{
	double sum = 0;
	shares_now(t, form, share);
	for (int e = 0; e < t->n && b->running; e++)
		sum += share[e] = b->ema * (double)b->running[t->entry + e] + (1 - b->ema) * share[e];
	for (int e = 0; e < t->n; e++) {
		share[e] /= b->running ? sum : 1;
		if (form == BALANCE_SUM)
			share[e] *= (double)t->s->assigned[t->router] / (double)t->s->tokens[t->router];
	}
}

void balance_run(const struct balance *b, enum balance_form form, real *running)
{
	double *share = NEW_ARRAY(double, b->entries);
	for (int l = 0; l < b->levels; l++) {
		double all = reach(b, &b->level[l]);
		for (int i = 0; i < b->level[l].routers; i++) {
			struct term t = term_of(b, &b->level[l], all, i);
			if (!(t.part > 0))
				continue;
			shares_now(&t, form, share);
			for (int e = 0; e < t.n; e++)
				running[t.entry + e] = (real)(b->ema * (double)running[t.entry + e] +
							      (1 - b->ema) * share[e]);
		}
	}
	free(share);
}

static double cv2(const double *x, int n)
{
	double sum = 0, squares = 0;
	for (int e = 0; e < n; e++)
		sum += x[e];
	double mean = sum / n;
	for (int e = 0; e < n; e++)
		squares += (x[e] - mean) * (x[e] - mean);
	return mean > 0 ? squares / n / (mean * mean) : 0;
}

/* cv2 = n S / T^2 - 1 with S = sum of squares, T = sum:  w d/dx_i = w 2 n (x_i T - S) / T^3 */
static void slope_of_cv2(const double *x, int n, double w, real *slope)
{
	double total = 0, squares = 0;
	for (int i = 0; i < n; i++) {
		total += x[i];
		squares += x[i] * x[i];
	}
	for (int i = 0; i < n && total > 0; i++)
		slope[i] = (real)(w * (2 * n * (x[i] * total - squares) / (total * total * total)));
}

static bool by_variation(enum balance_form form)
{
	return form == BALANCE_CV2 || form == BALANCE_CV2_LOAD;
}

static double loss_of(const struct balance *b, const struct term *t, enum balance_form form, double *share)
{
	double sum = 0;
	if (by_variation(form)) {
		bool load = form == BALANCE_CV2_LOAD && b->has_load;
		return cv2(t->s->importance + t->entry, t->n) + (load ? cv2(t->s->load, t->n) : 0);
	}
	shares(b, t, form, share);
	for (int e = 0; e < t->n; e++)
		sum += share[e] * t->s->probability[t->entry + e] / (double)t->s->tokens[t->router];
	return t->n * sum;
}

double balance_loss(const struct balance *b, enum balance_form form)
{
	double sum = 0, *share = NEW_ARRAY(double, b->entries);
	for (int l = 0; l < b->levels && b->balanced; l++) {
		double all = reach(b, &b->level[l]);
		for (int i = 0; i < b->scopes * b->level[l].routers; i++) {
			struct term t = term_of(b, &b->level[l], all, i);
			if (t.part > 0)
				sum += t.part * loss_of(b, &t, form, share);
		}
	}
	free(share);
	return sum;
}

double balance_z(const struct balance *b)
{
	double sum = 0;
	for (int l = 0; l < b->levels && b->has_z; l++) {
		double all = reach(b, &b->level[l]);
		sum += all > 0 ? b->z[l] / all : 0;
	}
	return sum;
}

/* slope->p, ->g, ->load of one term; they are 0 */
static void slope_of(const struct balance *b, const struct term *t, enum balance_form form, double weight,
	size_t scope, struct balance_slope *slope, double *share)
{
	size_t at = scope * (size_t)b->entries + (size_t)t->entry;
	double w = weight * t->part;
	if (by_variation(form)) {
		slope_of_cv2(t->s->importance + t->entry, t->n, w, slope->g + at);
		if (form == BALANCE_CV2_LOAD && b->has_load)
			slope_of_cv2(t->s->load, t->n, w, slope->load + at);
		return;
	}
	shares(b, t, form, share);
	for (int e = 0; e < t->n; e++)
		slope->p[at + (size_t)e] = (real)(w * t->n * share[e] / (double)t->s->tokens[t->router]);
}

void balance_slopes(const struct balance *b, enum balance_form form, double weight, double z_weight,
	struct balance_slope *s)
{
	size_t n = (size_t)b->scopes * (size_t)b->entries;
	double *share = NEW_ARRAY(double, b->entries);
	if (n > s->room) {
		s->room = n;
		GROW(s->p, n);
		GROW(s->g, n);
		GROW(s->load, n);
	}
	memset(s->p, 0, n * sizeof *s->p);
	memset(s->g, 0, n * sizeof *s->g);
	memset(s->load, 0, n * sizeof *s->load);
	for (int l = 0; l < b->levels; l++) {
		const struct balance_level *at = &b->level[l];
		double all = reach(b, at);
		for (int i = 0; i < b->scopes * at->routers && b->balanced; i++) {
			struct term t = term_of(b, at, all, i);
			if (t.part > 0)
				slope_of(b, &t, form, weight, (size_t)(i / at->routers), s, share);
		}
		s->z[l] = b->has_z && all > 0 ? (real)(z_weight / all) : 0;
	}
	free(share);
}

void balance_slope_free(struct balance_slope *s)
{
	free(s->p);
	free(s->g);
	free(s->load);
	*s = (struct balance_slope){0};
}
