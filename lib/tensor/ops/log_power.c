/* Log power of learned filters. The two linear maps are worked as one, a filter of all columns for
 * each output:
 *     e_o(c, j) = sum_f s_o(f, c) a_f(j),    y_o(t) = sum_c sum_j e_o(c, j) x(t + j, c)
 * Time runs along the vectors: a window is turned to [W][time], where a column's samples from j on
 * are row j of a matrix whose rows lie one number apart. */
#include "base/profile.h"
#include "tensor/ops.h"
#include "tensor/product.h"
#include "tensor/vector.h"

#include <math.h>
#include <string.h>

#define LEAST REAL(1e-6)

struct saved {
	const real *x;
	struct power_shape p;
	struct weight a, s;
	int B;
	real *y;     /* [B][outputs][along] */
	real *slope; /* [B*n][outputs] d out / d y = slope y, in each of the segment's samples */
};

/* Samples that are read, filtered ones, filtered ones of a segment; and in whole vectors: filtered
 * ones, taps, and a column's samples with zeros behind them, for vectors that begin before the
 * end. */
static int samples(const struct power_shape *p)
{
	return (p->n - 1) * p->hop + p->length;
}

static int filtered(const struct power_shape *p)
{
	return samples(p) - p->taps + 1;
}

static int pooled(const struct power_shape *p)
{
	return p->length - p->taps + 1;
}

static size_t along(const struct power_shape *p)
{
	return (size_t)whole_vectors(filtered(p));
}

static size_t tap_room(const struct power_shape *p)
{
	return (size_t)whole_vectors(p->taps);
}

static size_t column_room(const struct power_shape *p)
{
	return (size_t)whole_vectors(samples(p) + LANES);
}

/* to [W][column_room] = x [rows][W] */
static void turn(const struct power_shape *p, const real *x, real *to)
{
	size_t W = (size_t)p->width, room = column_room(p), T = (size_t)samples(p);
	transpose(samples(p), p->width, x, W, to, room);
	for (size_t c = 0; c < W; c++)
		memset(to + c * room + T, 0, (room - T) * sizeof *to);
}

/* e [outputs][W][tap_room] */
static void combine(const struct power_shape *p, const real *a, const real *s, real *e)
{
	size_t W = (size_t)p->width, F = (size_t)p->filters, K = tap_room(p);
	for (size_t o = 0; o < (size_t)p->outputs; o++)
		product(p->width, p->taps, p->filters, (struct product_left){s + o * F * W, 1, W}, a,
			(size_t)p->taps, e + o * W * K, K, FROM_ZERO, NULL);
}

VECTOR_CLONES
static real sum_of_squares(const real *y, int n)
{
	vec sum = {0};
	int t = 0;
	for (; t + LANES <= n; t += LANES) {
		vec v = V_LOAD(y + t);
		sum += v * v;
	}
	real all = v_sum(sum);
	for (; t < n; t++)
		all += y[t] * y[t];
	return all;
}

/* dy [outputs][along] of one window, zeros behind. */
static void through_segments(const struct saved *s, int b, const real *dout, real *dy)
{
	const struct power_shape *p = &s->p;
	size_t O = (size_t)p->outputs, room = along(p);
	const real *y = s->y + (size_t)b * O * room, *slope = s->slope + (size_t)(b * p->n) * O;
	memset(dy, 0, O * room * sizeof *dy);
	for (size_t o = 0; o < O; o++) {
		for (int i = 0; i < p->n; i++) {
			real *to = dy + o * room + (size_t)(i * p->hop),
			     d = dout[(size_t)i * O + o] * slope[(size_t)i * O + o];
			for (int t = 0; t < pooled(p); t++)
				to[t] += d;
		}
		for (size_t t = 0; t < (size_t)filtered(p); t++)
			dy[o * room + t] *= y[o * room + t];
	}
}

/* de_o(c, j) = sum_t dy_o(t) x(t + j, c);  da_f(j) += sum_o sum_c s_o(f, c) de_o(c, j);  ds_o(f, c)
 * += sum_j a_f(j) de_o(c, j) */
static void backward(struct tape *t, struct node *out)
{
	PROFILE_OPERATION("log power backward");
	const struct saved *s = out->saved;
	const struct power_shape *p = &s->p;
	size_t W = (size_t)p->width, F = (size_t)p->filters, O = (size_t)p->outputs, K = tap_room(p),
	       taps = (size_t)p->taps, room = column_room(p);
	real *x = scratch_reals(t, W * room), *dy = scratch_reals(t, O * along(p)),
	     *de = scratch_reals(t, O * W * K), *turned = scratch_reals(t, taps * W);
	memset(de, 0, O * W * K * sizeof *de);
	for (int b = 0; b < s->B; b++) {
		turn(p, s->x + (size_t)b * (size_t)p->rows * W, x);
		through_segments(s, b, out->g + (size_t)(b * p->n) * O, dy);
		for (size_t c = 0; c < W; c++)
			product(p->outputs, (int)K, filtered(p), (struct product_left){dy, along(p), 1},
				x + c * room, 1, de + c * K, W * K, FROM_C, NULL);
	}
	for (size_t o = 0; o < O; o++) {
		const real *de_o = de + o * W * K;
		product(p->filters, p->taps, p->width, (struct product_left){s->s.x + o * F * W, W, 1}, de_o,
			K, s->a.g, taps, FROM_C, NULL);
		transpose(p->width, p->taps, de_o, K, turned, W);
		product(p->filters, p->width, p->taps, (struct product_left){s->a.x, taps, 1}, turned, W,
			s->s.g + o * F * W, W, FROM_C, NULL);
	}
	scratch_done(t);
}

struct node *op_log_power(
	struct tape *t, const real *x, int B, const struct power_shape *p, struct weight a, struct weight s)
{
	PROFILE_OPERATION("log power");
	struct node *out = tape_node(t, B * p->n, p->outputs, 0, NULL, backward);
	size_t W = (size_t)p->width, O = (size_t)p->outputs, n = (size_t)p->n, K = tap_room(p),
	       room = column_room(p), each = O * along(p);
	struct saved *saved = out->saved = tape_take(t, sizeof *saved);
	*saved = (struct saved){.x = x, .p = *p, .a = a, .s = s, .B = B};
	real *e = scratch_reals(t, O * W * K), *turned = scratch_reals(t, W * room);
	if (t->gradients) {
		saved->y = tape_reals(t, (size_t)B * each);
		saved->slope = tape_reals(t, (size_t)B * n * O);
	}
	real *y = t->gradients ? saved->y : scratch_reals(t, each);
	combine(p, a.x, s.x, e);
	for (size_t b = 0; b < (size_t)B; b++, y += t->gradients ? each : 0) {
		turn(p, x + b * (size_t)p->rows * W, turned);
		for (size_t c = 0; c < W; c++)
			product(p->outputs, (int)along(p), p->taps,
				(struct product_left){e + c * K, W * K, 1}, turned + c * room, 1, y, along(p),
				c ? FROM_C : FROM_ZERO, NULL);
		for (size_t i = 0; i < n * O; i++) {
			const real *from = y + i % O * along(p) + i / O * (size_t)p->hop;
			real power = sum_of_squares(from, pooled(p)) / (real)pooled(p);
			out->x[b * n * O + i] = (real)log((double)(power > LEAST ? power : LEAST));
			if (t->gradients)
				saved->slope[b * n * O + i] =
					power > LEAST ? 2 / (power * (real)pooled(p)) : 0;
		}
	}
	scratch_done(t);
	return out;
}
