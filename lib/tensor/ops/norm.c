#include "base/profile.h"
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

enum { PARTS = 8 }; /* sums over a row run in so many parts, added pairwise at the end */

INLINE double added(const double part[PARTS])
{
	return ((part[0] + part[4]) + (part[2] + part[6])) + ((part[1] + part[5]) + (part[3] + part[7]));
}

/* With u = dy W:  ds = scale (u - mean(u) - xhat mean(u xhat));  dW += dy xhat;  db += dy.  For one
 * row; ds is overwritten. */
VECTOR_CLONES
static void row_backward(int n, const real *restrict dy, const real *restrict xhat, real scale,
	const real *restrict W, real *restrict dW, real *restrict db, real *restrict ds)
{
	double sum[PARTS] = {0}, sum_xhat[PARTS] = {0};
	int j = 0;
	for (; j + PARTS <= n; j += PARTS)
		for (int l = 0; l < PARTS; l++) {
			double u = (double)(dy[j + l] * W[j + l]);
			sum[l] += u;
			sum_xhat[l] += u * (double)xhat[j + l];
		}
	for (int l = 0; j < n; j++, l++) {
		double u = (double)(dy[j] * W[j]);
		sum[l] += u;
		sum_xhat[l] += u * (double)xhat[j];
	}
	real mean = (real)(added(sum) / n), mean_xhat = (real)(added(sum_xhat) / n);
	for (j = 0; j < n; j++) {
		ds[j] = scale * (dy[j] * W[j] - mean - xhat[j] * mean_xhat);
		dW[j] += dy[j] * xhat[j];
		db[j] += dy[j];
	}
}

VECTOR_CLONES
static void add_products(real *restrict sum, const real *restrict x, const real *restrict mask, size_t n)
{
	for (size_t j = 0; j < n; j++)
		sum[j] += mask ? x[j] * mask[j] : x[j];
}

/* dx += ds;  df += ds * mask */
static void backward(struct tape *t, struct node *y)
{
	PROFILE_OPERATION("norm backward");
	const struct saved *s = y->saved;
	struct node *x = y->in[0], *f = y->inputs > 1 ? y->in[1] : NULL;
	size_t n = (size_t)y->cols;
	real *ds = scratch_reals(t, n), *mask = scratch_reals(t, n);
	for (int i = 0; i < y->rows; i++) {
		size_t at = (size_t)i * n;
		row_backward((int)n, y->g + at, s->xhat + at, s->scale[i], s->W.x, s->W.g, s->b.g, ds);
		add_products(x->g + at, ds, NULL, n);
		if (f && s->p > 0)
			dropout_mask(mask, (int)n, s->key, (uint32_t)at, s->p);
		if (f)
			add_products(f->g + at, ds, s->p > 0 ? mask : NULL, n);
	}
	scratch_done(t);
}

/* One row: s = x + f mask (f, mask may be NULL), in double: it is rounded once, at y. What backward
 * needs is written too. */
VECTOR_CLONES
static void row_forward(int n, const real *restrict x, const real *restrict f, const real *restrict mask,
	double *restrict s, const real *restrict W, const real *restrict b, real *restrict y,
	real *restrict xhat, real *restrict scale)
{
	double sum[PARTS] = {0}, squares[PARTS] = {0};
	for (int j = 0; j < n; j++)
		s[j] = (double)x[j] + (f ? mask ? (double)f[j] * (double)mask[j] : (double)f[j] : 0);
	int whole = n / PARTS * PARTS;
	for (int j = 0; j < whole; j += PARTS)
		for (int l = 0; l < PARTS; l++)
			sum[l] += s[j + l];
	for (int j = whole; j < n; j++)
		sum[j - whole] += s[j];
	double mean = added(sum) / n;
	for (int j = 0; j < whole; j += PARTS)
		for (int l = 0; l < PARTS; l++)
			squares[l] += (s[j + l] - mean) * (s[j + l] - mean);
	for (int j = whole; j < n; j++)
		squares[j - whole] += (s[j] - mean) * (s[j] - mean);
	double factor = 1 / sqrt(added(squares) / n + EPS);
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
	PROFILE_OPERATION("norm");
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
		row_forward((int)n, x->x + at, f ? f->x + at : NULL, p > 0 ? mask : NULL, sum, W.x, b.x,
			y->x + at, xhat ? xhat + at : NULL, scale ? scale + i : NULL);
	}
	scratch_done(t);
	return y;
}
