/* Routers and the layer around them held to properties. Numbered cases are those of the conformance
 * list that tests/reference/README names. Runs in float and in double. */
#include "mixture_rig.h"

static struct rig rig_for(const char *router, int E, int k)
{
	return (struct rig){.router = router,
		.route = {.H = 6,
			.E = E,
			.k = k,
			.N = 7,
			.slots = 1,
			.dim = 3,
			.temperature = 1,
			.noise_std = 1,
			.capacity_factor = 2,
			.key = 3},
		.F = 8,
		.B = 2};
}

static void random_gradient(real *dy, int n)
{
	struct rng r = rng_stream(4, "dy", 0, 0);
	for (int i = 0; i < n; i++)
		dy[i] = (real)rng_normal(&r);
}

enum { H = 6, ROWS = 14 };

/* one expert of weight 1 is the dense layer, gradients too */
static void case_17_one_expert(void)
{
	static const char *const routers[] = {
		"topk", "noisy_topk", "soft", "cosine", "condition", "random", "uniform"};
	real dy[ROWS * H];
	random_gradient(dy, ROWS * H);
	for (size_t i = 0; i < sizeof routers / sizeof *routers; i++) {
		struct rig g = rig_for(routers[i], 1, 1);
		rig_begin(&g, 30);
		tape_begin(true);
		real keep[ROWS * H], dx[ROWS * H], dw[8 * H];
		struct node *y = there_and_back(&g, dy);
		int linear1 = g.s.n - 4;
		memcpy(keep, y->x, sizeof keep);
		memcpy(dx, g.s.node[0].g, sizeof dx);
		memcpy(dw, g.s.node[linear1].g, sizeof dw);
		tape_reset(tape);
		memset(g.s.node[0].g, 0, sizeof dx);
		memset(g.s.node[linear1].g, 0, sizeof dw);
		y = g.m.shared.type->forward(tape, &g.s.node[0], g.expert_weight, &g.m.shape, NULL);
		CHECK(!memcmp(keep, y->x, sizeof keep));
		tape_gradients(tape, tape->arena);
		memcpy(y->g, dy, sizeof dy);
		tape_backward(tape);
		for (int j = 0; j < ROWS * H; j++)
			CHECK_NEAR(dx[j], g.s.node[0].g[j], close_to);
		for (int j = 0; j < 8 * H; j++)
			CHECK_NEAR(dw[j], g.s.node[linear1].g[j], 4 * close_to);
		tape_end();
		rig_end(&g);
	}
}

/* Every expert on every token, unchosen ones weighted 0. */
static struct node *dense_path(struct rig *g, const struct choice *chosen)
{
	int E = g->route.E, k = chosen->k, *index = tape_take(tape, (size_t)(ROWS * E) * sizeof *index);
	struct node *answer[8];
	for (int i = 0; i < ROWS * E; i++)
		index[i] = -1;
	for (int i = 0; i < ROWS * k; i++)
		index[i / k * E + chosen->expert[i]] = chosen->expert[i];
	struct node *z = op_linear(tape, &g->s.node[0], g->router_weight[0], (struct weight){0}, E);
	struct node *w = op_pick(tape, op_softmax(tape, z, 1), index, E, k > 1);
	tape->keep_passing = true;
	for (int e = 0; e < E; e++) {
		struct weight one[EXPERT_TENSORS];
		for (int i = 0; i < 4; i++) {
			int n = g->s.rows[2 + i] * g->s.cols[2 + i] / E * e;
			one[i] = (struct weight){g->expert_weight[i].x + n, g->expert_weight[i].g + n};
		}
		answer[e] = g->m.shared.type->forward(tape, &g->s.node[0], one, &g->m.shape, NULL);
	}
	tape->keep_passing = false;
	return op_mix(tape, w, answer, E);
}

/* cases 15, 18 and 19: only what was chosen is computed, and it is what computing everything gives:
 * y to the bit, gradients of tokens, router and experts */
