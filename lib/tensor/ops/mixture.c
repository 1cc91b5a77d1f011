/* The way to the experts and back: choosing entries of a row, gathering rows, adding weighted
 * results. */
#include "base/profile.h"
#include "tensor/ops.h"

#include <string.h>

/* --- pick: weights of the chosen */

struct picked {
	const int *index;
	bool share;
};

/* y_s = x_i / S:  dx_i = (dy_s - sum_s' dy_s' y_s') / S   with S = sum of the picked, or 1 */
static void pick_backward(struct tape *t, struct node *y)
{
	const struct picked *s = y->saved;
	struct node *x = y->in[0];
	size_t k = (size_t)y->cols, n = (size_t)x->cols;
	(void)t;
	for (size_t r = 0; r < (size_t)y->rows; r++) {
		const int *index = s->index + r * k;
		const real *dy = y->g + r * k, *v = y->x + r * k;
		real sum = 0, dot = 0;
		for (size_t j = 0; j < k; j++)
			if (index[j] >= 0) {
				sum += x->x[r * n + (size_t)index[j]];
				dot += dy[j] * v[j];
			}
		if (!s->share) {
			sum = 1;
			dot = 0;
		}
		for (size_t j = 0; j < k; j++)
			if (index[j] >= 0 && sum > 0)
				x->g[r * n + (size_t)index[j]] += (dy[j] - dot) / sum;
	}
}

struct node *op_pick(struct tape *t, struct node *x, const int *index, int k, bool share)
{
	struct node *y = tape_node(t, x->rows, k, 1, &x, pick_backward);
	size_t n = (size_t)x->cols;
	for (size_t r = 0; r < (size_t)x->rows; r++) {
		const int *at = index + r * (size_t)k;
		real *v = y->x + r * (size_t)k, sum = 0;
		for (int j = 0; j < k; j++) {
			v[j] = at[j] < 0 ? 0 : x->x[r * n + (size_t)at[j]];
			sum += v[j];
		}
		for (int j = 0; share && sum > 0 && j < k; j++)
			v[j] /= sum;
	}
	if (t->gradients) {
		struct picked *s = y->saved = tape_take(t, sizeof *s);
		*s = (struct picked){index, share};
	}
	return y;
}

/* --- gather: rows by number */

static void gather_backward(struct tape *t, struct node *y)
{
	PROFILE_OPERATION("dispatch backward");
	const int *row = *(const int **)y->saved;
	struct node *x = y->in[0];
	size_t n = (size_t)y->cols;
	(void)t;
	for (size_t i = 0; i < (size_t)y->rows; i++)
		for (size_t j = 0; j < n; j++)
			x->g[(size_t)row[i] * n + j] += y->g[i * n + j];
}

struct node *op_gather(struct tape *t, struct node *x, const int *row, int n)
{
	PROFILE_OPERATION("dispatch");
	struct node *y = tape_node(t, n, x->cols, 1, &x, gather_backward);
	size_t cols = (size_t)x->cols;
	for (size_t i = 0; i < (size_t)n; i++)
		memcpy(y->x + i * cols, x->x + (size_t)row[i] * cols, cols * sizeof(real));
	if (t->gradients)
		*(const int **)(y->saved = tape_take(t, sizeof(int *))) = row;
	return y;
}

/* --- combine: the experts' answers, weighted, back at their rows */

/* d answer = w dy;  dw = dy . answer */
static void combine_backward(struct tape *t, struct node *y)
{
	PROFILE_OPERATION("combine backward");
	const struct assignment *a = y->saved;
	struct node *w = y->in[0];
	size_t n = (size_t)y->cols;
	(void)t;
	for (int e = 0; e < a->experts; e++) {
		struct node *answer = y->in[1 + e]; /* NULL: no entry */
		for (int i = a->first[e]; i < a->first[e + 1]; i++) {
			size_t from = (size_t)(i - a->first[e]) * n, to = (size_t)a->row[i] * n;
			size_t at = (size_t)a->row[i] * (size_t)w->cols + (size_t)a->slot[i];
			real dot = 0, weight = w->x[at];
			for (size_t j = 0; j < n; j++) {
				dot += y->g[to + j] * answer->x[from + j];
				answer->g[from + j] += weight * y->g[to + j];
			}
			if (w->g)
				w->g[at] += dot;
		}
	}
}

struct node *op_combine(
	struct tape *t, struct node *w, struct node *const *answer, const struct assignment *a, int cols)
{
	PROFILE_OPERATION("combine");
	struct node **in = tape_take(t, (size_t)(a->experts + 1) * sizeof *in);
	in[0] = w;
	memcpy(in + 1, answer, (size_t)a->experts * sizeof *in);
	struct node *y = tape_node(t, w->rows, cols, a->experts + 1, in, combine_backward);
	size_t n = (size_t)cols;
	memset(y->x, 0, (size_t)y->rows * n * sizeof(real));
	for (int e = 0; e < a->experts; e++)
		for (int i = a->first[e]; i < a->first[e + 1]; i++) {
			const real *from = answer[e]->x + (size_t)(i - a->first[e]) * n;
			real *to = y->x + (size_t)a->row[i] * n;
			real weight = w->x[(size_t)a->row[i] * (size_t)w->cols + (size_t)a->slot[i]];
			for (size_t j = 0; j < n; j++)
				to[j] += weight * from[j];
		}
	if (t->gradients) {
		struct assignment *s = y->saved = tape_take(t, sizeof *s);
		*s = *a;
	}
	return y;
}

/* --- rows that are their own answer */

static void add_rows_backward(struct tape *t, struct node *y)
{
	const bool *row = *(const bool **)y->saved;
	size_t n = (size_t)y->cols;
	(void)t;
	for (size_t r = 0; r < (size_t)y->rows; r++)
		for (size_t j = r * n; j < (r + 1) * n; j++) {
			y->in[0]->g[j] += y->g[j];
			if (row[r])
				y->in[1]->g[j] += y->g[j];
		}
}

struct node *op_add_rows(struct tape *t, struct node *z, struct node *x, const bool *row)
{
	struct node *y = tape_node(t, z->rows, z->cols, 2, (struct node *[]){z, x}, add_rows_backward);
	size_t n = (size_t)y->cols;
	for (size_t r = 0; r < (size_t)y->rows; r++)
		for (size_t j = r * n; j < (r + 1) * n; j++)
			y->x[j] = row[r] ? z->x[j] + x->x[j] : z->x[j];
	if (t->gradients)
		*(const bool **)(y->saved = tape_take(t, sizeof(bool *))) = row;
	return y;
}
