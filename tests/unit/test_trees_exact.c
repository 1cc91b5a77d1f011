/* Trees of routers, scopes of balance losses, and the load term, held to numbers found another way.
 * Runs in float and in double. */
#include "mixture_rig.h"

enum { H = 6, N = 7, B = 3, ROWS = N * B };

static struct rig rig_for(const char *router, int E, int k)
{
	return (struct rig){.router = router,
		.route = {.H = H,
			.E = E,
			.k = k,
			.leaf_k = k,
			.N = N,
			.temperature = 0.9,
			.noise_std = 1,
			.key = 3},
		.F = 8,
		.B = B};
}

/* so many alternatives at each level, from the root on, 0 at the end; `top` of them at all but the
 * last, where it is k */
static struct rig tree_of(const int *level, int top, int k)
{
	struct rig g = rig_for("hierarchical", 1, k);
	for (; level[g.route.levels]; g.route.levels++) {
		g.route.level[g.route.levels] = level[g.route.levels];
		g.route.E *= level[g.route.levels];
		g.route.k *= g.route.levels ? top : 1;
	}
	g.route.top_groups = top;
	return g;
}

static void a_tree_of_one_level_is_topk(void)
{
	for (int k = 1; k <= 2; k++) {
		struct rig g = tree_of((const int[]){5, 0}, 1, k), h = rig_for("topk", 5, k);
		rig_begin(&g, 50);
		rig_begin(&h, 50);
		tape_begin(false);
		struct node *y = rig_forward(tape, &g), *z = rig_forward(tape, &h);
		CHECK(!memcmp(y->x, z->x, ROWS * H * sizeof(real)));
		CHECK(!memcmp(g.chosen.expert, h.chosen.expert, (size_t)(ROWS * k) * sizeof(int)));
		for (int form = BALANCE_SWITCH; form <= BALANCE_CV2; form++)
			CHECK(balance_loss(&g.balance, (enum balance_form)form) ==
				balance_loss(&h.balance, (enum balance_form)form));
		CHECK(balance_z(&g.balance) == balance_z(&h.balance));
		tape_end();
		rig_end(&g);
		rig_end(&h);
	}
}

/* --- two levels, three groups of four, by hand */

enum { GROUPS = 3, EACH = 4 };

struct by_hand {
	double group[GROUPS], leaf[GROUPS][EACH]; /* probabilities */
	double lse, leaf_lse[GROUPS];
};

static double softmax_of(const real *x, const real *w, int n, double temperature, double *p)
{
	double sum = 0;
	for (int i = 0; i < n; i++) {
		double z = 0;
		for (int j = 0; j < H; j++)
			z += (double)x[j] * (double)w[i * H + j];
		sum += p[i] = exp(z / temperature);
	}
	for (int i = 0; i < n; i++)
		p[i] /= sum;
	return log(sum);
}

static int best_of(const double *p, int n, int but)
{
	int best = but == 0;
	for (int i = best + 1; i < n; i++)
		best = i != but && p[i] > p[best] ? i : best;
	return best;
}

/* The losses, form switch and z, over what reached each router: [level] */
struct hand_losses {
	double balance[2], z[2];
};

/* top groups (1 or 2), in each the best expert */
static struct hand_losses check_tree(const struct rig *g, int top)
{
	double reach[GROUPS] = {0}, count[GROUPS] = {0}, mean[GROUPS] = {0}, sent[GROUPS][EACH] = {{0}},
	       leaf_mean[GROUPS][EACH] = {{0}};
	struct hand_losses l = {{0, 0}, {0, 0}};
	for (int r = 0; r < ROWS; r++) {
		struct by_hand h;
		const real *x = g->s.node[0].x + r * H;
		h.lse = softmax_of(x, g->router_weight[0].x, GROUPS, g->route.temperature, h.group);
		for (int q = 0; q < GROUPS; q++)
			h.leaf_lse[q] = softmax_of(x, g->router_weight[1].x + q * EACH * H, EACH,
				g->route.temperature, h.leaf[q]);
		int one = best_of(h.group, GROUPS, -1), chosen[2] = {one, best_of(h.group, GROUPS, one)};
		double sum = top == 1 ? 1 : h.group[chosen[0]] + h.group[chosen[1]];
		l.z[0] += h.lse * h.lse / ROWS;
		for (int j = 0; j < top; j++) {
			int q = chosen[j], e = best_of(h.leaf[q], EACH, -1);
			CHECK(g->chosen.expert[r * top + j] == q * EACH + e);
			CHECK_NEAR(
				g->chosen.weight->x[r * top + j], h.group[q] / sum * h.leaf[q][e], close_to);
			reach[q]++;
			count[q]++;
			sent[q][e]++;
			l.z[1] += h.leaf_lse[q] * h.leaf_lse[q] / (ROWS * top);
			for (int i = 0; i < EACH; i++)
				leaf_mean[q][i] += h.leaf[q][i];
		}
		for (int q = 0; q < GROUPS; q++) {
			mean[q] += h.group[q] / ROWS;
			for (int i = 0; i < EACH; i++)
				CHECK_NEAR(g->chosen.probability->x[r * GROUPS * EACH + q * EACH + i],
					h.group[q] * h.leaf[q][i], close_to);
		}
	}
	for (int q = 0; q < GROUPS; q++) {
		l.balance[0] += GROUPS * count[q] / (ROWS * top) * mean[q];
		for (int i = 0; i < EACH && reach[q] > 0; i++)
			l.balance[1] += EACH * sent[q][i] / reach[q] * leaf_mean[q][i] / (ROWS * top);
	}
	return l;
}

