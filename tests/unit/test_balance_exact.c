/* The losses of MoE layers, and routing figures, held to numbers. Numbered cases are those of the
 * conformance list that tests/reference/README names. Runs in float and in double, where the
 * numbers hold to the digits written here. */
#include "mixture_rig.h"

#include "moe/rebalance.h"
#include "moe/usage.h"

static void near(const real *x, const double *want, int n, double within)
{
	for (int i = 0; i < n; i++)
		CHECK_NEAR(x[i], want[i], within);
}

/* A router whose linear map is the identity: the tokens are the logits. */
static void rig_of_logits(struct rig *g, const char *router, const double *z, int N, int E, int k)
{
	*g = (struct rig){.router = router,
		.route = {.H = E, .E = E, .k = k, .N = N, .temperature = 1},
		.F = 2,
		.B = 1};
	rig_begin(g, 1);
	for (int i = 0; i < N * E; i++)
		g->s.node[0].x[i] = (real)z[i];
	for (int i = 0; i < E; i++)
		for (int j = 0; j < E; j++)
			g->s.node[1].x[i * E + j] = i == j;
}

static const double tiny[] = {2, 1, 0, 1, 2, 0, 3, 0, 1, 0.5, 0.4, 0.3};

static void tiny_set_losses(void)
{
	static const double mean[] = {0.530232391, 0.321051122, 0.148716488},
			    row[] = {0.731058579, 0.268941421};
	static const int count[] = {4, 3, 1}, first[] = {3, 1, 0};
	static const double value[] = {1.212299781, 2.424599561, 1.433811220, 0.495810345};
	struct rig g;
	rig_of_logits(&g, "topk", tiny, 4, 3, 2);
	tape_begin(false);
	rig_forward(tape, &g);
	for (int e = 0; e < 3; e++) {
		CHECK_NEAR(g.balance.sums[0].probability[e] / 4, mean[e], digits);
		CHECK(balance_sent(&g.balance, e) == count[e] && g.balance.sums[0].first[e] == first[e]);
	}
	for (int form = BALANCE_SWITCH; form <= BALANCE_CV2; form++)
		CHECK_NEAR(balance_loss(&g.balance, (enum balance_form)form), value[form], 2 * digits);
	/* of the sample instead of the population: E / (E - 1) times as much */
	CHECK_NEAR(1.5 * balance_loss(&g.balance, BALANCE_CV2), 0.743715518, 2 * digits);
	CHECK_NEAR(balance_z(&g.balance), 5.974222267, 4 * digits);
	near(g.chosen.weight->x, row, 2, digits);
	tape_end();
	rig_end(&g);
}

static void tiny_set_figures(void)
{
	static const double share[] = {0.5, 0.375, 0.125};
	static const int64_t pair[] = {0, 3, 1, 3, 0, 0, 1, 0, 0};
	struct rig g;
	rig_of_logits(&g, "topk", tiny, 4, 3, 2);
	struct usage u;
	usage_new(&u, 3, 2);
	tape_begin(false);
	rig_forward(tape, &g);
	for (int t = 0; t < 4; t++) {
		float p[3], w[2];
		int32_t expert[2];
		for (int e = 0; e < 3; e++)
			p[e] = (float)g.chosen.probability->x[t * 3 + e];
		for (int j = 0; j < 2; j++) {
			w[j] = (float)g.chosen.weight->x[t * 2 + j];
			expert[j] = g.chosen.expert[t * 2 + j];
		}
		usage_add(&u, p, expert, w);
	}
	struct usage_metrics f = usage_metrics(&u);
	CHECK_NEAR(f.entropy, 0.821086262, 1e-7);
	for (int e = 0; e < 3; e++)
		CHECK_NEAR(f.fraction[e], share[e], 1e-12);
	CHECK(!memcmp(u.pair, pair, sizeof pair));
	usage_metrics_free(&f);
	usage_free(&u);
	tape_end();
	rig_end(&g);
}

static void soft_with_temperature(void)
{
	static const double row[] = {0.506480391, 0.307195886, 0.186323723};
	struct rig g;
	rig_of_logits(&g, "soft", tiny, 4, 3, 2);
	g.m.route.temperature = 2;
	tape_begin(false);
	rig_forward(tape, &g);
	near(g.chosen.weight->x, row, 3, digits);
	tape_end();
	rig_end(&g);
}

/* tokens (1,0), (0,1), (1,1), slots diag(1, 2): the ops below the router, which would take the
 * lengths out */
