/* The operations that join regions: exchange, pooling, the gate's weights, its noise and balance,
 * mixed answers. Gradients by finite differences, and values known from elsewhere. */
#include "subject.h"

static struct node *replace_rows(struct tape *t, struct subject *s)
{
	return op_replace_rows(t, &s->node[0], &s->node[1], 2);
}

static struct node *attention_pool(struct tape *t, struct subject *s)
{
	return op_attention_pool(t, &s->node[0], s->weight[1], 2, 1);
}

static struct node *position_pool(struct tape *t, struct subject *s)
{
	return op_position_pool(t, &s->node[0], s->weight[1], 2, 1);
}

static struct node *softmax_top(struct tape *t, struct subject *s)
{
	return op_softmax_top(t, &s->node[0], REAL(0.7), 2);
}

static struct node *shift(struct tape *t, struct subject *s)
{
	static const real by[6] = {1, -2, 3, 0, 5, -1};
	return op_shift(t, &s->node[0], by);
}

static struct node *balance(struct tape *t, struct subject *s)
{
	return op_balance(t, &s->node[0]);
}

static struct node *mix_answers(struct tape *t, struct subject *s)
{
	struct node *z[] = {&s->node[1], &s->node[2]};
	return op_mix_answers(t, op_softmax(t, &s->node[0], 1), z, 2);
}

static void joining_grads(void)
{
	struct {
		build f;
		int n, rows[3], cols[3];
	} list[] = {
		{replace_rows, 2, {8, 4}, {3, 3}},
		{attention_pool, 2, {8, 1}, {3, 3}},
		{shift, 1, {2}, {3}},
		{balance, 1, {5}, {3}},
		{mix_answers, 3, {3, 3, 3}, {2, 4, 4}},
#ifdef REAL_DOUBLE
		{softmax_top, 1, {6}, {4}}, /* a wide step would choose others */
#endif
		{position_pool, 2, {8, 3}, {3, 3}},
	};
	for (size_t i = 0; i < sizeof list / sizeof *list; i++) {
		struct subject s = {0};
		struct rng r = rng_stream(7, "x", i, 0);
		for (int j = 0; j < list[i].n; j++)
			add(&s, &r, list[i].rows[j], list[i].cols[j]);
		differences(&s, list[i].f, 0);
		clear(&s);
	}
}

/* One operation on given numbers: the first element, and the others in out. */
static double value(build f, struct subject *s, real *out, int n)
{
	struct workspace w = workspace_new();
	struct tape *t = tape_new(false);
	tape_lend(t, &w);
	struct node *y = f(t, s);
	CHECK(y->rows * y->cols == n);
	memcpy(out, y->x, (size_t)n * sizeof(real));
	tape_free(t);
	workspace_free(&w);
	return (double)out[0];
}

static void fill_in(struct subject *s, int rows, int cols, const double *x)
{
	struct rng r = rng_stream(1, "", 0, 0);
	add(s, &r, rows, cols);
	for (int i = 0; i < rows * cols; i++)
		s->node[s->n - 1].x[i] = (real)x[i];
}

/* Two windows of a row that is not pooled and two that are, of three positions: the third position's
 * weights are not read, and weights of 1 give the mean. */
static void positions_have_weights_of_their_own(void)
{
	static const double x[] = {90, 91, 1, 2, 3, 4, 92, 93, 5, 6, -7, 8}, W[] = {2, 0, -1, 1, NAN, NAN},
			    ones[] = {1, 1, 1, 1, NAN, NAN}, weighted[] = {-0.5, 2, 8.5, 4},
			    mean[] = {2, 3, -1, 7};
	struct {
		const double *W, *y;
	} list[] = {{W, weighted}, {ones, mean}};
	for (size_t i = 0; i < sizeof list / sizeof *list; i++) {
		struct subject s = {0};
		real y[4];
		fill_in(&s, 6, 2, x);
		fill_in(&s, 3, 2, list[i].W);
		value(position_pool, &s, y, 4);
		for (int j = 0; j < 4; j++)
			CHECK_NEAR(y[j], list[i].y[j], 1e-6);
		clear(&s);
	}
}

