#include "tensor/gemm.h"
#include "tensor/ops.h"

#include <string.h>

struct saved {
	struct weight W, b;
};

struct node *op_input(struct tape *t, const real *x, int rows, int cols)
{
	struct node *y = tape_take(t, sizeof *y);
	*y = (struct node){.x = (real *)(uintptr_t)x, .rows = rows, .cols = cols};
	return y;
}

/* dx += dy W;  dW += dy^T x;  db += sum of the rows of dy */
static void backward(struct tape *t, struct node *y)
{
	const struct saved *s = y->saved;
	struct node *x = y->in[0];
	int rows = y->rows, out = y->cols, in = x->cols;
	(void)t;
	if (x->g)
		gemm(PLAIN, PLAIN, rows, in, out, 1, y->g, out, s->W.x, in, 1, x->g, in);
	gemm(TRANSPOSED, PLAIN, out, in, rows, 1, y->g, out, x->x, in, 1, s->W.g, in);
	for (int i = 0; i < rows; i++)
		for (int j = 0; j < out; j++)
			s->b.g[j] += y->g[(size_t)i * (size_t)out + (size_t)j];
}

struct node *op_linear(struct tape *t, struct node *x, struct weight W, struct weight b, int out)
{
	struct node *y = tape_node(t, x->rows, out, 1, &x, backward);
	for (int i = 0; i < x->rows; i++)
		memcpy(y->x + (size_t)i * (size_t)out, b.x, (size_t)out * sizeof(real));
	gemm(PLAIN, TRANSPOSED, x->rows, out, x->cols, 1, x->x, x->cols, W.x, x->cols, 1, y->x, out);
	if (t->gradients) {
		struct saved *s = y->saved = tape_take(t, sizeof *s);
		*s = (struct saved){W, b};
	}
	return y;
}
