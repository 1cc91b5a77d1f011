#include "base/profile.h"
#include "tensor/gemm.h"
#include "tensor/ops.h"
#include "tensor/product.h"

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

/* Weights up to this size stay in the second cache; for larger ones the library that blocks for the
 * caches is faster. */
enum { SMALL = 1 << 16 };

/* dx += dy W;  dW += dy^T x;  db += sum of the rows of dy */
static void backward(struct tape *t, struct node *y)
{
	PROFILE_OPERATION("linear backward");
	const struct saved *s = y->saved;
	struct node *x = y->in[0];
	int rows = y->rows, out = y->cols, in = x->cols;
	size_t I = (size_t)in, O = (size_t)out;
	(void)t;
	if (out * in <= SMALL) {
		if (x->g)
			product(rows, in, out, (struct product_left){y->g, O, 1}, s->W.x, I, x->g, I, FROM_C,
				NULL);
		product(out, in, rows, (struct product_left){y->g, 1, O}, x->x, I, s->W.g, I, FROM_C, NULL);
	} else {
		if (x->g)
			gemm(PLAIN, PLAIN, rows, in, out, 1, y->g, out, s->W.x, in, 1, x->g, in);
		gemm(TRANSPOSED, PLAIN, out, in, rows, 1, y->g, out, x->x, in, 1, s->W.g, in);
	}
	if (s->b.x)
		add_rows(rows, out, y->g, s->b.g);
}

static void forward(struct tape *t, struct node *y, const struct node *x, struct weight W, struct weight b)
{
	PROFILE_OPERATION("linear");
	int in = x->cols, out = y->cols;
	size_t I = (size_t)in, O = (size_t)out;
	if (!b.x)
		memset(y->x, 0, (size_t)x->rows * O * sizeof(real));
	for (int i = 0; i < x->rows && b.x; i++)
		memcpy(y->x + (size_t)i * O, b.x, O * sizeof(real));
	if (out * in <= SMALL) {
		real *Wt = scratch_reals(t, I * O);
		transpose(out, in, W.x, I, Wt, O);
		product(x->rows, out, in, (struct product_left){x->x, I, 1}, Wt, O, y->x, O, FROM_C, NULL);
		scratch_done(t);
	} else {
		gemm(PLAIN, TRANSPOSED, x->rows, out, in, 1, x->x, in, W.x, in, 1, y->x, out);
	}
	if (t->gradients) {
		struct saved *s = y->saved = tape_take(t, sizeof *s);
		*s = (struct saved){W, b};
	}
}

struct node *op_linear(struct tape *t, struct node *x, struct weight W, struct weight b, int out)
{
	struct node *y = tape_node(t, x->rows, out, 1, &x, backward);
	forward(t, y, x, W, b);
	return y;
}

struct node *op_linear_passing(struct tape *t, struct node *x, struct weight W, struct weight b, int out)
{
	struct node *y = tape_passing_node(t, x->rows, out, 1, &x, backward);
	forward(t, y, x, W, b);
	return y;
}
