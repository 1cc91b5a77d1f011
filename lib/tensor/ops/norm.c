#include "tensor/ops.h"
#include "tensor/vector.h"

#define EPS 1e-5

struct saved {
	struct weight W, b;
	real *xhat;  /* [rows][cols] (s - mean) / sqrt(var + eps), s = x + dropout(f) */
	real *scale; /* [rows] 1 / sqrt(var + eps) */
	uint32_t key;
	real p;
};

/* With u = dy W:  ds = scale (u - mean(u) - xhat mean(u xhat));  dW += dy xhat;  db += dy.  For one row; ds is overwritten. */
VECTOR_CLONES
static void row_backward(int n, const real *dy, const real *xhat, real scale, const struct weight *W,
	const struct weight *b, real *ds)
{
	real mean = 0, mean_xhat = 0;
	for (int j = 0; j < n; j++) {
		real u = dy[j] * W->x[j];
		mean += u;
		mean_xhat += u * xhat[j];
	}
	mean /= (real)n;
	mean_xhat /= (real)n;
	for (int j = 0; j < n; j++) {
		ds[j] = scale * (dy[j] * W->x[j] - mean - xhat[j] * mean_xhat);
		W->g[j] += dy[j] * xhat[j];
		b->g[j] += dy[j];
	}
}

/* dx += ds;  df += ds * mask */
static void backward(struct tape *t, struct node *y)
{
	const struct saved *s = y->saved;
	struct node *x = y->in[0], *f = y->inputs > 1 ? y->in[1] : NULL;
	size_t n = (size_t)y->cols;
	real *ds = scratch_reals(t, n), *mask = scratch_reals(t, n);
	for (int i = 0; i < y->rows; i++) {
		size_t at = (size_t)i * n;
		row_backward((int)n, y->g + at, s->xhat + at, s->scale[i], &s->W, &s->b, ds);
		for (size_t j = 0; j < n; j++)
			x->g[at + j] += ds[j];
		if (!f)
			continue;
		if (s->p > 0) {
			dropout_mask(mask, (int)n, s->key, (uint32_t)at, s->p);
			for (size_t j = 0; j < n; j++)
				ds[j] *= mask[j];
		}
		for (size_t j = 0; j < n; j++)
			f->g[at + j] += ds[j];
	}
	scratch_done(t);
}

/* One row: sum (in double: it is rounded once, at y) to y, and what backward needs. */
VECTOR_CLONES
static void row_forward(
	int n, const double *s, const real *W, const real *b, real *y, real *xhat, real *scale)
{
	double mean = 0, var = 0;
	for (int j = 0; j < n; j++)
		mean += s[j];
	mean /= n;
	for (int j = 0; j < n; j++)
		var += (s[j] - mean) * (s[j] - mean);
	double factor = 1 / sqrt(var / n + EPS);
	for (int j = 0; j < n; j++) {
		double h = (s[j] - mean) * factor;
		y[j] = (real)(h * (double)W[j] + (double)b[j]);
		if (xhat)
			xhat[j] = (real)h;
	}
	if (scale)
		*scale = (real)factor;
}

struct node *op_norm(struct tape *t, struct node *x, struct node *f, struct weight W, struct weight b)
{
	struct node *y = tape_node(t, x->rows, x->cols, f ? 2 : 1, (struct node *[]){x, f}, backward);
	size_t n = (size_t)x->cols;
	real p = f && t->gradients ? t->dropout.p : 0;
	uint32_t key = p > 0 ? tape_mask_key(t) : 0;
	real *xhat = NULL, *scale = NULL, *mask = scratch_reals(t, n);
	double *sum = arena_take(t->scratch, n * sizeof *sum);
	if (t->gradients) {
		struct saved *s = y->saved = tape_take(t, sizeof *s);
		xhat = tape_reals(t, (size_t)x->rows * n);
		scale = tape_reals(t, (size_t)x->rows);
		*s = (struct saved){W, b, xhat, scale, key, p};
	}
	for (int i = 0; i < x->rows; i++) {
		size_t at = (size_t)i * n;
		if (p > 0)
			dropout_mask(mask, (int)n, key, (uint32_t)at, p);
		for (size_t j = 0; j < n; j++) {
			double v = f ? (double)f->x[at + j] : 0;
			sum[j] = (double)x->x[at + j] + (p > 0 ? v * (double)mask[j] : v);
		}
		row_forward(
			(int)n, sum, W.x, b.x, y->x + at, xhat ? xhat + at : NULL, scale ? scale + i : NULL);
	}
	scratch_done(t);
	return y;
}