static void a_tree_is_what_it_says(void)
{
	for (int top = 1; top <= 2; top++) {
		struct rig g = tree_of((const int[]){GROUPS, EACH, 0}, top, 1);
		rig_begin(&g, 51);
		tape_begin(false);
		rig_forward(tape, &g);
		struct hand_losses l = check_tree(&g, top);
		CHECK_NEAR(
			balance_loss(&g.balance, BALANCE_SWITCH), l.balance[0] + l.balance[1], 10 * close_to);
		CHECK_NEAR(balance_z(&g.balance), l.z[0] + l.z[1], 10 * close_to);
		tape_end();
		rig_end(&g);
	}
}

/* With one group and one expert a token the raw probabilities let the task teach both levels. */
static void every_level_learns(void)
{
	real dy[ROWS * H];
	struct rng r = rng_stream(4, "dy", 0, 0);
	for (int i = 0; i < ROWS * H; i++)
		dy[i] = (real)rng_normal(&r);
	struct rig g = tree_of((const int[]){2, 3, 2, 0}, 1, 1);
	rig_begin(&g, 52);
	tape_begin(true);
	there_and_back(&g, dy);
	for (int level = 0; level < 3; level++)
		CHECK(largest_gradient(&g, 1 + level) > 1e-3);
	tape_end();
	rig_end(&g);
}

/* Experts alike and weights that sum to 1: the way through the tree does not matter (case 20). */
static void case_20_equal_experts_of_a_tree(void)
{
	struct rig g = tree_of((const int[]){2, 3, 0}, 2, 2);
	rig_begin(&g, 53);
	int first = g.s.n - 4;
	for (int i = first; i < g.s.n; i++) {
		int n = g.s.rows[i] * g.s.cols[i] / 6;
		for (int e = 1; e < 6; e++)
			memcpy(g.s.node[i].x + e * n, g.s.node[i].x, (size_t)n * sizeof(real));
	}
	tape_begin(false);
	struct node *y = rig_forward(tape, &g);
	struct node *one = g.m.shared.type->forward(tape, &g.s.node[0], g.expert_weight, &g.m.shape, NULL);
	for (int i = 0; i < ROWS * H; i++)
		CHECK_NEAR(y->x[i], one->x[i], 10 * close_to);
	tape_end();
	rig_end(&g);
}

/* --- scopes */

/* The loss about the tokens of some windows alone. */
static double alone(const struct rig *g, const int *window, int n, enum balance_form form)
{
	struct rig part = *g;
	part.s.node[0].rows = n * N;
	real *x = NEW_ARRAY(real, n * N * H);
	for (int i = 0; i < n; i++)
		memcpy(x + i * N * H, g->s.node[0].x + window[i] * N * H, N * H * sizeof(real));
	part.s.node[0].x = x;
	part.scopes = 1;
	part.m.scope = NULL;
	part.balance = balance_new(&g->m.route);
	rig_forward(tape, &part);
	double loss = balance_loss(&part.balance, form);
	balance_free(&part.balance);
	free(x);
	return loss;
}

/* The loss of each scope, averaged by tokens: of windows 0 and 2 together, and of 1. */
static void scopes_are_averaged(void)
{
	static const int scope[] = {0, 1, 0}, first[] = {0, 2}, second[] = {1};
	for (int form = BALANCE_SWITCH; form <= BALANCE_CV2; form++) {
		struct rig g = rig_for("topk", 5, 2);
		g.scopes = 2;
		g.scope = scope;
		rig_begin(&g, 54);
		tape_begin(false);
		rig_forward(tape, &g);
		double whole = balance_loss(&g.balance, (enum balance_form)form);
		double one = alone(&g, first, 2, (enum balance_form)form),
		       other = alone(&g, second, 1, (enum balance_form)form);
		CHECK_NEAR(whole, (2 * one + other) / 3, close_to);
		CHECK(fabs(one - other) > 1e-4);
		tape_end();
		rig_end(&g);
	}
}