static void case_15_19_sparse_is_dense(void)
{
	real dy[ROWS * H];
	random_gradient(dy, ROWS * H);
	for (int k = 1; k <= 2; k++) {
		struct rig g = rig_for("topk", 5, k);
		rig_begin(&g, 31);
		tape_begin(true);
		real y[ROWS * H], *grad[INPUTS];
		int expert[ROWS * 2];
		memcpy(y, there_and_back(&g, dy)->x, sizeof y);
		memcpy(expert, g.chosen.expert, (size_t)(ROWS * k) * sizeof *expert);
		for (int i = 0; i < g.s.n; i++) {
			size_t n = (size_t)(g.s.rows[i] * g.s.cols[i]) * sizeof(real);
			grad[i] = memcpy(mem_new(1, n), g.s.node[i].g, n);
			memset(g.s.node[i].g, 0, n);
		}
		tape_reset(tape);
		struct node *d = dense_path(&g, &(struct choice){.k = k, .expert = expert});
		CHECK(!memcmp(y, d->x, sizeof y));
		tape_gradients(tape, tape->arena);
		memcpy(d->g, dy, sizeof dy);
		tape_backward(tape);
		for (int i = 0; i < g.s.n; i++) {
			for (int j = 0; j < g.s.rows[i] * g.s.cols[i]; j++)
				CHECK_NEAR(grad[i][j], g.s.node[i].g[j], 10 * close_to);
			free(grad[i]);
		}
		tape_end();
		rig_end(&g);
	}
}

/* Ways of choosing whose weights sum to 1 all the same. */
static void choose_by(struct router_shape *s, int way)
{
	s->score = way == 1 ? SCORE_SIGMOID : SCORE_SOFTMAX;
	s->top_p = way == 2 ? 0.6 : 0;
	s->groups = way == 3 ? 2 : 0;
	s->top_groups = 2;
	s->specialisation = way == 4;
	s->jitter = way == 4 ? 0.3 : 0;
	s->fixed_noise = way == 4;
	s->k = way == 5 ? 1 : 3;
	s->renormalise = way == 5 ? RENORMALISE_YES : RENORMALISE_AUTO;
}

/* equal experts are one, for every router whose weights sum to 1 */
static void case_20_equal_experts(void)
{
	static const char *const routers[] = {
		"topk", "noisy_topk", "soft", "soft_moe", "cosine", "condition", "random", "uniform"};
	for (size_t i = 0; i < sizeof routers / sizeof *routers; i++)
		for (int way = 0; way < 12; way++) {
			struct rig g = rig_for(routers[i], 4, 3);
			choose_by(&g.route, way / 2);
			g.route.training = way % 2;
			rig_begin(&g, 32);
			tape_begin(false);
			for (int w = g.s.n - 4; w < g.s.n; w++) {
				size_t n = (size_t)(g.s.rows[w] * g.s.cols[w]) / 4;
				for (size_t e = 1; e < 4; e++)
					memcpy(g.s.node[w].x + e * n, g.s.node[w].x, n * sizeof(real));
			}
			struct node *y = rig_forward(tape, &g), *x = &g.s.node[0];
			tape->keep_passing = true;
			if (!strcmp(routers[i], "soft_moe")) /* an expert works on slots, not on tokens */
				x = op_window_slots(tape, g.chosen.dispatch, x, 7);
			struct node *one =
				g.m.shared.type->forward(tape, x, g.expert_weight, &g.m.shape, NULL);
			if (g.chosen.combine)
				one = op_window_mix(tape, g.chosen.combine, one, 7);
			for (int j = 0; j < ROWS * H; j++)
				CHECK_NEAR(y->x[j], one->x[j], 10 * close_to);
			tape_end();
			rig_end(&g);
		}
}

/* Tensor w of E equal parts: the parts in the order 2, 0, 3, 1. */
static void permute(struct rig *g, int w)
{
	static const size_t order[] = {2, 0, 3, 1};
	size_t n = (size_t)(g->s.rows[w] * g->s.cols[w]) / 4;
	real *old = memcpy(mem_new(4 * n, sizeof *old), g->s.node[w].x, 4 * n * sizeof *old);
	for (size_t e = 0; e < 4; e++)
		memcpy(g->s.node[w].x + e * n, old + order[e] * n, n * sizeof *old);
	free(old);
}

static void case_21_permuted_experts(void)
{
	static const struct {
		const char *router;
		int rows; /* the router's tensor that has a row for each expert */
	} a[] = {{"topk", 1}, {"noisy_topk", 1}, {"soft", 1}, {"expert_choice", 1}, {"cosine", 2},
		{"condition", 1}, {"soft_moe", 1}};
	for (size_t i = 0; i < sizeof a / sizeof *a; i++) {
		struct rig g = rig_for(a[i].router, 4, 2);
		rig_begin(&g, 33);
		tape_begin(false);
		real y[ROWS * H];
		memcpy(y, rig_forward(tape, &g)->x, sizeof y);
		permute(&g, a[i].rows);
		for (int w = g.s.n - 4; w < g.s.n; w++)
			permute(&g, w);
		const real *z = rig_forward(tape, &g)->x;
		for (int j = 0; j < ROWS * H; j++)
			CHECK_NEAR(y[j], z[j], 10 * close_to);
		tape_end();
		rig_end(&g);
	}
}

