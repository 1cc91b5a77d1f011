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

/* Three products window by window, of w [B*N][M], x [B*N][cols] and s [B*M][cols]; from: FROM_ZERO
 * or FROM_C. */

/* s (+)= w^T x */
static void rows_to_slots(
	int B, int N, int M, int cols, const real *w, const real *x, real *s, enum product_start from)
{
	size_t n = (size_t)N, m = (size_t)M, c = (size_t)cols;
	for (int b = 0; b < B; b++, w += n * m, x += n * c, s += m * c)
		product(M, cols, N, (struct product_left){w, 1, m}, x, c, s, c, from, NULL);
}

/* x (+)= w s */
static void slots_to_rows(
	int B, int N, int M, int cols, const real *w, const real *s, real *x, enum product_start from)
{
	size_t n = (size_t)N, m = (size_t)M, c = (size_t)cols;
	for (int b = 0; b < B; b++, w += n * m, x += n * c, s += m * c)
		product(N, cols, M, (struct product_left){w, m, 1}, s, c, x, c, from, NULL);
}

/* w += x s^T */
static void add_weights(struct tape *t, int B, int N, int M, int cols, const real *x, const real *s, real *w)
{
	size_t n = (size_t)N, m = (size_t)M, c = (size_t)cols;
	real *st = scratch_reals(t, m * c);
	for (int b = 0; b < B; b++, w += n * m, x += n * c, s += m * c) {
		transpose(M, cols, s, c, st, m);
		product(N, M, cols, (struct product_left){x, c, 1}, st, m, w, m, FROM_C, NULL);
	}
	scratch_done(t);
}

/* dw = x dy^T;  dx = w dy */
static void slots_backward(struct tape *t, struct node *y)
{
	int N = *(const int *)y->saved;
	struct node *w = y->in[0], *x = y->in[1];
	int M = w->cols, cols = x->cols, B = x->rows / N;
	add_weights(t, B, N, M, cols, x->x, y->g, w->g);
	slots_to_rows(B, N, M, cols, w->x, y->g, x->g, FROM_C);
}

struct node *op_window_slots(struct tape *t, struct node *w, struct node *x, int N)
{
	int M = w->cols, cols = x->cols, B = x->rows / N;
	struct node *y = tape_node(t, B * M, cols, 2, (struct node *[]){w, x}, slots_backward);
	rows_to_slots(B, N, M, cols, w->x, x->x, y->x, FROM_ZERO);
	keep_rows(t, y, N);
	return y;
}

/* dw = dy s^T;  ds = w^T dy */
static void mix_backward(struct tape *t, struct node *y)
{
	int N = *(const int *)y->saved;
	struct node *w = y->in[0], *s = y->in[1];
	int M = w->cols, cols = s->cols, B = y->rows / N;
	add_weights(t, B, N, M, cols, y->g, s->x, w->g);
	rows_to_slots(B, N, M, cols, w->x, y->g, s->g, FROM_C);
}

struct node *op_window_mix(struct tape *t, struct node *w, struct node *s, int N)
{
	int M = w->cols, cols = s->cols, B = w->rows / N;
	struct node *y = tape_node(t, w->rows, cols, 2, (struct node *[]){w, s}, mix_backward);
	slots_to_rows(B, N, M, cols, w->x, s->x, y->x, FROM_ZERO);
	keep_rows(t, y, N);
	return y;
}