/* The first step sees itself alone; after it the shares are means, weighted 1 to ema. */
static void running_shares_remember(void)
{
	real running[5] = {0};
	double share[2][5], ema = 0.6;
	struct rig g = rig_for("topk", 5, 2);
	g.running = running;
	rig_begin(&g, 55);
	tape_begin(false);
	for (int turn = 0; turn < 2; turn++) {
		rig_forward(tape, &g);
		double want = 0, sum = 0;
		for (int e = 0; e < 5; e++)
			share[turn][e] = (double)balance_sent(&g.balance, e) / (2 * ROWS);
		for (int e = 0; e < 5; e++) {
			double mix = turn ? (ema * share[0][e] + share[1][e]) / (1 + ema) : share[0][e];
			want += 5 * mix * g.balance.sums[0].probability[e] / ROWS;
			sum += mix;
		}
		CHECK_NEAR(sum, 1, 1e-12);
		CHECK_NEAR(balance_loss(&g.balance, BALANCE_SWITCH), want, close_to);
		CHECK_NEAR(balance_loss(&g.balance, BALANCE_SUM), 2 * want, 2 * close_to);
		balance_run(&g.balance, BALANCE_SWITCH, running);
		for (int i = 0; i < ROWS * H; i++) /* the next batch is another one */
			g.s.node[0].x[i] = -g.s.node[0].x[i];
	}
	CHECK(memcmp(share[0], share[1], sizeof *share));
	tape_end();
	rig_end(&g);
}

/* --- load */

/* Three tokens, their noise given: the probability to be among the two best when the noise of one
 * is drawn again. */
static void case_2_load(void)
{
	static const double z[] = {0.9, 0.06, 0.04, 0.7, 0.18, 0.12, 0.85, 0.05, 0.1},
			    noise[] = {-0.037, 0.026, -0.018, -0.074, 0.045, -0.015, -0.067, -0.059, 0.073},
			    load[] = {2.999999999, 1.530748493, 1.331760595};
	real clean[9], noisy[9], scale[9] = {0};
	struct balance b = balance_new(&(struct router_shape){.E = 3});
	tape_begin(false);
	for (int i = 0; i < 9; i++) {
		clean[i] = (real)z[i];
		noisy[i] = (real)(z[i] + noise[i]);
	}
	double deviation = 0.1 / log(2); /* softplus(0) = ln 2 */
	struct node *p = op_load(tape, op_input(tape, clean, 3, 3), op_input(tape, noisy, 3, 3),
		op_input(tape, scale, 3, 3), (real)deviation, 2);
	struct choice c = {.k = 1,
		.balanced = true,
		.expert = (int[]){0, 0, 0},
		.weight = op_constant(tape, 3, 1, 1),
		.probability = op_constant(tape, 3, 3, 1),
		.load = p};
	balance_count(&b, &c, 3, 1, 3, NULL);
	for (int e = 0; e < 3; e++)
		CHECK_NEAR(b.sums[0].load[e], load[e], 4 * digits);
	CHECK_NEAR(
		balance_loss(&b, BALANCE_CV2_LOAD) - balance_loss(&b, BALANCE_CV2), 0.144936339, 4 * digits);
	balance_free(&b);
	tape_end();
}

/* A router that prefers nobody: what counts is how far the bar of each is, the second largest of
 * the others. */
static void even_load(void)
{
	real z[8] = {0},
	     noisy[8] = {REAL(0.3), REAL(-0.2), REAL(0.1), 0, REAL(-0.2), REAL(0.3), 0, REAL(0.1)};
	tape_begin(false);
	struct node *p = op_load(
		tape, op_input(tape, z, 2, 4), op_input(tape, noisy, 2, 4), op_input(tape, z, 2, 4), 1, 2);
	for (int i = 0; i < 8; i++)
		CHECK(p->x[i] > 0 && p->x[i] < 1);
	CHECK(p->x[0] == p->x[5] && p->x[1] == p->x[4] && p->x[2] == p->x[7] && p->x[3] == p->x[6]);
	CHECK_NEAR(p->x[1], 0.5 * erfc(0.1 / log(2) / sqrt(2)), 1e-6);
	tape_end();
}

int main(void)
{
	CASE(a_tree_of_one_level_is_topk);
	CASE(a_tree_is_what_it_says);
	CASE(every_level_learns);
	CASE(case_20_equal_experts_of_a_tree);
	CASE(scopes_are_averaged);
	CASE(running_shares_remember);
	CASE(case_2_load);
	CASE(even_load);
	return check_done();
}
