/* An activation on its own, where something stands between it and the linear map before it. */
#include "base/profile.h"
#include "tensor/activation.h"
#include "tensor/ops.h"

struct saved {
	enum activation act;
	uint32_t key;
	real p;
};

/* y = act(x), slope = act'(x), for n numbers */
VECTOR_CLONES
static void activate(
	const real *restrict x, real *restrict y, real *restrict slope, size_t n, enum activation act)
{
	PROFILE_PART("activation");
	for (size_t i = 0; i < n; i += LANES) { /* what is left of a row goes through a vector of its own */
		real part[LANES] = {0}, value[LANES], steep[LANES];
		size_t some = n - i < LANES ? n - i : LANES;
		memcpy(part, x + i, some * sizeof(real));
		vec v = V_LOAD(part), s = V_SPLAT(REAL(0.0));
		if (act == ACT_GELU) {
			V_STORE(value, gelu(v, &s));
			V_STORE(steep, s);
		} else {
			for (int j = 0; j < LANES; j++) {
				value[j] = part[j] > 0 ? part[j] : 0;
				steep[j] = part[j] > 0;
			}
		}
		memcpy(y + i, value, some * sizeof(real));
		memcpy(slope + i, steep, some * sizeof(real));
	}
}

/* dx += dy mask act'(x) */
static void backward(struct tape *t, struct node *y)
{
	PROFILE_OPERATION("activation backward");
	const struct saved *s = y->saved;
	struct node *x = y->in[0];
	size_t cols = (size_t)y->cols;
	real *value = scratch_reals(t, cols), *slope = scratch_reals(t, cols), *mask = scratch_reals(t, cols);
	for (size_t i = 0; i < (size_t)y->rows; i++) {
		size_t at = i * cols;
		activate(x->x + at, value, slope, cols, s->act);
		if (s->p > 0)
			dropout_mask(mask, y->cols, s->key, (uint32_t)at, s->p);
		for (size_t j = 0; j < cols; j++)
			x->g[at + j] += y->g[at + j] * slope[j] * (s->p > 0 ? mask[j] : 1);
	}
	scratch_done(t);
}

struct node *op_activation(struct tape *t, struct node *x, enum activation act)
{
	PROFILE_OPERATION("activation");
	struct node *y = tape_node(t, x->rows, x->cols, 1, &x, backward);
	size_t cols = (size_t)x->cols;
	real p = t->gradients ? t->dropout.p : 0;
	uint32_t key = p > 0 ? tape_mask_key(t) : 0;
	real *slope = scratch_reals(t, cols), *mask = scratch_reals(t, cols);
	for (size_t i = 0; i < (size_t)x->rows; i++) {
		size_t at = i * cols;
		activate(x->x + at, y->x + at, slope, cols, act);
		if (p > 0)
			dropout_mask(mask, x->cols, key, (uint32_t)at, p);
		for (size_t j = 0; p > 0 && j < cols; j++)
			y->x[at + j] *= mask[j];
	}
	scratch_done(t);
	if (t->gradients) {
		struct saved *s = y->saved = tape_take(t, sizeof *s);
		*s = (struct saved){act, key, p};
	}
	return y;
}
