/* Separable filters: gradients by finite differences, and values as their definition says. */
#include "subject.h"

#include <math.h>

static struct separable_shape separable_shape;
static const real *separable_input;

static struct node *separable(struct tape *t, struct subject *s)
{
	return op_separable(
		t, separable_input, 2, &separable_shape, s->weight[0], s->weight[1], s->weight[2]);
}

static const struct separable_shape separable_shapes[] = {{9, 3, 6, 4, 9, 1, 1}, {40, 2, 3, 9, 17, 5, 5},
	{31, 1, 1, 1, 8, 10, 3}, {30, 3, 4, 8, 8, 3, 4}, {20, 17, 10, 6, 11, 2, 3}};

/* Behind the last segment there are no numbers. */
static void separable_new(struct subject *s, int which)
{
	struct rng r = rng_stream(16, "x", (uint64_t)which, 0);
	separable_shape = separable_shapes[which];
	const struct separable_shape *p = &separable_shape;
	int used = (p->n - 1) * p->hop + p->length;
	real *x = NEW_ARRAY(real, 2 * p->rows * p->width);
	for (int i = 0; i < 2 * p->rows * p->width; i++)
		x[i] = i / p->width % p->rows < used ? (real)rng_normal(&r) : NAN;
	separable_input = x;
	add(s, &r, p->filters, p->taps);
	add(s, &r, p->filters, p->width);
	add(s, &r, 1, p->filters);
}

static void separable_done(struct subject *s)
{
	free((real *)(uintptr_t)separable_input);
	clear(s);
}

static void separable_grad(void)
{
	for (int i = 0; i < (int)(sizeof separable_shapes / sizeof *separable_shapes); i++) {
		struct subject s = {0};
		separable_new(&s, i);
		differences(&s, separable, 0);
		separable_done(&s);
	}
}

/* Element `at` of the features as their definition says. */
static double separable_mean(const struct subject *s, int at)
{
	const struct separable_shape *p = &separable_shape;
	const real *a = s->node[0].x, *m = s->node[1].x, *bias = s->node[2].x;
	int O = p->filters, o = at % O, i = at / O % p->n, b = at / O / p->n, count = p->length - p->taps + 1;
	double mean = 0;
	for (int t = i * p->hop; t < i * p->hop + count; t++) {
		double y = (double)bias[o];
		for (int c = 0; c < p->width; c++)
			for (int j = 0; j < p->taps; j++)
				y += (double)m[o * p->width + c] * (double)a[o * p->taps + j] *
				     (double)separable_input[(b * p->rows + t + j) * p->width + c];
		mean += (y > 0 ? y : expm1(y)) / count;
	}
	return mean;
}

static void separable_value(void)
{
	for (int which = 0; which < (int)(sizeof separable_shapes / sizeof *separable_shapes); which++) {
		struct subject s = {0};
		struct workspace w = workspace_new();
		struct tape *t = tape_new(false);
		tape_lend(t, &w);
		separable_new(&s, which);
		const struct node *y = separable(t, &s);
		for (int at = 0; at < y->rows * y->cols; at++)
			CHECK_NEAR(y->x[at], separable_mean(&s, at), sizeof(real) == 8 ? 1e-12 : 1e-5);
		tape_free(t);
		workspace_free(&w);
		separable_done(&s);
	}
}

int main(void)
{
	CASE(separable_grad);
	CASE(separable_value);
	return check_done();
}
