/* Every operation against central finite differences, in float with a wide tolerance and (make
 * gradcheck) in double to 1e-7. */
#include "subject.h"

static struct node *linear(struct tape *t, struct subject *s)
{
	return op_linear(t, &s->node[0], s->weight[1], s->weight[2], 3);
}

static void linear_grad(void)
{
	struct subject s = {0};
	struct rng r = rng_stream(1, "x", 0, 0);
	add(&s, &r, 7, 5);
	add(&s, &r, 3, 5);
	add(&s, &r, 1, 3);
	differences(&s, linear, 0);
	clear(&s);
}

static int kinds;

static struct node *linear_kinds(struct tape *t, struct subject *s)
{
	return op_linear_kinds(t, &s->node[0], s->weight[1], s->weight[2], 3, kinds);
}

/* A map for each kind is op_linear on the rows of the kind. */
static void linear_kinds_value(struct subject *s)
{
	struct workspace w = workspace_new();
	struct tape *t = tape_new(false);
	tape_lend(t, &w);
	struct node *y = linear_kinds(t, s);
	int in = s->cols[0], out = 3, rows = s->rows[0];
	CHECK(y->rows == rows && y->cols == out);
	for (int r = 0; r < rows; r++)
		for (int c = 0; c < out; c++) {
			int row = r % kinds * out + c;
			double sum = (double)s->weight[2].x[row];
			for (int j = 0; j < in; j++)
				sum += (double)s->weight[1].x[row * in + j] *
				       (double)s->node[0].x[r * in + j];
			CHECK_NEAR(y->x[r * out + c], sum, 1e-5);
		}
	tape_free(t);
	workspace_free(&w);
}

static void linear_kinds_grad(void)
{
	static const int size[][3] = {
		/* kinds, rows of a kind, inputs */ {3, 4, 5}, {1, 7, 5}, {5, 1, 2}, {2, 9, 19}};
	for (size_t i = 0; i < sizeof size / sizeof *size; i++) {
		struct subject s = {0};
		struct rng r = rng_stream(10, "x", i, 0);
		kinds = size[i][0];
		add(&s, &r, kinds * size[i][1], size[i][2]);
		add(&s, &r, kinds * 3, size[i][2]);
		add(&s, &r, kinds, 3);
		linear_kinds_value(&s);
		differences(&s, linear_kinds, 0);
		clear(&s);
	}
}

static struct node *embed(struct tape *t, struct subject *s)
{
	return op_embed(t, &s->node[0], s->weight[1], s->weight[2], 2, 2);
}

static struct node *embed_bare(struct tape *t, struct subject *s)
{
	return op_embed(t, &s->node[0], (struct weight){0}, (struct weight){0}, 2, 0);
}

static void embed_grad(void)
{
	struct subject s = {0};
	struct rng r = rng_stream(2, "x", 0, 0);
	add(&s, &r, 6, 4);
	add(&s, &r, 2, 4);
	add(&s, &r, 5, 4);
	differences(&s, embed, 0);
	clear(&s);
	add(&s, &r, 6, 4);
	differences(&s, embed_bare, 0);
	clear(&s);
}

static int heads;

static struct node *attention(struct tape *t, struct subject *s)
{
	return op_attention(t, &s->node[0], s->weight[1], s->weight[2], 2, heads);
}

static void attention_grad(void)
{
	static const int size[][3] = {/* N, head size, heads */ {7, 4, 2}, {19, 8, 1}, {9, 3, 2}, {5, 16, 1},
		{18, 6, 1}, {1, 4, 1}, {2, 70, 1}};
	for (size_t i = 0; i < sizeof size / sizeof *size; i++)
		for (int dropout = 0; dropout < 2; dropout++) {
			struct subject s = {0};
			struct rng r = rng_stream(3, "x", i, 0);
			heads = size[i][2];
			int H = size[i][1] * heads;
			add(&s, &r, 2 * size[i][0], H);
			add(&s, &r, 3 * H, H);
			add(&s, &r, 1, 3 * H);
			differences(&s, attention, dropout * 0.3);
			clear(&s);
		}
}

/* One head of 4, 9 tokens, written out; factor 40 makes scores of some thousands, factor 1 of a
 * few. */
