/* Means over time of filters that are learned: a map of the columns, then a filter over time, then
 * the exponential linear unit.
 *     u_o(t) = sum_c s_o(c) x(t, c),    y_o(t) = b_o + sum_j a_o(j) u_o(t + j)
 * Time runs along the vectors: u and y are [filters][time], and a filter over time is the product
 * of its taps with a matrix whose rows are one row of u, each from one sample later on. */
#include "base/profile.h"
#include "tensor/ops.h"
#include "tensor/product.h"
#include "tensor/vector.h"

#include <string.h>

struct saved {
	const real *x;
	struct separable_shape p;
	struct weight a, s, b;
	int B;
	real *slope; /* [B][filters][along] d elu(y) / d y */
};

/* Samples that are read, and filtered ones, of a window; filtered ones of a segment. */
static int samples(const struct separable_shape *p)
{
	return (p->n - 1) * p->hop + p->length;
}

static int filtered(const struct separable_shape *p)
{
	return samples(p) - p->taps + 1;
}

static int pooled(const struct separable_shape *p)
{
	return p->length - p->taps + 1;
}

/* The same in whole vectors; samples with as many zeros behind them as vectors that begin before
 * the end may read, and gradients of filtered ones with zeros on both sides. */
static size_t along(const struct separable_shape *p)
{
	return (size_t)whole_vectors(filtered(p));
}

static size_t room(const struct separable_shape *p)
{
	return (size_t)whole_vectors(samples(p) + LANES);
}

static size_t padded(const struct separable_shape *p)
{
	return (size_t)whole_vectors(samples(p) + p->taps + LANES);
}

/* u [filters][room] of one window x [rows][W]; turned [W][room] is for its columns. */
static void map_columns(const struct separable_shape *p, const real *x, const real *s, real *turned, real *u)
{
	size_t W = (size_t)p->width, R = room(p), T = (size_t)samples(p);
	transpose(samples(p), p->width, x, W, turned, R);
	for (size_t c = 0; c < W; c++)
		memset(turned + c * R + T, 0, (R - T) * sizeof *turned);
	product(p->filters, (int)R, p->width, (struct product_left){s, W, 1}, turned, R, u, R, FROM_ZERO,
		NULL);
}

/* y [n] becomes elu(y), its slope at y stands in slope [n]; n whole vectors. What is not a number
 * stays so. */
VECTOR_CLONES
static void exponential_linear(real *restrict y, real *restrict slope, size_t n)
{
	const vec zero = {0};
	for (size_t t = 0; t < n; t += LANES) {
		vec v = V_LOAD(y + t), e = v_exp(-v_max(-v, zero));
		V_STORE(slope + t, e);
		V_STORE(y + t, v_max(zero, v) + e - V_SPLAT(1));
	}
}

VECTOR_CLONES
static real sum_of(const real *y, int n)
{
	vec sum = {0};
	int t = 0;
	for (; t + LANES <= n; t += LANES)
		sum += V_LOAD(y + t);
	real all = v_sum(sum);
	for (; t < n; t++)
		all += y[t];
	return all;
}

/* dy [filtered] of filter o of window b */
static void through_segments(const struct saved *s, int b, size_t o, const real *dout, real *dy)
{
	const struct separable_shape *p = &s->p;
	size_t O = (size_t)p->filters;
	const real *slope = s->slope + ((size_t)b * O + o) * along(p);
	real share = 1 / (real)pooled(p);
	memset(dy, 0, (size_t)filtered(p) * sizeof *dy);
	for (int i = 0; i < p->n; i++) {
		real d = dout[(size_t)i * O + o] * share, *to = dy + (size_t)(i * p->hop);
		for (int t = 0; t < pooled(p); t++)
			to[t] += d;
	}
	for (int t = 0; t < filtered(p); t++)
		dy[t] *= slope[t];
}

