/* Units of a window, runs of its rows that are routed together: their means. */
#include "tensor/ops.h"

#include <string.h>

struct saved {
	int N, U;
	const int *unit;
	const int *size; /* [U] rows of each */
};

static void backward(struct tape *t, struct node *y)
{
	const struct saved *s = y->saved;
	struct node *x = y->in[0];
	size_t cols = (size_t)y->cols;
	(void)t;
	for (int i = 0; i < x->rows; i++) {
		int unit = s->unit[i % s->N];
		const real *dy = y->g + (size_t)(i / s->N * s->U + unit) * cols;
		for (size_t j = 0; j < cols; j++)
			x->g[(size_t)i * cols + j] += dy[j] / (real)s->size[unit];
	}
}

struct node *op_mean_units(struct tape *t, struct node *x, int N, int U, const int *unit)
{
	int B = x->rows / N, *size = tape_take(t, (size_t)U * sizeof *size);
	struct node *y = tape_node(t, B * U, x->cols, 1, &x, backward);
	size_t cols = (size_t)x->cols;
	memset(size, 0, (size_t)U * sizeof *size);
	for (int i = 0; i < N; i++)
		size[unit[i]]++;
	memset(y->x, 0, (size_t)y->rows * cols * sizeof(real));
	for (int i = 0; i < x->rows; i++) {
		real *sum = y->x + (size_t)(i / N * U + unit[i % N]) * cols;
		for (size_t j = 0; j < cols; j++)
			sum[j] += x->x[(size_t)i * cols + j];
	}
	for (int r = 0; r < y->rows; r++)
		for (size_t j = 0; j < cols; j++)
			y->x[(size_t)r * cols + j] /= (real)size[r % U];
	if (t->gradients) {
		struct saved *s = y->saved = tape_take(t, sizeof *s);
		*s = (struct saved){N, U, unit, size};
	}
	return y;
}