static struct node *softmax_first(struct tape *t, struct subject *s)
{
	return op_softmax_top(t, &s->node[0], 1, 1);
}

static void the_largest_weights_sum_to_one(void)
{
	/* 0, ln 3, ln 3, ln 9: the last and, of the two equal ones, the first: 3 and 9 of 12 to the
	 * power 1 / 0.7 */
	struct subject s = {0};
	real y[4];
	fill_in(&s, 1, 4, (double[]){0, log(3), log(3), log(9)});
	value(softmax_top, &s, y, 4);
	double three = pow(3, 1 / 0.7), nine = pow(9, 1 / 0.7);
	CHECK(y[0] == 0 && y[2] == 0);
	CHECK_NEAR(y[1], three / (three + nine), 1e-6);
	CHECK_NEAR(y[3], nine / (three + nine), 1e-6);
	clear(&s);
	fill_in(&s, 1, 3, (double[]){2, 2, 2});
	value(softmax_first, &s, y, 3);
	CHECK(y[0] == 1 && y[1] == 0 && y[2] == 0);
	clear(&s);
}

static void balance_has_known_values(void)
{
	/* first choices 0, 2, 2, 0; means 0.425, 0.25, 0.325: 3 (0.5 * 0.425 + 0.5 * 0.325) =
	 * 1.125. With ties: the first. */
	struct subject s = {0};
	real y[1];
	fill_in(&s, 4, 3, (double[]){.5, .4, .1, .3, .3, .4, .1, .2, .7, .8, .1, .1});
	CHECK_NEAR(value(balance, &s, y, 1), 1.125, 1e-6);
	clear(&s);
	fill_in(&s, 3, 3, (double[]){.4, .4, .2, .2, .4, .4, .4, .2, .4}); /* 2, 1, 0 */
	CHECK_NEAR(value(balance, &s, y, 1), 1, 1e-6);
	clear(&s);
	fill_in(&s, 2, 2, (double[]){1, 0, 1, 0}); /* all on one */
	CHECK_NEAR(value(balance, &s, y, 1), 2, 1e-6);
	clear(&s);
}

static struct node *mix_weighted(struct tape *t, struct subject *s)
{
	struct node *z[] = {&s->node[1], &s->node[2]};
	return op_mix_answers(t, &s->node[0], z, 2);
}

/* 0.25 (1/4, 3/4) + 0.75 (1/2, 1/2); a region of weight 0 says nothing; logits that no exponential
 * bears. */
static void mixed_answers_have_known_values(void)
{
	struct subject s = {0};
	real y[6];
	fill_in(&s, 3, 2, (double[]){0.25, 0.75, 0, 1, 0.5, 0.5});
	fill_in(&s, 3, 2, (double[]){0, log(3), 500, -500, 1000, -1000});
	fill_in(&s, 3, 2, (double[]){7, 7, 0, log(3), -900, 1000});
	value(mix_weighted, &s, y, 6);
	CHECK_NEAR(y[0], log(0.4375), 1e-6);
	CHECK_NEAR(y[1], log(0.5625), 1e-6);
	CHECK_NEAR(y[2], log(0.25), 1e-6);
	CHECK_NEAR(y[3], log(0.75), 1e-6);
	CHECK_NEAR(y[4], log(0.5), 1e-6);
	CHECK_NEAR(y[5], log(0.5), 1e-6);
	clear(&s);
}

int main(void)
{
	CASE(joining_grads);
	CASE(positions_have_weights_of_their_own);
	CASE(the_largest_weights_sum_to_one);
	CASE(balance_has_known_values);
	CASE(mixed_answers_have_known_values);
	return check_done();
}
