/* The expert types and their operations against central finite differences, in float with a wide
 * tolerance and (make gradcheck) in double to 1e-7; and what they are equal to. */
#include "subject.h"

#include "moe/layer.h"

static int hidden;
static enum gating gating;

static struct gated_weights gated_weights(const struct subject *s)
{
	const struct weight *w = s->weight;
	return (struct gated_weights){w[1], w[2], w[3], w[4], w[5], w[6]};
}

static struct node *gated(struct tape *t, struct subject *s)
{
	struct gated_weights w = gated_weights(s);
	return op_gated_feedforward(t, &s->node[0], &w, hidden, gating);
}

static void add_gated(struct subject *s, struct rng *r, int rows, int H)
{
	add(s, r, rows, H);
	for (int map = 0; map < 2; map++) {
		add(s, r, hidden, H);
		add(s, r, 1, hidden);
	}
	add(s, r, H, hidden);
	add(s, r, 1, H);
}

static void gated_grad(void)
{
	static const int size[][2] = {/* rows, hidden units */ {3, 11}, {3, 259}, {59, 7}};
	for (int i = 0; i < 9; i++)
		for (int dropout = 0; dropout < 2; dropout++) {
			struct subject s = {0};
			struct rng r = rng_stream(11, "x", (uint64_t)i, 0);
			hidden = size[i / 3][1];
			gating = (enum gating)(i % 3);
			add_gated(&s, &r, size[i / 3][0], 4);
			differences(&s, gated, dropout * 0.25);
			clear(&s);
		}
}

/* One row and one unit of each, by the definitions. */
static void gated_values(void)
{
	static const double a[] = {-30, -2, -0.5, 0, 0.3, 4, 90};
	struct workspace w = workspace_new();
	struct tape *t = tape_new(false);
	tape_lend(t, &w);
	hidden = 1;
	for (size_t i = 0; i < sizeof a / sizeof *a; i++)
		for (int kind = 0; kind < 3; kind++) {
			struct subject s = {0};
			struct rng r = rng_stream(12, "x", i, 0);
			add_gated(&s, &r, 1, 1);
			real x = s.node[0].x[0], *v = s.node[3].x;
			v[0] = ((real)a[i] - s.node[4].x[0]) / x; /* the gate's argument becomes a */
			double sigmoid = 1 / (1 + exp(-a[i])), cdf = 0.5 * (1 + erf(a[i] / sqrt(2.0)));
			double open = kind == 0 ? sigmoid : a[i] * (kind == 1 ? cdf : sigmoid);
			double linear = (double)(x * s.node[1].x[0] + s.node[2].x[0]);
			double want = open * linear * (double)s.node[5].x[0] + (double)s.node[6].x[0];
			gating = (enum gating)kind;
			CHECK_NEAR(gated(t, &s)->x[0], want, 2e-6 * (1 + fabs(want)));
			clear(&s);
		}
	tape_free(t);
	workspace_free(&w);
}

static enum activation act;

static struct node *activation(struct tape *t, struct subject *s)
{
	return op_activation(t, &s->node[0], act);
}

static void activation_grad(void)
{
	for (int i = 0; i < 4; i++) {
		struct subject s = {0};
		struct rng r = rng_stream(13, "x", (uint64_t)i, 0);
		act = i % 2 ? ACT_GELU : ACT_RELU;
#ifndef REAL_DOUBLE
		if (act == ACT_RELU)
			continue; /* a kink within a wide step */
#endif
		add(&s, &r, 3, 11);
		differences(&s, activation, i > 1 ? 0.25 : 0);
		clear(&s);
	}
}

/* --- windows of different lengths, one of them empty: rows 0 .. 4, none, 5, 6 .. 14 */

static const int first[] = {0, 5, 5, 6, 15};
static const int place[] = {0, 1, 3, 4, 9, 2, 0, 1, 2, 3, 4, 5, 6, 20, 21};
static int taps;

static struct node *within(struct tape *t, struct subject *s)
{
	return op_attention_within(t, &s->node[0], s->weight[1], s->weight[2], 4, first, 2);
}

static struct node *depthwise(struct tape *t, struct subject *s)
{
	return op_depthwise(t, &s->node[0], s->weight[1], s->weight[2], taps, 4, first, place);
}

static void windows_grad(void)
{
	for (int i = 0; i < 5; i++) {
		struct subject s = {0};
		struct rng r = rng_stream(16, "x", (uint64_t)i, 0);
		add(&s, &r, 15, 6);
		taps = i - 1; /* 1 to 3 */
		add(&s, &r, i < 2 ? 18 : 6, i < 2 ? 6 : taps);
		add(&s, &r, 1, i < 2 ? 18 : 6);
		differences(&s, i < 2 ? within : depthwise, i == 1 ? 0.3 : 0);
		clear(&s);
	}
}

