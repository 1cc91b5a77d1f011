#include "base/profile.h"
#include "tensor/ops.h"

struct saved {
	uint32_t key;
	real p;
};

/* dx += dy;  df += dy * mask */
static void backward(struct tape *t, struct node *y)
{
	PROFILE_OPERATION("residual backward");
	const struct saved *s = y->saved;
	struct node *x = y->in[0], *f = y->in[1];
	size_t cols = (size_t)y->cols;
	real *mask = scratch_reals(t, cols);
	for (int i = 0; i < y->rows; i++) {
		size_t at = (size_t)i * cols;
		for (size_t j = 0; j < cols; j++)
			x->g[at + j] += y->g[at + j];
		if (s->p > 0) {
			dropout_mask(mask, (int)cols, s->key, (uint32_t)at, s->p);
			for (size_t j = 0; j < cols; j++)
				f->g[at + j] += y->g[at + j] * mask[j];
		} else {
			for (size_t j = 0; j < cols; j++)
				f->g[at + j] += y->g[at + j];
		}
	}
	scratch_done(t);
}

struct node *op_residual(struct tape *t, struct node *x, struct node *f)
{
	PROFILE_OPERATION("residual");
	struct node *y = tape_node(t, x->rows, x->cols, 2, (struct node *[]){x, f}, backward);
	size_t cols = (size_t)y->cols;
	real p = t->gradients ? t->dropout.p : 0;
	uint32_t key = p > 0 ? tape_mask_key(t) : 0;
	real *mask = scratch_reals(t, cols);
	for (int i = 0; i < y->rows; i++) {
		size_t at = (size_t)i * cols;
		if (p > 0) {
			dropout_mask(mask, (int)cols, key, (uint32_t)at, p);
			for (size_t j = 0; j < cols; j++)
				y->x[at + j] = x->x[at + j] + f->x[at + j] * mask[j];
		} else {
			for (size_t j = 0; j < cols; j++)
				y->x[at + j] = x->x[at + j] + f->x[at + j];
		}
	}
	scratch_done(t);
	if (t->gradients) {
		struct saved *s = y->saved = tape_take(t, sizeof *s);
		*s = (struct saved){key, p};
	}
	return y;
}