/* --- routers */

static void case_27_weights(void)
{
	for (int k = 1; k <= 4; k++) {
		struct rig g = rig_for("topk", 5, k);
		g.route.renormalise = RENORMALISE_YES;
		rig_begin(&g, 34);
		tape_begin(false);
		rig_forward(tape, &g);
		for (int t = 0; t < ROWS; t++) {
			double sum = 0;
			for (int j = 0; j < k; j++) {
				int e = g.chosen.expert[t * k + j];
				CHECK(e >= 0 && e < 5 && g.chosen.weight->x[t * k + j] > 0);
				for (int i = 0; i < j; i++)
					CHECK(g.chosen.expert[t * k + i] != e);
				sum += (double)g.chosen.weight->x[t * k + j];
			}
			CHECK_NEAR(sum, 1, close_to);
		}
		tape_end();
		rig_end(&g);
	}
}

static double mean_entropy(double temperature)
{
	struct rig g = rig_for("soft", 5, 2);
	double sum = 0;
	g.route.temperature = temperature;
	rig_begin(&g, 35);
	tape_begin(false);
	const real *y = rig_forward(tape, &g)->x;
	for (int i = 0; i < ROWS * H; i++)
		CHECK(isfinite(y[i]));
	for (int i = 0; i < ROWS * 5; i++) {
		double p = (double)g.chosen.weight->x[i];
		sum -= p > 0 ? p * log(p) : 0;
	}
	tape_end();
	rig_end(&g);
	return sum / ROWS;
}

static void case_27_temperature(void)
{
	double cold = mean_entropy(1e-3), cool = mean_entropy(0.5), warm = mean_entropy(2);
	CHECK(cold >= 0 && cold < cool && cool < warm && warm < log(5));
}

static void case_27_cosine_and_slots(void)
{
	struct rig g = rig_for("cosine", 5, 2), h = rig_for("soft_moe", 3, 1);
	h.route.slots = 2;
	rig_begin(&g, 36);
	rig_begin(&h, 36);
	tape_begin(false);
	g.s.node[3].x[0] = 0; /* scale 1 */
	rig_forward(tape, &g);
	for (int i = 0; i < ROWS * 5; i++)
		CHECK(fabs((double)g.chosen.logits->x[i]) <= 1 + close_to);
	rig_forward(tape, &h);
	CHECK(memcmp(h.chosen.dispatch->x, h.chosen.combine->x, ROWS * 6 * sizeof(real)));
	for (int s = 0; s < 6; s++)
		for (int b = 0; b < 2; b++) {
			double sum = 0;
			for (int t = 0; t < 7; t++)
				sum += (double)h.chosen.dispatch->x[(b * 7 + t) * 6 + s];
			CHECK_NEAR(sum, 1, close_to);
		}
	for (int t = 0; t < ROWS; t++) {
		double sum = 0;
		for (int s = 0; s < 6; s++)
			sum += (double)h.chosen.combine->x[t * 6 + s];
		CHECK_NEAR(sum, 1, close_to);
	}
	tape_end();
	rig_end(&g);
	rig_end(&h);
}

/* The task's gradient reaches the router, for one expert a token too, and every expert. */
static void case_28_gradients_reach(void)
{
	static const char *const routers[] = {
		"topk", "noisy_topk", "cosine", "condition", "soft", "expert_choice", "soft_moe"};
	real dy[ROWS * H];
	random_gradient(dy, ROWS * H);
	for (size_t i = 0; i < sizeof routers / sizeof *routers; i++)
		for (int k = 1; k <= 2; k++) {
			struct rig g = rig_for(routers[i], 3, k);
			g.route.training = true;
			rig_begin(&g, 37);
			tape_begin(true);
			there_and_back(&g, dy);
			CHECK(largest_gradient(&g, 1) > 1e-4);
			for (int e = 0; e < 3; e++) {
				double top = 0;
				for (int j = 0; j < H; j++) /* linear2.bias */
					top = fmax(top, fabs((double)g.s.node[g.s.n - 1].g[e * H + j]));
				CHECK(top > 1e-4);
			}
			tape_end();
			rig_end(&g);
		}
}