static void attention_value(void)
{
	enum { N = 9, D = 4 };
	for (int factor = 1; factor <= 40; factor += 39) {
		struct subject s = {0};
		struct rng r = rng_stream(13, "x", 0, 0);
		struct workspace w = workspace_new();
		struct tape *t = tape_new(false);
		tape_lend(t, &w);
		heads = 1;
		add(&s, &r, 2 * N, D);
		add(&s, &r, 3 * D, D);
		add(&s, &r, 1, 3 * D);
		for (int i = 0; i < 2 * D * D; i++)
			s.node[1].x[i] *= (real)factor;
		const struct node *y = attention(t, &s);
		double qkv[N][3 * D], worst = 0;
		for (int i = 0; i < N; i++)
			for (int o = 0; o < 3 * D; o++) {
				qkv[i][o] = (double)s.node[2].x[o];
				for (int d = 0; d < D; d++)
					qkv[i][o] += (double)s.node[0].x[(N + i) * D + d] *
						     (double)s.node[1].x[o * D + d];
			}
		for (int i = 0; i < N; i++) {
			double score[N], top = -1e300, sum = 0, mean[D] = {0};
			for (int j = 0; j < N; j++) {
				score[j] = 0;
				for (int d = 0; d < D; d++)
					score[j] += qkv[i][d] * qkv[j][D + d] / 2;
				top = fmax(top, score[j]);
			}
			for (int j = 0; j < N; j++) {
				sum += exp(score[j] - top);
				for (int d = 0; d < D; d++)
					mean[d] += exp(score[j] - top) * qkv[j][2 * D + d];
			}
			for (int d = 0; d < D; d++)
				worst = fmax(worst, fabs(mean[d] / sum - (double)y->x[(N + i) * D + d]));
		}
		CHECK_NEAR(worst, 0, sizeof(real) == 8 ? 1e-12 : factor == 1 ? 1e-6 : 1e-3);
		tape_free(t);
		workspace_free(&w);
		clear(&s);
	}
}

static struct power_shape power_shape;
static const real *power_input;

static struct node *log_power(struct tape *t, struct subject *s)
{
	return op_log_power(t, power_input, 2, &power_shape, s->weight[0], s->weight[1]);
}

static const struct power_shape power_shapes[] = {{9, 3, 2, 4, 5, 9, 1, 1}, {40, 2, 3, 9, 2, 17, 5, 5},
	{31, 1, 1, 1, 1, 8, 10, 3}, {30, 3, 2, 8, 3, 8, 3, 4}};

/* Behind the last segment there are no numbers. */
static void power_input_new(struct subject *s, int which)
{
	struct rng r = rng_stream(15, "x", (uint64_t)which, 0);
	power_shape = power_shapes[which];
	const struct power_shape *p = &power_shape;
	int used = (p->n - 1) * p->hop + p->length;
	real *x = NEW_ARRAY(real, 2 * p->rows * p->width);
	for (int i = 0; i < 2 * p->rows * p->width; i++)
		x[i] = i / p->width % p->rows < used ? (real)rng_normal(&r) : NAN;
	power_input = x;
	add(s, &r, p->filters, p->taps);
	add(s, &r, p->outputs, p->filters * p->width);
}

static void log_power_grad(void)
{
	for (int i = 0; i < (int)(sizeof power_shapes / sizeof *power_shapes); i++) {
		struct subject s = {0};
#ifndef REAL_DOUBLE
		if (power_shapes[i].length == power_shapes[i].taps)
			continue; /* the logarithm of one square has a pole within a wide step */
#endif
		power_input_new(&s, i);
		differences(&s, log_power, 0);
		free((real *)(uintptr_t)power_input);
		clear(&s);
	}
}

/* As its definition says; and what is hardly there is 1e-6, and teaches nothing. */
static void log_power_value(void)
{
	for (int which = 0; which < (int)(sizeof power_shapes / sizeof *power_shapes); which++) {
		struct subject s = {0};
		struct workspace w = workspace_new();
		struct tape *t = tape_new(false);
		tape_lend(t, &w);
		power_input_new(&s, which);
		const struct power_shape *p = &power_shape;
		const real *out = log_power(t, &s)->x, *a = s.node[0].x, *m = s.node[1].x;
		for (int at = 0; at < 2 * p->n * p->outputs; at++) {
			int o = at % p->outputs, i = at / p->outputs % p->n, b = at / p->outputs / p->n;
			double power = 0;
			int count = p->length - p->taps + 1;
			for (int k = i * p->hop; k < i * p->hop + count; k++) {
				double y = 0;
				for (int f = 0; f < p->filters; f++)
					for (int c = 0; c < p->width; c++)
						for (int j = 0; j < p->taps; j++)
							y += (double)m[(o * p->filters + f) * p->width + c] *
							     (double)a[f * p->taps + j] *
							     (double)power_input[((b * p->rows) + k + j) *
											 p->width +
										 c];
				power += y * y / count;
			}
			CHECK_NEAR(out[at], log(power), sizeof(real) == 8 ? 1e-12 : 1e-5);
		}
		for (int i = 0; i < p->outputs * p->filters * p->width; i++)
			s.node[1].x[i] *= REAL(1e-5);
		t->gradients = true;
		tape_reset(t);
		struct node *y = log_power(t, &s);
		tape_gradients(t, t->arena);
		for (int i = 0; i < 2 * p->n * p->outputs; i++) {
			CHECK_NEAR(y->x[i], log(1e-6), 1e-6);
			y->g[i] = 1;
		}
		tape_backward(t);
		for (int i = 0; i < p->filters * p->taps; i++)
			CHECK(s.node[0].g[i] == 0);
		tape_free(t);
		workspace_free(&w);
		free((real *)(uintptr_t)power_input);
		clear(&s);
	}
}

