/* Mixing within a window: softmax over its rows, rows to slots and slots to rows. */
#include "tensor/ops.h"
#include "tensor/product.h"

#include <math.h>
#include <string.h>

static void keep_rows(struct tape *t, struct node *y, int N)
{
	if (t->gradients)
		*(int *)(y->saved = tape_take(t, sizeof(int))) = N;
}

/* dx = y (dy - sum over the window's rows of dy y) */
static void softmax_backward(struct tape *t, struct node *y)
{
	int N = *(const int *)y->saved, cols = y->cols;
	(void)t;
	for (int from = 0; from < y->rows; from += N)
		for (int j = 0; j < cols; j++) {
			size_t at = (size_t)from * (size_t)cols + (size_t)j, step = (size_t)cols;
			real dot = 0;
			for (size_t i = 0; i < (size_t)N; i++)
				dot += y->g[at + i * step] * y->x[at + i * step];
			for (size_t i = 0; i < (size_t)N; i++)
				y->in[0]->g[at + i * step] +=
					y->x[at + i * step] * (y->g[at + i * step] - dot);
		}
}

struct node *op_softmax_rows(struct tape *t, struct node *x, int N)
{
	struct node *y = tape_node(t, x->rows, x->cols, 1, &x, softmax_backward);
	size_t step = (size_t)x->cols;
	for (int from = 0; from < x->rows; from += N)
		for (size_t j = 0; j < step; j++) {
			size_t at = (size_t)from * step + j;
			real top = x->x[at], sum = 0;
			for (size_t i = 1; i < (size_t)N; i++)
				top = x->x[at + i * step] > top ? x->x[at + i * step] : top;
			for (size_t i = 0; i < (size_t)N; i++)
				sum += y->x[at + i * step] = (real)exp((double)(x->x[at + i * step] - top));
			for (size_t i = 0; i < (size_t)N; i++)
				y->x[at + i * step] /= sum;
		}
	keep_rows(t, y, N);
	return y;
}

/* Where a window's parts stand: w [N][M], x [N][cols], s [M][cols]. */
struct part {
	size_t w, x, s;
};

static struct part part_of(int b, int N, int M, int cols)
{
	size_t i = (size_t)b, n = (size_t)N, m = (size_t)M, c = (size_t)cols;
	return (struct part){i * n * m, i * n * c, i * m * c};
}

/* dw = x dy^T;  dx = w dy */
static void slots_backward(struct tape *t, struct node *y)
{
	int N = *(const int *)y->saved;
	struct node *w = y->in[0], *x = y->in[1];
	int M = w->cols, cols = x->cols, B = x->rows / N;
	size_t m = (size_t)M, c = (size_t)cols;
	real *dyt = scratch_reals(t, m * c);
	for (int b = 0; b < B; b++) {
		struct part p = part_of(b, N, M, cols);
		transpose(M, cols, y->g + p.s, c, dyt, m);
		product(N, M, cols, (struct product_left){x->x + p.x, c, 1}, dyt, m, w->g + p.w, m, FROM_C,
			NULL);
		product(N, cols, M, (struct product_left){w->x + p.w, m, 1}, y->g + p.s, c, x->g + p.x, c,
			FROM_C, NULL);
	}
	scratch_done(t);
}

struct node *op_window_slots(struct tape *t, struct node *w, struct node *x, int N)
{
	int M = w->cols, cols = x->cols, B = x->rows / N;
	struct node *y = tape_node(t, B * M, cols, 2, (struct node *[]){w, x}, slots_backward);
	size_t m = (size_t)M, c = (size_t)cols;
	for (int b = 0; b < B; b++) {
		struct part p = part_of(b, N, M, cols);
		product(M, cols, N, (struct product_left){w->x + p.w, 1, m}, x->x + p.x, c, y->x + p.s, c,
			FROM_ZERO, NULL);
	}
	keep_rows(t, y, N);
	return y;
}

/* dw = dy s^T;  ds = w^T dy */
static void mix_backward(struct tape *t, struct node *y)
{
	int N = *(const int *)y->saved;
	struct node *w = y->in[0], *s = y->in[1];
	int M = w->cols, cols = s->cols, B = y->rows / N;
	size_t m = (size_t)M, c = (size_t)cols;
	real *st = scratch_reals(t, m * c);
	for (int b = 0; b < B; b++) {
		struct part p = part_of(b, N, M, cols);
		transpose(M, cols, s->x + p.s, c, st, m);
		product(N, M, cols, (struct product_left){y->g + p.x, c, 1}, st, m, w->g + p.w, m, FROM_C,
			NULL);
		product(M, cols, N, (struct product_left){w->x + p.w, 1, m}, y->g + p.x, c, s->g + p.s, c,
			FROM_C, NULL);
	}
	scratch_done(t);
}

struct node *op_window_mix(struct tape *t, struct node *w, struct node *s, int N)
{
	int M = w->cols, cols = s->cols, B = w->rows / N;
	struct node *y = tape_node(t, w->rows, cols, 2, (struct node *[]){w, s}, mix_backward);
	size_t m = (size_t)M, c = (size_t)cols;
	for (int b = 0; b < B; b++) {
		struct part p = part_of(b, N, M, cols);
		product(N, cols, M, (struct product_left){w->x + p.w, m, 1}, s->x + p.s, c, y->x + p.x, c,
			FROM_ZERO, NULL);
	}
	keep_rows(t, y, N);
	return y;
}
