/* What keeps a gate from leaning on few experts: noise on its logits, and a loss on its weights. */
#include "tensor/ops.h"

#include <string.h>

static void shift_backward(struct tape *t, struct node *y)
{
	(void)t;
	for (size_t i = 0; i < (size_t)y->rows * (size_t)y->cols; i++)
		y->in[0]->g[i] += y->g[i];
}

struct node *op_shift(struct tape *t, struct node *x, const real *shift)
{
	struct node *y = tape_node(t, x->rows, x->cols, 1, &x, shift_backward);
	for (size_t i = 0; i < (size_t)x->rows * (size_t)x->cols; i++)
		y->x[i] = x->x[i] + shift[i];
	return y;
}

/* dp_bk = E f_k / B; the counts are constants */
static void balance_backward(struct tape *t, struct node *y)
{
	const real *slope = y->saved;
	struct node *p = y->in[0];
	size_t E = (size_t)p->cols;
	(void)t;
	for (size_t i = 0; i < (size_t)p->rows * E; i++)
		p->g[i] += y->g[0] * slope[i % E];
}

struct node *op_balance(struct tape *t, struct node *p)
{
	struct node *y = tape_node(t, 1, 1, 1, &p, balance_backward);
	size_t E = (size_t)p->cols, B = (size_t)p->rows;
	real *slope = y->saved = tape_reals(t, E);
	memset(slope, 0, E * sizeof(real));
	for (size_t b = 0; b < B; b++) {
		size_t first = 0;
		for (size_t k = 1; k < E; k++)
			if (p->x[b * E + k] > p->x[b * E + first])
				first = k;
		slope[first] += 1;
	}
	for (size_t k = 0; k < E; k++)
		slope[k] *= (real)E / (real)B / (real)B;
	double sum = 0;
	for (size_t i = 0; i < B * E; i++)
		sum += (double)slope[i % E] * (double)p->x[i];
	y->x[0] = (real)sum;
	return y;
}