static struct node *residual(struct tape *t, struct subject *s)
{
	return op_residual(t, &s->node[0], &s->node[1]);
}

static void residual_grad(void)
{
	struct subject s = {0};
	struct rng r = rng_stream(4, "x", 0, 0);
	add(&s, &r, 6, 5);
	add(&s, &r, 6, 5);
	differences(&s, residual, 0);
	memset(s.node[0].g, 0, 30 * sizeof(real));
	memset(s.node[1].g, 0, 30 * sizeof(real));
	differences(&s, residual, 0.4);
	clear(&s);
}

static struct node *norm(struct tape *t, struct subject *s)
{
	return op_norm(t, &s->node[0], NULL, s->weight[1], s->weight[2]);
}

static struct node *norm_of_sum(struct tape *t, struct subject *s)
{
	return op_norm(t, &s->node[0], &s->node[3], s->weight[1], s->weight[2]);
}

static void norm_grad(void)
{
	for (int i = 0; i < 3; i++) {
		struct subject s = {0};
		struct rng r = rng_stream(5, "x", (uint64_t)i, 0);
		add(&s, &r, 4, 9);
		add(&s, &r, 1, 9);
		add(&s, &r, 1, 9);
		if (i)
			add(&s, &r, 4, 9);
		differences(&s, i ? norm_of_sum : norm, i == 2 ? 0.3 : 0);
		clear(&s);
	}
}

static int hidden;
static enum activation activation;

static struct node *feedforward(struct tape *t, struct subject *s)
{
	return op_feedforward(
		t, &s->node[0], s->weight[1], s->weight[2], s->weight[3], s->weight[4], hidden, activation);
}

static void feedforward_grad(void)
{
	for (int i = 0; i < 6; i++) {
		struct subject s = {0};
		struct rng r = rng_stream(6, "x", (uint64_t)i, 0);
		int rows = i < 4 ? 3 : 59;             /* the second do not fit one tile */
		hidden = i < 2 ? 11 : i < 4 ? 259 : 7; /* nor do these */
		activation = i % 2 ? ACT_GELU : ACT_RELU;
#ifndef REAL_DOUBLE
		if (activation == ACT_RELU)
			continue; /* a kink within a wide step */
#endif
		add(&s, &r, rows, 4);
		add(&s, &r, hidden, 4);
		add(&s, &r, 1, hidden);
		add(&s, &r, 4, hidden);
		add(&s, &r, 1, 4);
		differences(&s, feedforward, i > 0 ? 0.25 : 0);
		clear(&s);
	}
}

static struct node *mean_rows(struct tape *t, struct subject *s)
{
	return op_mean_rows(t, &s->node[0], 2, 1);
}

static struct node *rows_from(struct tape *t, struct subject *s)
{
	return op_rows_from(t, &s->node[0], 2, 1);
}

static struct node *first_rows(struct tape *t, struct subject *s)
{
	return op_first_rows(t, &s->node[0], 2, 2);
}

static struct node *mean_of(struct tape *t, struct subject *s)
{
	struct node *x[] = {&s->node[0], &s->node[1], &s->node[2]};
	return op_mean_of(t, x, 3);
}

static struct node *relu(struct tape *t, struct subject *s)
{
	return op_relu(t, &s->node[0]);
}

static struct node *softmax(struct tape *t, struct subject *s)
{
	return op_softmax(t, &s->node[0], REAL(0.7));
}

static struct node *mix(struct tape *t, struct subject *s)
{
	struct node *x[] = {&s->node[1], &s->node[2]};
	return op_mix(t, &s->node[0], x, 2);
}

static void small_grads(void)
{
	struct {
		build f;
		int n, rows[3], cols[3];
	} list[] = {
		{mean_rows, 1, {8}, {3}},
		{first_rows, 1, {8}, {3}},
		{rows_from, 1, {8}, {3}},
		{mean_of, 3, {2, 2, 2}, {3, 3, 3}},
		{softmax, 1, {3}, {4}},
		{mix, 3, {3, 3, 3}, {2, 4, 4}},
#ifdef REAL_DOUBLE
		{relu, 1, {3}, {5}},
#endif
	};
	(void)relu;
	for (size_t i = 0; i < sizeof list / sizeof *list; i++) {
		struct subject s = {0};
		struct rng r = rng_stream(7, "x", i, 0);
		for (int j = 0; j < list[i].n; j++)
			add(&s, &r, list[i].rows[j], list[i].cols[j]);
		differences(&s, list[i].f, 0);
		clear(&s);
	}
}