/* Each window alone gives the same numbers: windows do not see each other. */
static void windows_are_apart(void)
{
	struct subject s = {0};
	struct rng r = rng_stream(17, "x", 0, 0);
	struct workspace w = workspace_new();
	struct tape *t = tape_new(false);
	tape_lend(t, &w);
	add(&s, &r, 15, 6);
	add(&s, &r, 18, 6);
	add(&s, &r, 1, 18);
	struct node *all = within(t, &s);
	for (int b = 0; b < 4; b++) {
		int n = first[b + 1] - first[b], at = first[b] * 6;
		struct node part = {.x = s.node[0].x + at, .rows = n, .cols = 6};
		struct node *alone = n ? op_attention(t, &part, s.weight[1], s.weight[2], 1, 2) : NULL;
		CHECK(!n || !memcmp(alone->x, all->x + at, (size_t)n * 6 * sizeof(real)));
	}
	tape_free(t);
	workspace_free(&w);
	clear(&s);
}

/* One column, taps (1, 10, 100): each row reads its neighbours in time, not in the list. */
static void taps_reach_neighbours_in_time(void)
{
	static const double want[] = {
		210, 21, 430, 43, 50, 60, 870, 987, 1098, 1209, 1320, 1431, 142, 1640, 164};
	struct subject s = {0};
	struct rng r = rng_stream(18, "x", 0, 0);
	struct workspace w = workspace_new();
	struct tape *t = tape_new(false);
	tape_lend(t, &w);
	taps = 3;
	add(&s, &r, 15, 1);
	add(&s, &r, 1, 3);
	add(&s, &r, 1, 1);
	for (int i = 0; i < 15; i++)
		s.node[0].x[i] = (real)(i + 1);
	for (int j = 0; j < 3; j++)
		s.node[1].x[j] = (real)pow(10, j);
	s.node[2].x[0] = 0;
	struct node *y = depthwise(t, &s);
	for (int i = 0; i < 15; i++)
		CHECK_NEAR(y->x[i], want[i], 0);
	tape_free(t);
	workspace_free(&w);
	clear(&s);
}

static struct node *mean_units(struct tape *t, struct subject *s)
{
	static const int unit[] = {0, 1, 1, 1, 2};
	return op_mean_units(t, &s->node[0], 5, 3, unit);
}

static void mean_units_grad(void)
{
	struct subject s = {0};
	struct rng r = rng_stream(19, "x", 0, 0);
	add(&s, &r, 10, 3);
	differences(&s, mean_units, 0);
	clear(&s);
}

/* --- expert types, alone and as the only one of an MoE layer */

static const struct expert_type *type;
static struct expert_shape shape;
static const struct expert_rows apart = {4, first, place};

static struct node *expert(struct tape *t, struct subject *s)
{
	return type->forward(t, &s->node[0], s->weight + 1, &shape, &apart);
}

/* x [rows][H] and the type's tensors; returns how many. */
static int add_expert(struct subject *s, struct rng *r, int rows)
{
	struct tensor_plan plan[EXPERT_TENSORS];
	int n = type->declare(&shape, plan);
	add(s, r, rows, shape.H);
	for (int i = 0; i < n; i++)
		add(s, r, plan[i].rows, plan[i].cols ? plan[i].cols : 1);
	return n;
}

static void ffn_forms_grad(void)
{
	type = expert_find("ffn");
	for (int form = FFN_MLP; form <= FFN_RESIDUAL; form++)
		for (int norms = 0; norms < 4; norms++) {
			struct subject s = {0};
			struct rng r = rng_stream(14, "x", (uint64_t)form, (uint64_t)norms);
			shape = (struct expert_shape){
				4, 9, ACT_GELU, (enum ffn_form)form, norms & 1, norms > 1, 0, 0, NULL};
			add_expert(&s, &r, 5);
			differences(&s, expert, norms ? 0.25 : 0);
			clear(&s);
		}
}

static void other_types_grad(void)
{
	static const char *const name[] = {"attention", "conv"};
	for (uint64_t i = 0; i < 4; i++) {
		struct subject s = {0};
		struct rng r = rng_stream(20, "x", i, 0);
		type = expert_find(name[i / 2]);
		shape = (struct expert_shape){4, 9, ACT_GELU, FFN_MLP, false, false, 2, 3, NULL};
		add_expert(&s, &r, 15);
		differences(&s, expert, i % 2 ? 0.25 : 0);
		clear(&s);
	}
}