/* The choice goes by (x + u) W^T with the embedding u of the window's condition, and the experts
 * see x: as topk with the logits W u of the window added, and as topk to the bit where u is 0. */
static void conditions_move_the_choice(void)
{
	struct rig g = rig_for("condition", 4, 2), h = rig_for("topk", 4, 2);
	rig_begin(&g, 42);
	rig_begin(&h, 42);
	for (int i = 0; i < h.s.n; i++) { /* x, router, then the experts: g has the embeddings between */
		int from = i < 2 ? i : i + 1;
		memcpy(h.s.node[i].x, g.s.node[from].x, (size_t)(h.s.rows[i] * h.s.cols[i]) * sizeof(real));
	}
	tape_begin(false);
	const real *W = g.s.node[1].x, *u = g.s.node[2].x;
	int moved = 0;
	rig_forward(tape, &g);
	rig_forward(tape, &h);
	for (int i = 0; i < ROWS; i++) {
		int c = g.condition[i / 7];
		for (int e = 0; e < 4; e++) {
			double z = (double)h.chosen.logits->x[i * 4 + e];
			for (int j = 0; j < H; j++)
				z += (double)u[c * H + j] * (double)W[e * H + j];
			CHECK_NEAR(g.chosen.logits->x[i * 4 + e], z, close_to);
		}
		moved += g.chosen.expert[i * 2] != h.chosen.expert[i * 2];
	}
	CHECK(moved > 0 && moved < ROWS);
	memset(g.s.node[2].x, 0, 3 * H * sizeof(real));
	CHECK(!memcmp(rig_forward(tape, &g)->x, rig_forward(tape, &h)->x, ROWS * H * sizeof(real)));
	tape_end();
	rig_end(&g);
	rig_end(&h);
}

/* cases 28 and 29: noise changes training only, by its key; what the losses read of the logits
 * stays clean */
static void case_29_noise(void)
{
	struct rig g = rig_for("noisy_topk", 4, 2);
	real y[3][ROWS * H];
	double z[3], clean[3][4]; /* clean: the importance of each expert by the losses' probabilities */
	rig_begin(&g, 38);
	tape_begin(false);
	for (int i = 0; i < 3; i++) {
		g.m.route.training = i > 0;
		g.m.route.key = (uint64_t)i;
		memcpy(y[i], rig_forward(tape, &g)->x, sizeof *y);
		z[i] = balance_z(&g.balance);
		memcpy(clean[i], g.balance.sums[0].probability, sizeof *clean);
		for (int form = BALANCE_SWITCH; form <= BALANCE_CV2; form++)
			CHECK(isfinite(balance_loss(&g.balance, (enum balance_form)form)) &&
				balance_loss(&g.balance, (enum balance_form)form) >= 0);
	}
	CHECK(memcmp(y[0], y[1], sizeof *y) && memcmp(y[1], y[2], sizeof *y));
	CHECK(z[0] == z[1] && z[1] == z[2]);
	CHECK(!memcmp(clean[0], clean[1], sizeof *clean) && !memcmp(clean[1], clean[2], sizeof *clean));
	CHECK(!memcmp(y[2], rig_forward(tape, &g)->x, sizeof *y));
	g.m.route.training = false;
	CHECK(!memcmp(y[0], rig_forward(tape, &g)->x, sizeof *y));
	tape_end();
	rig_end(&g);
}

/* Groups {0,1}, {2,3}, {4,5}, two of them, four experts: a group counts by the sum of its two
 * best. */
static void groups_limit_the_choice(void)
{
	static const real score[] = {REAL(0.30), REAL(0.01), REAL(0.16), REAL(0.17), REAL(0.18), REAL(0.18)};
	static const int four[] = {4, 5, 3, 2}, two[] = {0, 4};
	struct router_shape s = {.E = 6, .k = 4, .groups = 3, .top_groups = 2};
	struct choice c = {0};
	tape_begin(false);
	struct node *x = op_input(tape, score, 1, 6);
	router_top(tape, x, &s, &c);
	CHECK(!memcmp(c.expert, four, sizeof four));
	s.k = 2; /* now by its best alone: {0,1} and {4,5} */
	router_top(tape, x, &s, &c);
	CHECK(!memcmp(c.expert, two, sizeof two));
	tape_end();
}

