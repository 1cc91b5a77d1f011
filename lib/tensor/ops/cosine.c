#include "tensor/ops.h"

#include <math.h>

/* Lengths below this count as this, so that a row of zeros has a direction. */
static const double shortest = 1e-12, largest = 100;

struct saved {
	struct weight w, scale;
	bool exponential;
	double factor;
	double *length_x, *length_w; /* [rows], [E] */
};

static double length(const real *x, int n)
{
	double sum = 0;
	for (int i = 0; i < n; i++)
		sum += (double)x[i] * (double)x[i];
	return fmax(sqrt(sum), shortest);
}

static double dot(const real *x, const real *y, int n)
{
	double sum = 0;
	for (int i = 0; i < n; i++)
		sum += (double)x[i] * (double)y[i];
	return sum;
}

/* with c = x . w / (|x| |w|):  dc/dx = (w/|w| - c x/|x|) / |x|, and the same the other way round */
static void backward(struct tape *t, struct node *y)
{
	const struct saved *s = y->saved;
	struct node *x = y->in[0];
	int E = y->cols, D = x->cols;
	double dscale = 0;
	(void)t;
	for (int r = 0; r < y->rows; r++) {
		const real *row = x->x + (size_t)r * (size_t)D;
		real *dx = x->g + (size_t)r * (size_t)D;
		for (int e = 0; e < E; e++) {
			const real *w = s->w.x + (size_t)e * (size_t)D;
			real *dw = s->w.g + (size_t)e * (size_t)D;
			size_t at = (size_t)r * (size_t)E + (size_t)e;
			double lx = s->length_x[r], lw = s->length_w[e];
			double c = (double)y->x[at] / s->factor, g = (double)y->g[at] * s->factor;
			dscale += (double)y->g[at] * c;
			for (int i = 0; i < D; i++) {
				double ux = (double)row[i] / lx, uw = (double)w[i] / lw;
				dx[i] += (real)(g * (uw - c * ux) / lx);
				dw[i] += (real)(g * (ux - c * uw) / lw);
			}
		}
	}
	if (s->scale.x && !s->exponential)
		s->scale.g[0] += (real)dscale;
	else if (s->scale.x && s->factor < largest)
		s->scale.g[0] += (real)(dscale * s->factor);
}

struct node *op_cosine(
	struct tape *t, struct node *x, struct weight w, int E, struct weight scale, bool exponential)
{
	struct node *y = tape_node(t, x->rows, E, 1, &x, backward);
	int D = x->cols;
	double *length_x = tape_take(t, (size_t)x->rows * sizeof *length_x),
	       *length_w = tape_take(t, (size_t)E * sizeof *length_w);
	double factor = scale.x ? (double)scale.x[0] : 1;
	if (exponential)
		factor = fmin(exp(factor), largest);
	for (int e = 0; e < E; e++)
		length_w[e] = length(w.x + (size_t)e * (size_t)D, D);
	for (int r = 0; r < x->rows; r++) {
		const real *row = x->x + (size_t)r * (size_t)D;
		length_x[r] = length(row, D);
		for (int e = 0; e < E; e++)
			y->x[(size_t)r * (size_t)E + (size_t)e] =
				(real)(factor * dot(row, w.x + (size_t)e * (size_t)D, D) /
					(length_x[r] * length_w[e]));
	}
	if (t->gradients) {
		struct saved *s = y->saved = tape_take(t, sizeof *s);
		*s = (struct saved){w, scale, exponential, factor, length_x, length_w};
	}
	return y;
}
