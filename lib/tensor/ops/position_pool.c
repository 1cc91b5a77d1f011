/* Pooling that keeps time: each position of a window has weights of its own. */
#include "base/profile.h"
#include "tensor/ops.h"

#include <string.h>

struct saved {
	struct weight W;
	int B, from;
};

/* Numbers of a window. */
static size_t window_size(const struct node *x, int B)
{
	return (size_t)(x->rows / B) * (size_t)x->cols;
}

/* dx_i += W_i dy / n;  dW_i += x_i dy / n */
static void backward(struct tape *t, struct node *y)
{
	PROFILE_OPERATION("pooling backward");
	const struct saved *s = y->saved;
	struct node *x = y->in[0];
	int n = x->rows / s->B - s->from;
	size_t H = (size_t)y->cols, skip = (size_t)s->from * H;
	real share = 1 / (real)n;
	(void)t;
	for (int b = 0; b < s->B; b++) {
		size_t at = (size_t)b * window_size(x, s->B) + skip;
		const real *dy = y->g + (size_t)b * H;
		for (size_t i = 0; i < (size_t)n * H; i += H)
			for (size_t h = 0; h < H; h++) {
				x->g[at + i + h] += s->W.x[i + h] * dy[h] * share;
				s->W.g[i + h] += x->x[at + i + h] * dy[h] * share;
			}
	}
}

struct node *op_position_pool(struct tape *t, struct node *x, struct weight W, int B, int from)
{
	PROFILE_OPERATION("pooling");
	int n = x->rows / B - from;
	size_t H = (size_t)x->cols, skip = (size_t)from * H;
	struct node *y = tape_node(t, B, x->cols, 1, &x, backward);
	real share = 1 / (real)n;
	memset(y->x, 0, (size_t)B * H * sizeof(real));
	for (int b = 0; b < B; b++) {
		const real *row = x->x + (size_t)b * window_size(x, B) + skip;
		real *to = y->x + (size_t)b * H;
		for (size_t i = 0; i < (size_t)n * H; i += H)
			for (size_t h = 0; h < H; h++)
				to[h] += W.x[i + h] * row[i + h];
		for (size_t h = 0; h < H; h++)
			to[h] *= share;
	}
	if (t->gradients) {
		struct saved *s = y->saved = tape_take(t, sizeof *s);
		*s = (struct saved){W, B, from};
	}
	return y;
}