/* As many experts as 0.6 of the probability needs. */
static void mass_limits_the_choice(void)
{
	static const real score[] = {REAL(0.7), REAL(0.2), REAL(0.1), REAL(0.35), REAL(0.4), REAL(0.25)};
	static const int places[] = {0, -1, -1, 1, 0, -1};
	struct router_shape s = {.E = 3, .k = 3, .top_p = 0.6};
	struct choice c = {0};
	tape_begin(false);
	router_top(tape, op_input(tape, score, 2, 3), &s, &c);
	CHECK(!memcmp(c.expert, places, sizeof places) && c.share);
	tape_end();
}

static void sigmoid_scores(void)
{
	static const real z[] = {0, 2, -1};
	struct router_shape s = {.E = 3, .k = 2, .score = SCORE_SIGMOID};
	struct choice c = {0};
	double p[] = {0.5, 1 / (1 + exp(-2)), 1 / (1 + exp(1))}, sum = p[0] + p[1] + p[2];
	tape_begin(false);
	router_top(tape, router_score(tape, op_input(tape, z, 1, 3), &s, &c), &s, &c);
	for (int e = 0; e < 3; e++) {
		CHECK_NEAR(c.score->x[e], p[e], close_to);
		CHECK_NEAR(c.probability->x[e], p[e] / sum, close_to);
	}
	CHECK(c.expert[0] == 1 && c.expert[1] == 0);
	tape_end();
}

/* case 28: jitter is the router's alone, in training alone */
static void case_28_jitter(void)
{
	struct rig g = rig_for("soft", 1, 1), h = rig_for("topk", 4, 2);
	real y[ROWS * H];
	g.route.jitter = h.route.jitter = 0.5;
	g.route.training = h.route.training = true;
	rig_begin(&g, 40);
	rig_begin(&h, 40);
	tape_begin(false);
	memcpy(y, rig_forward(tape, &g)->x, sizeof y); /* one expert: what it reads is as it was */
	g.m.route.jitter = 0;
	CHECK(!memcmp(y, rig_forward(tape, &g)->x, sizeof y));
	memcpy(y, rig_forward(tape, &h)->x, sizeof y);
	h.m.route.jitter = 0;
	const real *still = rig_forward(tape, &h)->x;
	CHECK(memcmp(y, still, sizeof y));
	h.m.route.jitter = 0.5;
	h.m.route.training = false;
	CHECK(!memcmp(still, rig_forward(tape, &h)->x, sizeof y));
	tape_end();
	rig_end(&g);
	rig_end(&h);
}

/* k different experts, drawn evenly (chi-squared of 7 degrees of freedom below its 0.999 quantile),
 * not always the first */
static void case_31_random(void)
{
	enum { E = 8, K = 3, N = 4000 };
	struct rig g = rig_for("random", E, K);
	g.route.N = N;
	g.B = 1;
	rig_begin(&g, 39);
	tape_begin(false);
	rig_forward(tape, &g);
	double even = (double)N * K / E, chi = 0;
	for (int e = 0; e < E; e++)
		chi += ((double)balance_sent(&g.balance, e) - even) *
		       ((double)balance_sent(&g.balance, e) - even) / even;
	CHECK(chi < 24.3);
	int *first = memcpy(mem_new(N * K, sizeof *first), g.chosen.expert, N * K * sizeof *first);
	for (int t = 0; t < N; t++)
		CHECK(first[t * K] != first[t * K + 1] && first[t * K] != first[t * K + 2] &&
			first[t * K + 1] != first[t * K + 2]);
	struct balance even_p = g.balance;
	even_p.balanced = true;
	CHECK_NEAR(balance_loss(&even_p, BALANCE_SWITCH), 1, 1e-6);
	rig_forward(tape, &g);
	CHECK(!memcmp(first, g.chosen.expert, N * K * sizeof *first));
	g.m.route.key++;
	rig_forward(tape, &g);
	CHECK(memcmp(first, g.chosen.expert, N * K * sizeof *first));
	free(first);
	tape_end();
	rig_end(&g);
}

int main(void)
{
	CASE(case_17_one_expert);
	CASE(case_15_19_sparse_is_dense);
	CASE(case_20_equal_experts);
	CASE(case_21_permuted_experts);
	CASE(case_27_weights);
	CASE(case_27_temperature);
	CASE(case_27_cosine_and_slots);
	CASE(case_28_gradients_reach);
	CASE(conditions_move_the_choice);
	CASE(case_29_noise);
	CASE(groups_limit_the_choice);
	CASE(mass_limits_the_choice);
	CASE(sigmoid_scores);
	CASE(case_28_jitter);
	CASE(case_31_random);
	return check_done();
}
