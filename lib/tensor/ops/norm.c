#include "tensor/ops.h"
#include "tensor/vector.h"

#define EPS REAL(1e-5)

struct saved {
	struct weight W, b;
	real *xhat;  /* [rows][cols] (x - mean) / sqrt(var + eps) */
	real *scale; /* [rows] 1 / sqrt(var + eps) */
};

/* With u = dy W:  dx += scale (u - mean(u) - xhat mean(u xhat));  dW += sum dy xhat;  db += sum dy */
VECTOR_CLONES
static void rows_backward(int rows, int n, const real *dy, const real *xhat, const real *scale,
	const struct weight *W, const struct weight *b, real *dx)
{
	for (int i = 0; i < rows; i++, dy += n, xhat += n, dx += n) {
		real mean = 0, mean_xhat = 0;
		for (int j = 0; j < n; j++) {
			real u = dy[j] * W->x[j];
			mean += u;
			mean_xhat += u * xhat[j];
		}
		mean /= (real)n;
		mean_xhat /= (real)n;
		for (int j = 0; j < n; j++) {
			dx[j] += scale[i] * (dy[j] * W->x[j] - mean - xhat[j] * mean_xhat);
			W->g[j] += dy[j] * xhat[j];
			b->g[j] += dy[j];
		}
	}
}

static void backward(struct tape *t, struct node *y)
{
	const struct saved *s = y->saved;
	(void)t;
	rows_backward(y->rows, y->cols, y->g, s->xhat, s->scale, &s->W, &s->b, y->in[0]->g);
}

VECTOR_CLONES
static void rows_forward(
	int rows, int n, const real *x, const real *W, const real *b, real *y, real *xhat, real *scale)
{
	for (int i = 0; i < rows; i++, x += n, y += n) {
		real mean = 0, var = 0;
		for (int j = 0; j < n; j++)
			mean += x[j];
		mean /= (real)n;
		for (int j = 0; j < n; j++)
			var += (x[j] - mean) * (x[j] - mean);
		real s = 1 / (real)sqrt((double)(var / (real)n + EPS));
		for (int j = 0; j < n; j++) {
			real h = (x[j] - mean) * s;
			y[j] = h * W[j] + b[j];
			if (xhat)
				xhat[j] = h;
		}
		if (xhat) {
			scale[i] = s;
			xhat += n;
		}
	}
}

struct node *op_norm(struct tape *t, struct node *x, struct weight W, struct weight b)
{
	struct node *y = tape_node(t, x->rows, x->cols, 1, &x, backward);
	real *xhat = NULL, *scale = NULL;
	if (t->gradients) {
		struct saved *s = y->saved = tape_take(t, sizeof *s);
		xhat = tape_reals(t, (size_t)x->rows * (size_t)x->cols);
		scale = tape_reals(t, (size_t)x->rows);
		*s = (struct saved){W, b, xhat, scale};
	}
	rows_forward(x->rows, x->cols, x->x, W.x, b.x, y->x, xhat, scale);
	return y;
}
