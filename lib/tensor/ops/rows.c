/* Rows of a window taken together: their mean, the first few, which can also be replaced, or those
 * after them. */
#include "tensor/ops.h"

#include <string.h>

struct saved {
	int B, from;
};

static struct node *with_saved(struct tape *t, struct node *y, int B, int from)
{
	if (t->gradients) {
		struct saved *s = y->saved = tape_take(t, sizeof *s);
		*s = (struct saved){B, from};
	}
	return y;
}

static void mean_backward(struct tape *t, struct node *y)
{
	const struct saved *s = y->saved;
	struct node *x = y->in[0];
	int H = y->cols, N = x->rows / s->B;
	real share = 1 / (real)(N - s->from);
	(void)t;
	for (int b = 0; b < s->B; b++)
		for (int i = s->from; i < N; i++)
			for (int h = 0; h < H; h++)
				x->g[((size_t)b * (size_t)N + (size_t)i) * (size_t)H + (size_t)h] +=
					share * y->g[(size_t)b * (size_t)H + (size_t)h];
}

struct node *op_mean_rows(struct tape *t, struct node *x, int B, int from)
{
	int H = x->cols, N = x->rows / B;
	struct node *y = tape_node(t, B, H, 1, &x, mean_backward);
	real share = 1 / (real)(N - from);
	for (int b = 0; b < B; b++) {
		real *sum = y->x + (size_t)b * (size_t)H;
		memset(sum, 0, (size_t)H * sizeof *sum);
		for (int i = from; i < N; i++)
			for (int h = 0; h < H; h++)
				sum[h] += x->x[((size_t)b * (size_t)N + (size_t)i) * (size_t)H + (size_t)h];
		for (int h = 0; h < H; h++)
			sum[h] *= share;
	}
	return with_saved(t, y, B, from);
}

static void first_backward(struct tape *t, struct node *y)
{
	const struct saved *s = y->saved;
	struct node *x = y->in[0];
	size_t H = (size_t)y->cols, N = (size_t)(x->rows / s->B), G = (size_t)(y->rows / s->B);
	(void)t;
	for (size_t b = 0; b < (size_t)s->B; b++)
		for (size_t i = 0; i < G * H; i++)
			x->g[b * N * H + i] += y->g[b * G * H + i];
}

struct node *op_first_rows(struct tape *t, struct node *x, int B, int G)
{
	struct node *y = tape_node(t, B * G, x->cols, 1, &x, first_backward);
	size_t H = (size_t)x->cols, N = (size_t)(x->rows / B);
	for (size_t b = 0; b < (size_t)B; b++)
		memcpy(y->x + b * (size_t)G * H, x->x + b * N * H, (size_t)G * H * sizeof(real));
	return with_saved(t, y, B, 0);
}

static void from_backward(struct tape *t, struct node *y)
{
	const struct saved *s = y->saved;
	struct node *x = y->in[0];
	size_t before = (size_t)s->from * (size_t)y->cols, n = (size_t)(y->rows / s->B) * (size_t)y->cols,
	       all = before + n;
	(void)t;
	for (size_t b = 0; b < (size_t)s->B; b++)
		for (size_t i = 0; i < n; i++)
			x->g[b * all + before + i] += y->g[b * n + i];
}

struct node *op_rows_from(struct tape *t, struct node *x, int B, int from)
{
	int rows = x->rows / B - from;
	struct node *y = tape_node(t, B * rows, x->cols, 1, &x, from_backward);
	size_t before = (size_t)from * (size_t)x->cols, n = (size_t)rows * (size_t)x->cols, all = before + n;
	for (size_t b = 0; b < (size_t)B; b++)
		memcpy(y->x + b * n, x->x + b * all + before, n * sizeof(real));
	return with_saved(t, y, B, from);
}

static void replace_backward(struct tape *t, struct node *y)
{
	const struct saved *s = y->saved;
	struct node *x = y->in[0], *first = y->in[1];
	size_t n = (size_t)y->rows / (size_t)s->B * (size_t)y->cols,
	       replaced = (size_t)first->rows / (size_t)s->B * (size_t)y->cols;
	(void)t;
	for (size_t b = 0; b < (size_t)s->B; b++) {
		for (size_t i = 0; i < replaced; i++)
			first->g[b * replaced + i] += y->g[b * n + i];
		for (size_t i = replaced; i < n; i++)
			x->g[b * n + i] += y->g[b * n + i];
	}
}

struct node *op_replace_rows(struct tape *t, struct node *x, struct node *first, int B)
{
	struct node *y = tape_node(t, x->rows, x->cols, 2, (struct node *[]){x, first}, replace_backward);
	size_t n = (size_t)x->rows / (size_t)B * (size_t)x->cols,
	       replaced = (size_t)first->rows / (size_t)B * (size_t)x->cols;
	for (size_t b = 0; b < (size_t)B; b++) {
		memcpy(y->x + b * n, first->x + b * replaced, replaced * sizeof(real));
		memcpy(y->x + b * n + replaced, x->x + b * n + replaced, (n - replaced) * sizeof(real));
	}
	return with_saved(t, y, B, 0);
}