static struct node *cross_entropy(struct tape *t, struct subject *s)
{
	static const int label[] = {0, 2, 1, 2};
	static const real weight[] = {REAL(0.5), 2, REAL(1.3)};
	return op_cross_entropy(t, &s->node[0], &(struct targets){.label = label}, weight, REAL(0.1),
		4.9); /* 4.9: a part of a batch */
}

/* Rows of two classes, one of them twice the same. */
static struct node *mixed_cross_entropy(struct tape *t, struct subject *s)
{
	static const int label[] = {0, 2, 1, 2}, other[] = {1, 2, 0, 0};
	static const real weight[] = {REAL(0.5), 2, REAL(1.3)},
			  share[] = {REAL(0.7), REAL(0.9), 1, REAL(0.5)};
	return op_cross_entropy(
		t, &s->node[0], &(struct targets){label, other, share}, weight, REAL(0.1), 4.9);
}

static void cross_entropy_grad(void)
{
	for (int mixed = 0; mixed < 2; mixed++) {
		struct subject s = {0};
		struct rng r = rng_stream(8, "x", 0, 0);
		add(&s, &r, 4, 3);
		differences(&s, mixed ? mixed_cross_entropy : cross_entropy, 0);
		clear(&s);
	}
}

static void cross_entropy_value(void)
{
	/* two rows, logits (0, ln 3): p = (1/4, 3/4); labels 0 and 1: -(ln 1/4 + ln 3/4) / 2 */
	struct subject s = {0};
	struct rng r = rng_stream(8, "x", 0, 0);
	struct workspace w = workspace_new();
	struct tape *t = tape_new(false);
	tape_lend(t, &w);
	static const int label[] = {0, 1};
	add(&s, &r, 2, 2);
	s.node[0].x[0] = s.node[0].x[2] = 0;
	s.node[0].x[1] = s.node[0].x[3] = (real)log(3.0);
	CHECK_NEAR(op_cross_entropy(t, &s.node[0], &(struct targets){.label = label}, NULL, 0, 2)->x[0],
		-(log(0.25) + log(0.75)) / 2, 1e-6);
	/* of two classes: each row's 0.9 of its label and 0.1 of the other */
	static const int other[] = {1, 0};
	static const real share[] = {REAL(0.9), REAL(0.9)}, weight[] = {2, 3};
	struct targets two = {label, other, share};
	CHECK_NEAR(op_cross_entropy(t, &s.node[0], &two, NULL, 0, 2)->x[0],
		-(0.9 * log(0.25) + 0.1 * log(0.75) + 0.9 * log(0.75) + 0.1 * log(0.25)) / 2, 1e-6);
	CHECK_NEAR(targets_weight(&two, 2, NULL), 2, 0);
	CHECK_NEAR(targets_weight(&two, 2, weight), 0.9 * 2 + 0.1 * 3 + 0.9 * 3 + 0.1 * 2, 1e-6);
	CHECK_NEAR(targets_weight(&(struct targets){.label = label}, 2, weight), 5, 0);
	tape_free(t);
	workspace_free(&w);
	clear(&s);
}

/* The share of zeros is p, the mean stays, and neighbours, keys and rows are unrelated. */
static void dropout_is_fair(void)
{
	enum { N = 100000 };
	static real a[N], b[N];
	dropout_mask(a, N, 12345, 0, REAL(0.1));
	dropout_mask(b, N, 12346, 0, REAL(0.1));
	double zero = 0, both = 0, next = 0;
	for (int i = 0; i < N; i++) {
		zero += a[i] == 0;
		both += a[i] == 0 && b[i] == 0;
		next += i > 0 && a[i] == 0 && a[i - 1] == 0;
	}
	CHECK_NEAR(zero / N, 0.1, 0.004);
	CHECK_NEAR(both / N, 0.01, 0.0015);
	CHECK_NEAR(next / N, 0.01, 0.0015);
	CHECK_NEAR(a[0] == 0 ? a[1] : a[0], 1 / 0.9, 0.2);
	dropout_mask(b, 1000, 12345, 500, REAL(0.1));
	CHECK(!memcmp(a + 500, b, 1000 * sizeof *a)); /* a piece of the sequence is the same piece */
}

int main(void)
{
	CASE(linear_grad);
	CASE(linear_kinds_grad);
	CASE(embed_grad);
	CASE(attention_grad);
	CASE(attention_value);
	CASE(log_power_grad);
	CASE(log_power_value);
	CASE(residual_grad);
	CASE(norm_grad);
	CASE(feedforward_grad);
	CASE(small_grads);
	CASE(cross_entropy_grad);
	CASE(cross_entropy_value);
	CASE(dropout_is_fair);
	return check_done();
}
