/* MoE layers of experts against central finite differences: each operation of theirs, and whole
 * layers with every router and every loss (cases 19 and 22 of the conformance list in
 * tests/reference/README). */
#include "mixture_rig.h"

/* --- operations */

static const int places[] = {2, 0, -1, 1, 3, -1, 0, 1, 2, -1, -1, -1}; /* [4][3] of 4 columns */

static struct node *pick(struct tape *t, struct subject *s)
{
	return op_pick(t, &s->node[0], places, 3, false);
}

static struct node *pick_shares(struct tape *t, struct subject *s)
{
	return op_pick(t, op_softmax(t, &s->node[0], 1), places, 3, true);
}

static struct node *add_embedding(struct tape *t, struct subject *s)
{
	static const int row[] = {2, 0, 2};
	return op_add_embedding(t, &s->node[0], s->weight[1], row, 2);
}

static struct node *gather(struct tape *t, struct subject *s)
{
	static const int row[] = {3, 0, 3, 1, 2};
	return op_gather(t, &s->node[0], row, 5);
}

/* two experts of three have entries; row 2 has two, row 1 none */
static struct node *combine(struct tape *t, struct subject *s)
{
	static const int first[] = {0, 2, 2, 4}, row[] = {0, 2, 2, 3}, slot[] = {1, 0, 1, 0};
	static const struct assignment a = {3, first, row, slot};
	struct node *answer[] = {&s->node[1], NULL, &s->node[2]};
	return op_combine(t, &s->node[0], answer, &a, 5);
}

static struct node *cosine(struct tape *t, struct subject *s)
{
	return op_cosine(t, &s->node[0], s->weight[1], 3, s->weight[2], false);
}

static struct node *cosine_exponential(struct tape *t, struct subject *s)
{
	return op_cosine(t, &s->node[0], s->weight[1], 3, s->weight[2], true);
}

static struct node *softmax_rows(struct tape *t, struct subject *s)
{
	return op_softmax_rows(t, &s->node[0], 3);
}

static struct node *window_slots(struct tape *t, struct subject *s)
{
	return op_window_slots(t, &s->node[0], &s->node[1], 3);
}

static struct node *window_mix(struct tape *t, struct subject *s)
{
	return op_window_mix(t, &s->node[0], &s->node[1], 3);
}

static struct node *scale(struct tape *t, struct subject *s)
{
	return op_scale(t, &s->node[0], REAL(-1.7));
}

static struct node *sum(struct tape *t, struct subject *s)
{
	return op_add(t, &s->node[0], &s->node[1]);
}

static struct node *add_rows(struct tape *t, struct subject *s)
{
	static const bool row[] = {true, false, true};
	return op_add_rows(t, &s->node[0], &s->node[1], row);
}

static struct node *sigmoid(struct tape *t, struct subject *s)
{
	return op_sigmoid(t, &s->node[0]);
}

static struct node *times(struct tape *t, struct subject *s)
{
	static const real factor[] = {1, REAL(-0.4), 0, 2, REAL(0.3), -1};
	return op_times(t, &s->node[0], factor);
}

static struct node *cosine_plain(struct tape *t, struct subject *s)
{
	return op_cosine(t, &s->node[0], s->weight[1], 3, (struct weight){0}, false);
}

static struct node *add_noise(struct tape *t, struct subject *s)
{
	static const real noise[] = {1, REAL(-0.4), 0, 2, REAL(0.3), -1};
	return op_add_noise(t, &s->node[0], &s->node[1], noise);
}

static struct node *reshape(struct tape *t, struct subject *s)
{
	return op_reshape(t, &s->node[0], 3);
}

static struct node *times_rows(struct tape *t, struct subject *s)
{
	return op_times_rows(t, &s->node[0], &s->node[1]);
}

static struct node *load(struct tape *t, struct subject *s)
{
	return op_load(t, &s->node[0], &s->node[1], &s->node[2], REAL(0.7), 2);
}

static struct node *load_of_fixed_noise(struct tape *t, struct subject *s)
{
	return op_load(t, &s->node[0], &s->node[1], NULL, REAL(0.7), 2);
}