static void soft_moe_numbers(void)
{
	static const real x[] = {1, 0, 0, 1, 1, 1}, z[] = {1, 0, 0, 2, 1, 2};
	static const double slot[] = {0.844637597, 0.577681202, 0.531689469, 0.936621062};
	static const double combine[] = {0.119202922, 0.880797078};
	tape_begin(false);
	struct node *logits = op_input(tape, z, 3, 2);
	struct node *s = op_window_slots(tape, op_softmax_rows(tape, logits, 3), op_input(tape, x, 3, 2), 3);
	near(s->x, slot, 4, digits);
	near(op_softmax(tape, logits, 1)->x + 2, combine, 2, digits);
	tape_end();
}

/* A choice of one place made from gates [N][E], which are its probabilities; all: every expert,
 * weighted by its gate. */
static struct balance counted(const double *gate, int N, int E, bool all)
{
	struct balance b = balance_new(&(struct router_shape){.E = E});
	int k = all ? E : 1;
	struct choice c = {.k = k,
		.balanced = true,
		.probability = op_constant(tape, N, E, 0),
		.weight = op_constant(tape, N, k, 1)};
	c.expert = tape_take(tape, (size_t)(N * k) * sizeof *c.expert);
	for (int t = 0; t < N; t++) {
		int best = 0;
		for (int e = 0; e < E; e++) {
			c.probability->x[t * E + e] = (real)gate[t * E + e];
			best = gate[t * E + e] > gate[t * E + best] ? e : best;
			if (all) {
				c.expert[t * E + e] = e;
				c.weight->x[t * E + e] = (real)gate[t * E + e];
			}
		}
		if (!all)
			c.expert[t] = best;
	}
	balance_count(&b, &c, N, k, N, NULL);
	return b;
}

static void case_1_first_and_importance(void)
{
	static const double gate[] = {0.5, 0.4, 0.1, 0.3, 0.3, 0.4, 0.1, 0.2, 0.7, 0.8, 0.2, 0};
	tape_begin(false);
	struct balance one = counted(gate, 4, 3, false), all = counted(gate, 4, 3, true);
	CHECK_NEAR(balance_loss(&one, BALANCE_FIRST), 1.0875, digits);
	CHECK_NEAR(balance_loss(&all, BALANCE_CV2), 0.03875, digits);
	CHECK_NEAR(1.5 * balance_loss(&all, BALANCE_CV2), 0.058125, digits); /* of the sample */
	balance_free(&one);
	balance_free(&all);
	tape_end();
}

/* 4 experts, k = 2, 4 tokens: token t prefers t, then t + 1 (mod 4): even. All prefer 0, then 1:
 * collapsed, E / k at certainty. */
static void case_3_even_and_collapsed(void)
{
	double even[16] = {0}, collapsed[16] = {0};
	static const double value[] = {1, 2, 1, 0};
	for (int t = 0; t < 4; t++) {
		even[t * 4 + t] = 2;
		even[t * 4 + (t + 1) % 4] = 1;
		collapsed[t * 4] = 60;
		collapsed[t * 4 + 1] = 60;
	}
	tape_begin(false);
	struct rig g, h;
	rig_of_logits(&g, "topk", even, 4, 4, 2);
	rig_of_logits(&h, "topk", collapsed, 4, 4, 2);
	rig_forward(tape, &g);
	rig_forward(tape, &h);
	for (int form = BALANCE_SWITCH; form <= BALANCE_CV2; form++)
		CHECK_NEAR(balance_loss(&g.balance, (enum balance_form)form), value[form], close_to);
	CHECK_NEAR(balance_loss(&h.balance, BALANCE_SWITCH), 2, close_to);
	tape_end();
	rig_end(&g);
	rig_end(&h);
}

/* z >= 0, and 0 with no gradient where the exponentials sum to 1; without weights the losses leave
 * no gradient */
static void case_4_z(void)
{
	double z[] = {log(0.2), log(0.3), log(0.5), 1, 0, -1};
	struct rig one, two;
	rig_of_logits(&one, "topk", z, 1, 3, 2);
	rig_of_logits(&two, "topk", z, 2, 3, 2);
	tape_begin(true);
	one.z_weight = two.z_weight = 1;
	there_and_back(&one, NULL);
	CHECK_NEAR(balance_z(&one.balance), 0, close_to);
	CHECK_NEAR(largest_gradient(&one, 1), 0, close_to);
	there_and_back(&two, NULL);
	CHECK(balance_z(&two.balance) > 0 && largest_gradient(&two, 1) > 1e-3);
	two.z_weight = 0;
	there_and_back(&two, NULL);
	CHECK(largest_gradient(&two, 1) == 0);
	two.balance_weight = 1;
	there_and_back(&two, NULL);
	CHECK(largest_gradient(&two, 1) > 1e-3);
	tape_end();
	rig_end(&one);
	rig_end(&two);
}

