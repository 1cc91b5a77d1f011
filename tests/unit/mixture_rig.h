/* A MoE layer of experts on its own, with random tensors, for tests: fill route, then rig_begin.
 *
 *     struct rig g = {.router = "topk", .route = {.H = 4, .E = 3, .k = 2, .N = 5, .temperature = 1}, .F = 6, .B = 2};
 *     rig_begin(&g, seed);  y = rig_forward(t, &g);  ...  rig_end(&g);
 */
#ifndef TESTS_MIXTURE_RIG_H
#define TESTS_MIXTURE_RIG_H

#include "subject.h"

#include "moe/layer.h"

#ifdef REAL_DOUBLE
static const double digits = 6e-10,
		    close_to = 1e-12; /* numbers written with nine digits; numbers computed twice */
#else
static const double digits = 3e-6, close_to = 3e-6;
#endif

static struct workspace work;
static struct tape *tape;

static inline void tape_begin(bool gradients)
{
	work = workspace_new();
	tape = tape_new(gradients);
	tape_lend(tape, &work);
}

static inline void tape_end(void)
{
	tape_free(tape);
	workspace_free(&work);
}

struct rig {
	const char *router;
	struct router_shape route;
	struct capacity capacity;
	struct expert_dropout dropout;
	int F, B, shared;  /* width of an expert; windows; shared experts */
	int condition[16]; /* of the windows, for the router that reads them */
	enum balance_form form;
	double balance_weight, z_weight;
	int scopes;       /* of the losses; 0: one */
	const int *scope; /* [B] */
	real *running;    /* shares of the steps before, or NULL */
	/* made by rig_begin */
	struct subject s; /* x [B*N][H], then the tensors of router, experts and shared experts */
	struct moe_layer m;
	struct weight router_weight[ROUTER_TENSORS], expert_weight[EXPERT_TENSORS],
		shared_weight[EXPERT_TENSORS];
	struct balance balance;
	struct balance_slope slope;
	struct choice chosen;
};

static inline int rig_add(
	struct rig *g, struct rng *r, int stacked, int n, const struct tensor_plan *plan, struct weight *w)
{
	for (int i = 0; i < n; i++) {
		add(&g->s, r, stacked * plan[i].rows, plan[i].cols ? plan[i].cols : 1);
		w[i] = g->s.weight[g->s.n - 1];
	}
	return n;
}

static inline void rig_begin(struct rig *g, uint64_t seed)
{
	struct rng r = rng_stream(seed, "rig", 0, 0);
	struct tensor_plan plan[(int)ROUTER_TENSORS + (int)EXPERT_TENSORS];
	if (!g->route.pool)
		g->route.pool = g->route.N;
	struct expert_shape shape = {.H = g->route.H, .F = g->F, .activation = ACT_GELU};
	for (int b = 0; b < g->B && b < 16; b++)
		g->condition[b] = (b + 2) % 3;
	g->route.conditions = 3;
	g->route.condition = g->condition;
	g->m = (struct moe_layer){.router = router_find(g->router),
		.route = g->route,
		.shape = shape,
		.parts = 1,
		.part = {{expert_find("ffn"), 0, g->route.E, g->expert_weight}},
		.shared = {expert_find("ffn"), 0, g->shared, g->shared_weight},
		.capacity = g->capacity,
		.dropout = g->dropout,
		.scope = g->scope,
		.router_weight = g->router_weight};
	add(&g->s, &r, g->B * g->route.N, g->route.H);
	rig_add(g, &r, 1, g->m.router->declare(&g->route, plan), plan, g->router_weight);
	int tensors = g->m.shared.type->declare(&shape, plan);
	rig_add(g, &r, g->route.E, tensors, plan, g->expert_weight);
	if (g->shared)
		rig_add(g, &r, g->shared, tensors, plan, g->shared_weight);
	g->balance = balance_new(&g->m.route);
	g->slope = (struct balance_slope){0};
	g->balance.running = g->running;
	g->balance.ema = 0.6;
}

/* The layer's answer [B*N][H]; s.further is the loss of balance and z, whose backward is
 * recorded. */
static inline struct node *rig_forward(struct tape *t, struct rig *g)
{
	balance_clear(&g->balance, g->scopes ? g->scopes : 1);
	struct node *y = moe_layer_forward(t, &g->s.node[0], &g->m, &g->balance, &g->slope, &g->chosen);
	g->s.further =
		g->balance_weight * balance_loss(&g->balance, g->form) + g->z_weight * balance_z(&g->balance);
	balance_slopes(&g->balance, g->form, g->balance_weight, g->z_weight, &g->slope);
	return y;
}

/* Forward and backward of the layer with d loss / d y = dy [B*N][H], or 0 when NULL. */
static inline struct node *there_and_back(struct rig *g, const real *dy)
{
	tape_reset(tape);
	for (int i = 0; i < g->s.n; i++)
		memset(g->s.node[i].g, 0, (size_t)(g->s.rows[i] * g->s.cols[i]) * sizeof(real));
	struct node *y = rig_forward(tape, g);
	tape_gradients(tape, tape->arena);
	if (dy)
		memcpy(y->g, dy, (size_t)(y->rows * y->cols) * sizeof(real));
	tape_backward(tape);
	return y;
}

static inline double largest_gradient(const struct rig *g, int subject)
{
	double top = 0;
	for (int i = 0; i < g->s.rows[subject] * g->s.cols[subject]; i++)
		top = fmax(top, fabs((double)g->s.node[subject].g[i]));
	return top;
}

static inline void rig_end(struct rig *g)
{
	balance_free(&g->balance);
	balance_slope_free(&g->slope);
	clear(&g->s);
}

#endif