/* One expert that gets every token with weight 1 is the layer without a router. */
static void one_expert_is_dense(void)
{
	type = expert_find("ffn");
	struct workspace w = workspace_new();
	struct tape *t = tape_new(true);
	tape_lend(t, &w);
	for (int form = FFN_MLP; form <= FFN_RESIDUAL; form++) {
		struct subject s = {0};
		struct rng r = rng_stream(15, "x", (uint64_t)form, 0);
		shape = (struct expert_shape){4, 9, ACT_RELU, (enum ffn_form)form, true, true, 0, 0, NULL};
		int n = add_expert(&s, &r, 6);
		add(&s, &r, 1, shape.H);
		struct moe_layer m = {.router = router_find("topk"),
			.route = {.H = 4,
				.E = 1,
				.k = 1,
				.N = 3,
				.temperature = 1,
				.renormalise = RENORMALISE_YES},
			.shape = shape,
			.parts = 1,
			.part = {{type, 0, 1, s.weight + 1}},
			.N = 3,
			.router_weight = &s.weight[n + 1]};
		struct node *dense = expert(t, &s),
			    *mixed = moe_layer_forward(t, &s.node[0], &m, NULL, NULL, NULL);
		CHECK(!memcmp(dense->x, mixed->x, 24 * sizeof(real)));
		tape_reset(t);
		clear(&s);
	}
	tape_free(t);
	workspace_free(&w);
}

/* The operation of a type over whole windows: two of four tokens. */
static struct node *plainly(struct tape *t, struct subject *s)
{
	static const int first_[] = {0, 4, 8}, place_[] = {0, 1, 2, 3, 0, 1, 2, 3};
	const struct weight *w = s->weight + 1;
	struct node *x = &s->node[0];
	if (!strcmp(type->name, "attention"))
		return op_linear(t, op_attention(t, x, w[0], w[1], 2, shape.heads), w[2], w[3], shape.H);
	x = op_depthwise(t, x, w[0], w[1], shape.kernel, 2, first_, place_);
	return op_feedforward(t, x, w[2], w[3], w[4], w[5], shape.F, shape.activation);
}

static struct node *mixed(struct tape *t, struct subject *s)
{
	struct moe_layer m = {.router = router_find("topk"),
		.route = {.H = 4, .E = 1, .k = 1, .N = 4, .temperature = 1, .renormalise = RENORMALISE_YES},
		.shape = shape,
		.parts = 1,
		.part = {{type, 0, 1, s->weight + 1}},
		.N = 4,
		.router_weight = &s->weight[s->n - 1]};
	return moe_layer_forward(t, &s->node[0], &m, NULL, NULL, NULL);
}

/* One expert of attention, or of convolution, that gets every token is that operation: the same
 * answer, gradients of tokens and of every tensor. */
static void case_17_other_types(void)
{
	static const char *const name[] = {"attention", "conv"};
	struct workspace w = workspace_new();
	struct tape *t = tape_new(true);
	tape_lend(t, &w);
	for (uint64_t i = 0; i < 2; i++) {
		struct subject s = {0}, same = {0};
		type = expert_find(name[i]);
		shape = (struct expert_shape){4, 9, ACT_RELU, FFN_MLP, false, false, 2, 3, NULL};
		struct rng a = rng_stream(21, "x", i, 0), b = a;
		int n = add_expert(&s, &a, 8);
		add_expert(&same, &b, 8);
		add(&s, &a, 1, shape.H);
		double one = loss(t, &s, mixed, true), other = loss(t, &same, plainly, true);
		CHECK_NEAR(one, other, tolerance * 1e-3);
		for (int j = 0; j <= n; j++)
			for (int e = 0; e < s.rows[j] * s.cols[j]; e++)
				CHECK_NEAR(s.node[j].g[e], same.node[j].g[e], tolerance * 1e-3);
		struct node *y = plainly(t, &same);
		CHECK(!memcmp(mixed(t, &s)->x, y->x, 32 * sizeof(real)));
		tape_reset(t);
		clear(&s);
		clear(&same);
	}
	tape_free(t);
	workspace_free(&w);
}

int main(void)
{
	CASE(gated_grad);
	CASE(gated_values);
	CASE(activation_grad);
	CASE(windows_grad);
	CASE(windows_are_apart);
	CASE(taps_reach_neighbours_in_time);
	CASE(mean_units_grad);
	CASE(ffn_forms_grad);
	CASE(other_types_grad);
	CASE(one_expert_is_dense);
	CASE(case_17_other_types);
	return check_done();
}
