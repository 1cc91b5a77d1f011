#include "tensor/gemm.h"
#include "tensor/ops.h"
#include "tensor/vector.h"

/* Hidden units of one tile: [rows][TILE] for the rows of a window stays in the second-level cache. */
enum { TILE = 384 };

struct saved {
	struct weight W1, b1, W2, b2;
	int F;
	enum activation act;
	uint32_t key;
	real p;
};

/* Phi(x), the normal distribution function, and x Phi(x) = gelu (Hendrycks, Gimpel 2016), exact form. In float erf is taken
 * from formula 7.1.26 of Abramowitz and Stegun (error below 1.5e-7). */
INLINE real normal_cdf(real x)
{
#ifdef REAL_DOUBLE
	return 0.5 * (1 + erf(x * 0.70710678118654752440));
#else
	float z = fabsf(x) * 0.70710678F, u = 1 / (1 + 0.3275911F * z);
	float tail = ((((1.061405429F * u - 1.453152027F) * u + 1.421413741F) * u - 0.284496736F) * u +
			     0.254829592F) *
		     u * expf(-z * z);
	return x < 0 ? 0.5F * tail : 1 - 0.5F * tail;
#endif
}

INLINE real normal_density(real x)
{
	return REAL(0.3989422804014327) * (real)exp((double)(x * x * REAL(-0.5)));
}

/* hidden = act(hidden + bias), for one tile row; with slope (not NULL) also act'(...). */
VECTOR_CLONES
static void activate(
	real *restrict hidden, const real *restrict bias, real *restrict slope, int n, enum activation act)
{
	if (act == ACT_RELU && slope) {
		for (int j = 0; j < n; j++) {
			real z = hidden[j] + bias[j];
			slope[j] = z > 0;
			hidden[j] = z > 0 ? z : 0;
		}
	} else if (act == ACT_RELU) {
		for (int j = 0; j < n; j++) {
			real z = hidden[j] + bias[j];
			hidden[j] = z > 0 ? z : 0;
		}
	} else {
		for (int j = 0; j < n; j++) {
			real z = hidden[j] + bias[j], cdf = normal_cdf(z);
			if (slope)
				slope[j] = cdf + z * normal_density(z);
			hidden[j] = z * cdf;
		}
	}
}

VECTOR_CLONES
static void multiply(real *restrict x, const real *restrict y, int n)
{
	for (int j = 0; j < n; j++)
		x[j] *= y[j];
}

/* One tile of the hidden layer for all rows: h [rows][n] = dropout(act(x W1^T + b1)), slope = its derivative, mask included. */
static void tile_forward(
	const struct saved *s, const struct node *x, int from, int n, real *h, real *slope, real *mask)
{
	int H = x->cols;
	gemm(PLAIN, TRANSPOSED, x->rows, n, H, 1, x->x, H, s->W1.x + (size_t)from * (size_t)H, H, 0, h, n);
	for (int i = 0; i < x->rows; i++) {
		size_t at = (size_t)i * (size_t)n;
		activate(h + at, s->b1.x + from, slope ? slope + at : NULL, n, s->act);
		if (s->p > 0) {
			dropout_mask(mask, n, s->key, (uint32_t)i * (uint32_t)s->F + (uint32_t)from, s->p);
			multiply(h + at, mask, n);
			if (slope)
				multiply(slope + at, mask, n);
		}
	}
}

VECTOR_CLONES
static void add_rows(real *restrict sum, const real *restrict x, int rows, int n)
{
	for (int i = 0; i < rows; i++)
		for (int j = 0; j < n; j++)
			sum[j] += x[(size_t)i * (size_t)n + (size_t)j];
}

/* Per tile, with h and slope computed again:
 *   dW2 += dy^T h;  dh = dy W2 * slope;  dW1 += dh^T x;  db1 += sum dh;  dx += dh W1 */
static void backward(struct tape *t, struct node *y)
{
	const struct saved *s = y->saved;
	struct node *x = y->in[0];
	int rows = x->rows, H = x->cols, F = s->F;
	size_t area = (size_t)rows * TILE;
	real *h = scratch_reals(t, area), *slope = scratch_reals(t, area), *dh = scratch_reals(t, area);
	real *mask = scratch_reals(t, TILE);
	for (int from = 0; from < F; from += TILE) {
		int n = F - from < TILE ? F - from : TILE;
		tile_forward(s, x, from, n, h, slope, mask);
		gemm(TRANSPOSED, PLAIN, H, n, rows, 1, y->g, H, h, n, 1, s->W2.g + from, F);
		gemm(PLAIN, PLAIN, rows, n, H, 1, y->g, H, s->W2.x + from, F, 0, dh, n);
		multiply(dh, slope, rows * n);
		gemm(TRANSPOSED, PLAIN, n, H, rows, 1, dh, n, x->x, H, 1, s->W1.g + (size_t)from * (size_t)H,
			H);
		add_rows(s->b1.g + from, dh, rows, n);
		gemm(PLAIN, PLAIN, rows, H, n, 1, dh, n, s->W1.x + (size_t)from * (size_t)H, H, 1, x->g, H);
	}
	add_rows(s->b2.g, y->g, rows, H);
	scratch_done(t);
}

struct node *op_feedforward(struct tape *t, struct node *x, struct weight W1, struct weight b1,
	struct weight W2, struct weight b2, int F, enum activation act)
{
	struct node *y = tape_node(t, x->rows, x->cols, 1, &x, backward);
	int rows = x->rows, H = x->cols;
	real p = t->gradients ? t->dropout.p : 0;
	struct saved here = {W1, b1, W2, b2, F, act, p > 0 ? tape_mask_key(t) : 0, p};
	real *h = scratch_reals(t, (size_t)rows * TILE), *mask = scratch_reals(t, TILE);
	size_t area = (size_t)rows * (size_t)H;
	double *sum = arena_take(t->scratch, area * sizeof *sum); /* the tiles' shares add up without loss */
	real *share = scratch_reals(t, area);
	for (size_t i = 0; i < area; i++)
		sum[i] = (double)b2.x[i % (size_t)H];
	for (int from = 0; from < F; from += TILE) {
		int n = F - from < TILE ? F - from : TILE;
		tile_forward(&here, x, from, n, h, NULL, mask);
		gemm(PLAIN, TRANSPOSED, rows, H, n, 1, h, n, W2.x + from, F, 0, share, H);
		for (size_t i = 0; i < area; i++)
			sum[i] += (double)share[i];
	}
	for (size_t i = 0; i < area; i++)
		y->x[i] = (real)sum[i];
	scratch_done(t);
	if (t->gradients) {
		struct saved *s = y->saved = tape_take(t, sizeof *s);
		*s = here;
	}
	return y;
}
