/* A row of a table added to all rows of a window. */
#include "base/profile.h"
#include "tensor/ops.h"

struct saved {
	struct weight table;
	const int *row;
	int N;
};

/* dx += dy;  d table[row] += sum of dy over the rows of the window */
static void backward(struct tape *t, struct node *y)
{
	PROFILE_OPERATION("embedding of windows backward");
	const struct saved *s = y->saved;
	struct node *x = y->in[0];
	size_t cols = (size_t)y->cols;
	(void)t;
	for (int i = 0; i < y->rows; i++) {
		const real *dy = y->g + (size_t)i * cols;
		real *dx = x->g + (size_t)i * cols, *to = s->table.g + (size_t)s->row[i / s->N] * cols;
		for (size_t j = 0; j < cols; j++) {
			dx[j] += dy[j];
			to[j] += dy[j];
		}
	}
}

struct node *op_add_embedding(struct tape *t, struct node *x, struct weight table, const int *row, int N)
{
	PROFILE_OPERATION("embedding of windows");
	struct node *y = tape_node(t, x->rows, x->cols, 1, &x, backward);
	size_t cols = (size_t)y->cols;
	for (int i = 0; i < y->rows; i++) {
		const real *from = x->x + (size_t)i * cols, *u = table.x + (size_t)row[i / N] * cols;
		real *to = y->x + (size_t)i * cols;
		for (size_t j = 0; j < cols; j++)
			to[j] = from[j] + u[j];
	}
	if (t->gradients) {
		struct saved *s = y->saved = tape_take(t, sizeof *s);
		*s = (struct saved){table, row, N};
	}
	return y;
}
