/* The same numbers in rows of another length; rows times a number each. */
#include "tensor/ops.h"

#include "base/error.h"

#include <string.h>

static size_t area(const struct node *x)
{
	return (size_t)x->rows * (size_t)x->cols;
}

static void reshape_backward(struct tape *t, struct node *y)
{
	(void)t;
	for (size_t i = 0; i < area(y); i++)
		y->in[0]->g[i] += y->g[i];
}

struct node *op_reshape(struct tape *t, struct node *x, int cols)
{
	must(area(x) % (size_t)cols == 0);
	struct node *y = tape_node(t, (int)(area(x) / (size_t)cols), cols, 1, &x, reshape_backward);
	memcpy(y->x, x->x, area(x) * sizeof *x->x);
	return y;
}

/* dx = z dy;  dz = x . dy */
static void times_rows_backward(struct tape *t, struct node *y)
{
	struct node *x = y->in[0], *z = y->in[1];
	size_t n = (size_t)y->cols;
	(void)t;
	for (size_t r = 0; r < (size_t)y->rows; r++)
		for (size_t j = r * n; j < (r + 1) * n; j++) {
			x->g[j] += z->x[r] * y->g[j];
			z->g[r] += x->x[j] * y->g[j];
		}
}

struct node *op_times_rows(struct tape *t, struct node *x, struct node *z)
{
	must(z->cols == 1 && z->rows == x->rows);
	struct node *y = tape_node(t, x->rows, x->cols, 2, (struct node *[]){x, z}, times_rows_backward);
	for (size_t i = 0; i < area(y); i++)
		y->x[i] = x->x[i] * z->x[i / (size_t)y->cols];
	return y;
}