static void operations_grad(void)
{
	struct {
		build f;
		int n, rows[3], cols[3];
	} list[] = {
		{pick, 1, {4}, {4}},
		{pick_shares, 1, {4}, {4}},
		{gather, 1, {4}, {3}},
		{add_embedding, 2, {6, 3}, {4, 4}},
		{combine, 3, {4, 2, 2}, {2, 5, 5}},
		{cosine, 3, {4, 3, 1}, {5, 5, 1}},
		{cosine_exponential, 3, {4, 3, 1}, {5, 5, 1}},
		{softmax_rows, 1, {6}, {4}},
		{window_slots, 2, {6, 6}, {4, 5}},
		{window_mix, 2, {6, 8}, {4, 5}},
		{scale, 1, {2}, {3}},
		{sum, 2, {2, 2}, {3, 3}},
		{add_rows, 2, {3, 3}, {2, 2}},
		{sigmoid, 1, {3}, {4}},
		{times, 1, {2}, {3}},
		{cosine_plain, 2, {4, 3}, {5, 5}},
		{add_noise, 2, {2, 2}, {3, 3}},
		{reshape, 1, {2}, {6}},
		{times_rows, 2, {3, 3}, {4, 1}},
		{load, 3, {3, 3, 3}, {4, 4, 4}},
		{load_of_fixed_noise, 2, {3, 3}, {4, 4}},
	};
	for (size_t i = 0; i < sizeof list / sizeof *list; i++) {
		struct subject s = {0};
		struct rng r = rng_stream(17, "x", i, 0);
		for (int j = 0; j < list[i].n; j++)
			add(&s, &r, list[i].rows[j], list[i].cols[j]);
		differences(&s, list[i].f, 0);
		clear(&s);
	}
}

/* exp(log_scale) stays at 100, and says so to backward. */
static void cosine_scale_is_clamped(void)
{
	struct subject s = {0};
	struct rng r = rng_stream(18, "x", 0, 0);
	struct workspace w = workspace_new();
	struct tape *t = tape_new(true);
	tape_lend(t, &w);
	add(&s, &r, 2, 4);
	add(&s, &r, 3, 4);
	add(&s, &r, 1, 1);
	s.weight[2].x = s.node[2].x;
	s.node[2].x[0] = 9;
	loss(t, &s, cosine_exponential, true);
	CHECK(s.node[2].g[0] == 0);
	struct node *y = cosine_exponential(t, &s);
	for (int i = 0; i < 6; i++)
		CHECK(fabs((double)y->x[i]) <= 100 * (1 + 1e-5));
	tape_free(t);
	workspace_free(&w);
	clear(&s);
}

/* --- whole layers */

static struct rig *current;

static struct node *layer(struct tape *t, struct subject *s)
{
	current->s.further = 0;
	struct node *y = rig_forward(t, current);
	s->further = current->s.further;
	return y;
}

static void layer_grad(struct rig g, uint64_t seed)
{
	rig_begin(&g, seed);
	current = &g;
	differences(&g.s, layer, 0);
	rig_end(&g);
}

/* Small enough for differences, large enough that an expert has several tokens and another none. */
static struct rig rig_of(const char *router)
{
	return (struct rig){.router = router,
		.route = {.H = 4,
			.E = 4,
			.k = 2,
			.N = 5,
			.slots = 2,
			.dim = 3,
			.bias = true,
			.temperature = 0.8,
			.noise_std = 1,
			.capacity_factor = 1.5,
			.training = true,
			.key = 5},
		.F = 5,
		.B = 2,
		.shared = 1,
		.balance_weight = 0.7,
		.z_weight = 0.3};
}

/* A tree of the four experts: two groups, `groups` of them, and `each` of their two experts. */
static void plant(struct rig *g, int groups, int each)
{
	g->route.levels = 2;
	g->route.level[0] = g->route.level[1] = 2;
	g->route.top_groups = groups;
	g->route.leaf_k = each;
	g->route.k = groups * each;
}

/* case 22: task, balance and z together; the noise is a function of the key, so it stays */
static void case_22_every_router_and_loss_grad(void)
{
	for (int i = 0; router_table[i]; i++)
		for (int form = BALANCE_SWITCH; form <= BALANCE_CV2_LOAD; form++) {
			struct rig g = rig_of(router_table[i]->name);
			g.form = (enum balance_form)form;
			g.route.load = form == BALANCE_CV2_LOAD;
			if (!strcmp(g.router, "hierarchical"))
				plant(&g, 2, 1);
#ifndef REAL_DOUBLE
			if (strcmp(g.router, "soft") != 0 && strcmp(g.router, "soft_moe") != 0)
				continue; /* a wide step changes the choice */
#endif
			layer_grad(g, 21);
		}
}