/* reversed [filters][taps] */
static void reverse_taps(const struct separable_shape *p, const real *a, real *reversed)
{
	size_t K = (size_t)p->taps;
	for (size_t f = 0; f < (size_t)p->filters; f++)
		for (size_t j = 0; j < K; j++)
			reversed[f * K + j] = a[f * K + K - 1 - j];
}

/* db_o += sum_t dy_o(t);  da_o(j) += sum_t dy_o(t) u_o(t + j);
 * du_o(t) = sum_j a_o(j) dy_o(t - j);  ds_o(c) += sum_t du_o(t) x(t, c) */
static void backward(struct tape *t, struct node *out)
{
	PROFILE_OPERATION("separable filters backward");
	const struct saved *s = out->saved;
	const struct separable_shape *p = &s->p;
	size_t W = (size_t)p->width, O = (size_t)p->filters, K = (size_t)p->taps, R = room(p), before = K - 1;
	real *turned = scratch_reals(t, W * R), *u = scratch_reals(t, O * R), *du = scratch_reals(t, O * R),
	     *padded_dy = scratch_reals(t, padded(p)), *dy = padded_dy + before,
	     *reversed = scratch_reals(t, (size_t)p->filters * K);
	memset(padded_dy, 0, padded(p) * sizeof *padded_dy);
	reverse_taps(p, s->a.x, reversed);
	for (int b = 0; b < s->B; b++) {
		const real *x = s->x + (size_t)b * (size_t)p->rows * W;
		map_columns(p, x, s->s.x, turned, u);
		for (size_t o = 0; o < O; o++) {
			through_segments(s, b, o, out->g + (size_t)(b * p->n) * O, dy);
			s->b.g[o] += sum_of(dy, filtered(p));
			product(1, p->taps, filtered(p), (struct product_left){dy, (size_t)filtered(p), 1},
				u + o * R, 1, s->a.g + o * K, K, FROM_C, NULL);
			product(1, samples(p), p->taps, (struct product_left){reversed + o * K, K, 1},
				padded_dy, 1, du + o * R, R, FROM_ZERO, NULL);
		}
		product((int)O, p->width, samples(p), (struct product_left){du, R, 1}, x, W, s->s.g, W,
			FROM_C, NULL);
	}
	scratch_done(t);
}

struct node *op_separable(struct tape *t, const real *x, int B, const struct separable_shape *p,
	struct weight a, struct weight s, struct weight b)
{
	PROFILE_OPERATION("separable filters");
	size_t W = (size_t)p->width, O = (size_t)p->filters, K = (size_t)p->taps, n = (size_t)p->n,
	       R = room(p), A = along(p);
	struct node *out = tape_node(t, B * p->n, (int)O, 0, NULL, backward);
	struct saved *saved = out->saved = tape_take(t, sizeof *saved);
	*saved = (struct saved){.x = x, .p = *p, .a = a, .s = s, .b = b, .B = B};
	real *turned = scratch_reals(t, W * R), *u = scratch_reals(t, O * R), *y = scratch_reals(t, A),
	     *slope = t->gradients ? saved->slope = tape_reals(t, (size_t)B * O * A) : scratch_reals(t, A);
	for (size_t window = 0; window < (size_t)B; window++) {
		map_columns(p, x + window * (size_t)p->rows * W, s.x, turned, u);
		for (size_t o = 0; o < O; o++, slope += t->gradients ? A : 0) {
			for (size_t i = 0; i < A; i++)
				y[i] = b.x[o];
			product(1, (int)A, p->taps, (struct product_left){a.x + o * K, K, 1}, u + o * R, 1, y,
				A, FROM_C, NULL);
			exponential_linear(y, slope, A);
			for (size_t i = 0; i < n; i++)
				out->x[(window * n + i) * O + o] =
					sum_of(y + i * (size_t)p->hop, pooled(p)) / (real)pooled(p);
		}
	}
	scratch_done(t);
	return out;
}
