/* A linear map for each kind of row. */
#include "base/profile.h"
#include "tensor/ops.h"
#include "tensor/product.h"

#include <string.h>

struct saved {
	struct weight W, b;
	int kinds;
};

/* For rows r = j, j + kinds, ...:  dx_r += dy_r W_j;  dW_j += dy_r^T x_r;  db_j += dy_r */
static void backward(struct tape *t, struct node *y)
{
	PROFILE_OPERATION("linear backward");
	const struct saved *s = y->saved;
	struct node *x = y->in[0];
	int m = y->rows / s->kinds, out = y->cols, in = x->cols;
	size_t I = (size_t)in, O = (size_t)out, kinds = (size_t)s->kinds;
	(void)t;
	for (size_t j = 0; j < kinds; j++) {
		const real *dy = y->g + j * O;
		if (x->g)
			product(m, in, out, (struct product_left){dy, kinds * O, 1}, s->W.x + j * O * I, I,
				x->g + j * I, kinds * I, FROM_C, NULL);
		product(out, in, m, (struct product_left){dy, 1, kinds * O}, x->x + j * I, kinds * I,
			s->W.g + j * O * I, I, FROM_C, NULL);
		for (size_t r = 0; r < (size_t)m; r++)
			for (size_t c = 0; c < O; c++)
				s->b.g[j * O + c] += dy[r * kinds * O + c];
	}
}

struct node *op_linear_kinds(
	struct tape *t, struct node *x, struct weight W, struct weight b, int out, int kinds)
{
	PROFILE_OPERATION("linear");
	struct node *y = tape_passing_node(t, x->rows, out, 1, &x, backward);
	int m = x->rows / kinds, in = x->cols;
	size_t I = (size_t)in, O = (size_t)out, n = (size_t)kinds;
	real *Wt = scratch_reals(t, I * O);
	for (size_t j = 0; j < n; j++) {
		for (size_t r = 0; r < (size_t)m; r++)
			memcpy(y->x + (r * n + j) * O, b.x + j * O, O * sizeof(real));
		transpose(out, in, W.x + j * O * I, I, Wt, O);
		product(m, out, in, (struct product_left){x->x + j * I, n * I, 1}, Wt, O, y->x + j * O, n * O,
			FROM_C, NULL);
	}
	scratch_done(t);
	if (t->gradients) {
		struct saved *s = y->saved = tape_take(t, sizeof *s);
		*s = (struct saved){W, b, kinds};
	}
	return y;
}