/* Trees of two and three levels, one or several chosen at each, weights shared or raw. */
static void trees_grad(void)
{
#ifdef REAL_DOUBLE
	for (int way = 0; way < 12; way++)
		for (int form = BALANCE_SWITCH; form <= BALANCE_CV2; form += BALANCE_CV2) {
			struct rig g = rig_of("hierarchical");
			g.form = (enum balance_form)form;
			g.route.renormalise = (enum renormalise)(way / 4);
			g.route.bias = way % 2;
			plant(&g, 1 + way % 2, 1 + way % 4 / 2);
			if (way % 3 == 0) {
				g.route.E = 12;
				g.route.levels = 3;
				g.route.level[2] = 3;
				g.route.k *= g.route.top_groups;
			}
			layer_grad(g, 26);
		}
#endif
}

/* Losses about each of two scopes, and about running shares. */
static void every_scope_grad(void)
{
#ifdef REAL_DOUBLE
	static const int scope[] = {1, 0, 1};
	static const char *const routers[] = {"topk", "hierarchical", "noisy_topk"};
	for (int i = 0; i < 3; i++)
		for (int form = BALANCE_SWITCH; form <= BALANCE_CV2_LOAD; form++) {
			struct rig g = rig_of(routers[i]);
			real running[6] = {REAL(0.1), REAL(0.2), REAL(0.05), REAL(0.3), REAL(0.4), REAL(0.1)};
			if (i == 1)
				plant(&g, 2, 1);
			g.B = 3;
			g.form = (enum balance_form)form;
			g.route.load = i == 2 && form == BALANCE_CV2_LOAD;
			g.scopes = 2;
			g.scope = scope;
			layer_grad(g, 27);
			g.scope = NULL;
			g.scopes = 1;
			g.running = running;
			layer_grad(g, 27);
		}
#endif
}

static void every_way_of_dropping_grad(void)
{
#ifdef REAL_DOUBLE
	for (int policy = DROP_CHOICE; policy <= DROP_RANDOM; policy++)
		for (int way = 0; way < 4; way++) {
			struct rig g = rig_of("topk");
			g.capacity = (struct capacity){.factor = 0.6,
				.policy = (enum drop_policy)policy,
				.residual = way % 2,
				.renormalise = way / 2};
			g.form = way / 2 ? BALANCE_CV2 : BALANCE_SWITCH;
			layer_grad(g, 24);
		}
#endif
}

/* What changes a router's input, its logits, its scores or its choice. */
static void every_option_grad(void)
{
	static const char *const routers[] = {
		"topk", "noisy_topk", "soft", "expert_choice", "cosine", "condition"};
	for (size_t i = 0; i < sizeof routers / sizeof *routers; i++)
		for (int option = 0; option < 7; option++) {
			struct rig g = rig_of(routers[i]);
#ifndef REAL_DOUBLE
			if (strcmp(g.router, "soft") != 0)
				continue; /* a wide step changes the choice */
#endif
			g.route.score = option == 1 ? SCORE_SIGMOID : SCORE_SOFTMAX;
			g.route.top_p = option == 2 ? 0.5 : 0;
			g.route.groups = option == 3 ? 2 : 0;
			g.route.top_groups = 1;
			g.route.specialisation = option == 4;
			g.route.jitter = option == 5 ? 0.3 : 0;
			g.route.fixed_noise = option == 6;
			g.dropout = (struct expert_dropout){option == 5 ? 0.4 : 0, 8};
			g.form = option % 2 ? BALANCE_CV2 : BALANCE_SWITCH;
			layer_grad(g, 25);
		}
}

static void every_way_of_weighing_grad(void)
{
#ifdef REAL_DOUBLE
	for (int how = RENORMALISE_AUTO; how <= RENORMALISE_NO; how++)
		for (int k = 1; k <= 4; k += k == 1 ? 2 : 1) {
			struct rig g = rig_of("topk");
			g.route.k = k;
			g.route.renormalise = (enum renormalise)how;
			layer_grad(g, 22);
		}
#endif
	struct rig g = rig_of("soft");
	g.balance_weight = 0;
	layer_grad(g, 23);
}

int main(void)
{
	CASE(operations_grad);
	CASE(cosine_scale_is_clamped);
	CASE(case_22_every_router_and_loss_grad);
	CASE(trees_grad);
	CASE(every_scope_grad);
	CASE(every_way_of_dropping_grad);
	CASE(every_option_grad);
	CASE(every_way_of_weighing_grad);
	return check_done();
}