static void case_16b_margin(void)
{
	static const struct {
		float p[3];
		int32_t best;
	} a[] = {{{0.6F, 0.3F, 0.1F}, 0}, {{0.4F, 0.4F, 0.2F}, 0}, {{0.2F, 0.5F, 0.3F}, 1},
		{{0.1F, 0.2F, 0.7F}, 2}};
	static const double margin[] = {0.25, 0.55714285};
	for (int i = 0; i < 2; i++) {
		struct usage u;
		usage_new(&u, 3, 1);
		for (int t = 2 * i; t < 2 * i + 2; t++)
			usage_add(&u, a[t].p, &a[t].best, &a[t].p[a[t].best]);
		struct usage_metrics f = usage_metrics(&u);
		CHECK_NEAR(f.margin, margin[i], 1e-7);
		usage_metrics_free(&f);
		usage_free(&u);
	}
}

/* the tiny set: experts chosen 4, 3 and 1 times */
static void bias_moves_towards_even(void)
{
	static const double step_[] = {-0.001, -0.001, 0.001};
	real b[3] = {0};
	struct rig g;
	rig_of_logits(&g, "topk", tiny, 4, 3, 2);
	tape_begin(false);
	rig_forward(tape, &g);
	rebalance_bias(&g.balance, 0.001, b);
	near(b, step_, 3, 1e-9);
	balance_clear(&g.balance, 1);
	rebalance_bias(&g.balance, 0.001, b); /* nothing counted: it stays */
	near(b, step_, 3, 1e-9);
	tape_end();
	rig_end(&g);
}

/* Lacks pooled over a batch, at the middles of histograms [0,2,2,0] and [2,2,0,0] of four equal
 * parts of [-1, 1] */
static void quantiles_of_a_batch(void)
{
	static const double want[] = {0.25, -0.25};
	real lack[] = {REAL(-0.25), REAL(-0.75), REAL(0.25), REAL(-0.25), REAL(0.25), REAL(-0.25),
		REAL(-0.25), REAL(-0.75)};
	real b[] = {0, 0};
	rebalance_quantile(&(struct balance){.experts = 2, .k = 1, .lack = lack, .lacks = 4}, b);
	near(b, want, 2, digits);
	rebalance_quantile(&(struct balance){.experts = 2, .k = 1}, b);
	near(b, want, 2, digits);
}

/* Selection goes by score and balance, weights by the score alone; after moving by quantiles the
 * same tokens are spread evenly. */
static void quantiles_even_the_load(void)
{
	enum { N = 40, E = 4 };
	double z[N * E];
	struct rng r = rng_stream(6, "z", 0, 0);
	for (int i = 0; i < N * E; i++)
		z[i] = rng_normal(&r) + (i % E == 1 ? 1.5 : 0);
	real b[E] = {0};
	struct rig g;
	rig_of_logits(&g, "topk", z, N, E, 1);
	g.m.route.score = SCORE_SIGMOID;
	g.m.route.balance = b;
	g.balance.keep_lacks = true;
	tape_begin(false);
	rig_forward(tape, &g);
	CHECK(balance_sent(&g.balance, 1) > N / 2 && g.balance.lacks == N);
	for (int i = 0; i < 30; i++) {
		rebalance_quantile(&g.balance, b);
		tape_reset(tape);
		rig_forward(tape, &g);
	}
	for (int e = 0; e < E; e++)
		CHECK(balance_sent(&g.balance, e) >= N / E - 2 && balance_sent(&g.balance, e) <= N / E + 2);
	for (int t = 0; t < N; t++) {
		real p = 1 / (1 + (real)exp(-z[t * E + g.chosen.expert[t]]));
		CHECK_NEAR(g.chosen.weight->x[t], p, 1e-6);
	}
	tape_end();
	rig_end(&g);
}

int main(void)
{
	CASE(tiny_set_losses);
	CASE(tiny_set_figures);
	CASE(soft_with_temperature);
	CASE(soft_moe_numbers);
	CASE(case_1_first_and_importance);
	CASE(case_3_even_and_collapsed);
	CASE(case_4_z);
	CASE(case_16b_margin);
	CASE(bias_moves_towards_even);
	CASE(quantiles_of_a_batch);
	CASE(quantiles_even_the_load);
	return check_done();
}
