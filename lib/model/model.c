#include "model/model.h"

#include "base/error.h"
#include "base/mem.h"
#include "model/head.h"
#include "moe/rebalance.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Declares "PREFIX.NAME" of 1 or 2 dimensions (cols 0 = vector). */
static int declare(struct model *m, const char *prefix, const char *name, int rows, int cols, enum init init,
	double scale)
{
	char *full = mem_format("%s.%s", prefix, name);
	int64_t shape[2] = {rows, cols};
	int i = params_add(&m->params, full, cols ? 2 : 1, shape, init, scale, cols > 0);
	free(full);
	return i;
}

/* Declares "PREFIX.WHERE<name>" for each tensor of a plan; stacked: so many of them in one tensor
 * (0: one, not stacked). */
static void declare_planned(struct model *m, const char *prefix, const char *where, int stacked, int n,
	const struct tensor_plan *plan, int *index)
{
	static const enum init init[] = {
		[START_FAN_IN] = INIT_FAN_IN, [START_CONSTANT] = INIT_CONSTANT, [START_NORMAL] = INIT_NORMAL};
	for (int i = 0; i < n; i++) {
		char *full = mem_format("%s.%s%s", prefix, where, plan[i].name);
		int64_t shape[3] = {stacked, plan[i].rows, plan[i].cols};
		index[i] = params_add(&m->params, full, plan[i].rank + (stacked > 0), shape + !stacked,
			init[plan[i].start], plan[i].scale, plan[i].rank > 1);
		free(full);
	}
}

static int declare_buffer(struct model *m, const char *prefix, const char *name, int n)
{
	int i = declare(m, prefix, name, n, 0, INIT_ZERO, 0);
	m->params.list[i].buffer = true;
	return i;
}

/* It starts at what an even load comes to, within the bounds. */
static int declare_capacity(struct model *m, const char *prefix, const struct router_shape *s)
{
	int min, max;
	model_capacity_bounds(m, &min, &max);
	int i = declare_buffer(m, prefix, "moe.router.capacity", s->E);
	m->params.list[i].init = INIT_CONSTANT;
	m->params.list[i].scale = capacity_of(CAPACITY_HEADROOM, s->k, s->N, s->E, min, max);
	return i;
}

/* Tensors of one type of experts: count of them stacked, or one that is not (count 0). */
static void declare_part(struct model *m, struct layer_part *p, const struct expert_type *type,
	const struct expert_shape *shape, const char *prefix, const char *where, int first, int count)
{
	struct tensor_plan plan[EXPERT_TENSORS];
	*p = (struct layer_part){type, first, count ? count : 1, type->declare(shape, plan), {0}};
	declare_planned(m, prefix, where, count, p->tensors, plan, p->tensor);
}

/* The tensors declared since there were `from` of them. */
static void set_role(struct model *m, int from, enum param_role role)
{
	for (int i = from; i < m->params.n; i++)
		m->params.list[i].role = role;
}

static void declare_moe_layer(struct model *m, struct layer_params *l, const char *prefix)
{
	const struct config *c = &m->config;
	struct router_shape route = model_router_shape(m, l->region, l->index);
	struct expert_shape shape = model_expert_shape(m);
	struct tensor_plan router[ROUTER_TENSORS];
	int n = m->router->declare(&route, router), first = 0, listed = c->moe.expert_types.n;
	int from = m->params.n;
	declare_planned(m, prefix, "moe.router.", 0, n, router, l->router);
	set_role(m, from, PARAM_ROUTER);
	from = m->params.n;
	for (int i = 0; i < (listed ? listed : 1); i++) {
		const struct expert_type *type =
			listed ? expert_table[c->moe.expert_types.type[i]] : m->feedforward;
		int count = listed && c->moe.expert_types.count[i] ? c->moe.expert_types.count[i] : route.E;
		declare_part(m, &l->part[l->parts++], type, &shape, prefix, "moe.experts.", first, count);
		first += count;
	}
	if (m->router->sends && c->moe.capacity == CAPACITY_DYNAMIC)
		l->capacity = declare_capacity(m, prefix, &route);
	if (config_balance(c) != BALANCE_BY_LOSS)
		l->balance = declare_buffer(m, prefix, "moe.router.balance", route.E);
	if (config_balance_weight(c) > 0 && c->moe.balance_scope == BALANCE_SCOPE_RUNNING) {
		struct balance b = balance_new(&route);
		l->running = declare_buffer(m, prefix, "moe.router.running", b.entries);
		balance_free(&b);
	}
	if (c->moe.shared_experts)
		declare_part(m, &l->shared, m->feedforward, &shape, prefix, "moe.shared.", 0,
			c->moe.shared_experts);
	if (c->moe.residual_expert) {
		declare_part(m, &l->residual, m->feedforward, &shape, prefix, "moe.residual.", 0, 0);
		l->coefficient =
			declare(m, prefix, "moe.coefficient.weight", 2, shape.H, INIT_FAN_IN, shape.H);
	}
	set_role(m, from, PARAM_EXPERT);
}

static void declare_dense(struct model *m, struct layer_params *l, const char *prefix)
{
	struct expert_shape shape = model_dense_shape(m);
	declare_part(m, &l->part[l->parts++], m->feedforward, &shape, prefix, "", 0, 0);
}

static void declare_layer(struct model *m, struct layer_params *l, const char *prefix)
{
	int H = m->config.encoder.hidden_dim;
	l->balance = l->capacity = l->running = -1;
	l->in_weight = declare(m, prefix, "self_attn.in_proj_weight", 3 * H, H, INIT_XAVIER, 0);
	l->in_bias = declare(m, prefix, "self_attn.in_proj_bias", 3 * H, 0, INIT_ZERO, 0);
	l->out_weight = declare(m, prefix, "self_attn.out_proj.weight", H, H, INIT_FAN_IN, H);
	l->out_bias = declare(m, prefix, "self_attn.out_proj.bias", H, 0, INIT_ZERO, 0);
	if (l->moe_layer)
		declare_moe_layer(m, l, prefix);
	else
		declare_dense(m, l, prefix);
	l->norm1_weight = declare(m, prefix, "norm1.weight", H, 0, INIT_ONE, 0);
	l->norm1_bias = declare(m, prefix, "norm1.bias", H, 0, INIT_ZERO, 0);
	l->norm2_weight = declare(m, prefix, "norm2.weight", H, 0, INIT_ONE, 0);
	l->norm2_bias = declare(m, prefix, "norm2.bias", H, 0, INIT_ZERO, 0);
}

/* Positions and tokens start as in PyTorch under preset seed, smaller otherwise. */
static double spread(const struct model *m)
{
	return m->config.preset == PRESET_SEED ? 1 : 0.02;
}

/* Pooling starts as the mean: the query as 0. */
static int declare_query(struct model *m, const char *prefix)
{
	char *name = mem_format("%s.pool.query", prefix);
	int64_t shape[2] = {1, m->config.encoder.hidden_dim};
	int i = params_add(&m->params, name, 2, shape, INIT_ZERO, 0, false);
	free(name);
	return i;
}

/* Mean and deviation of the features, 0 and 1 until they are fitted; likewise the mean powers
 * behind them. */
static void declare_standard(struct model *m, struct region_params *r, const char *prefix)
{
	r->token_mean = r->token_std = r->token_scale = -1;
	if (r->tokeniser->power) {
		r->token_scale = declare(m, prefix, "tokens.scale", r->kinds, 0, INIT_ONE, 0);
		m->params.list[r->token_scale].buffer = true;
	}
	if (!r->tokeniser->standardised)
		return;
	r->token_mean = declare(m, prefix, "tokens.mean", r->kinds, r->D, INIT_ZERO, 0);
	r->token_std = declare(m, prefix, "tokens.std", r->kinds, r->D, INIT_ONE, 0);
	m->params.list[r->token_mean].buffer = m->params.list[r->token_std].buffer = true;
}

static int declare_linear_prior(struct model *m, const struct region_params *r, const char *prefix)
{
	if (!m->prior || !r->tokeniser->standardised)
		return -1;
	char *name = mem_format("%s.evidence.weight", prefix);
	int64_t shape[3] = {m->layout.classes.n, r->kinds, r->D};
	int i = params_add(&m->params, name, 3, shape, INIT_ZERO, 0, false);
	m->params.list[i].buffer = true;
	free(name);
	return i;
}

/* [H][D], [H]; of several kinds [kinds][H][D], [kinds][H] */
static void declare_projection(struct model *m, struct region_params *r, const char *prefix)
{
	int several = r->kinds > 1;
	int64_t shape[3] = {r->kinds, m->config.encoder.hidden_dim, r->D};
	char *weight = mem_format("%s.input_projection.weight", prefix),
	     *bias = mem_format("%s.input_projection.bias", prefix);
	r->projection_weight =
		params_add(&m->params, weight, 2 + several, shape + !several, INIT_FAN_IN, r->D, true);
	r->projection_bias =
		params_add(&m->params, bias, 1 + several, shape + !several, INIT_FAN_IN, r->D, false);
	free(weight);
	free(bias);
}

/* Which tokens are routed together: the global ones, then patches, or all. */
static void cut_units(const struct model *m, struct region_params *r)
{
	const struct config *c = &m->config;
	int G = c->bridge.tokens;
	r->units = r->N;
	if (!config_moe_layers(c) || c->moe.route_unit == UNIT_TOKEN)
		return;
	r->unit = NEW_ARRAY(int, r->N);
	for (int i = 0; i < r->N && c->moe.route_unit == UNIT_PATCH; i++)
		r->unit[i] = i < G ? 0 : (i - G) / c->encoder.patch + (G > 0);
	r->units = r->unit[r->N - 1] + 1;
}

/* What enters region k: how long, how often, as which tokens. */
static int set_input(struct model *m, int k)
{
	const struct config *c = &m->config;
	const struct region *region = &m->layout.region[k];
	struct region_params *r = &m->region[k];
	int tokens = region->tokens ? tokeniser_find(region->tokens) : c->encoder.tokens;
	if (tokens < 0)
		return err_set(
			EX_DATAERR, "region %s: there is no tokeniser \"%s\"", region->name, region->tokens);
	r->tokeniser = tokeniser_table[tokens];
	r->kinds = tokeniser_kinds(r->tokeniser, c);
	r->length = layout_length(&m->layout, k);
	r->rate = layout_rate(&m->layout, k);
	if (r->tokeniser->size(c, r->length, r->rate, region, &r->n, &r->D))
		return -1;
	r->N = r->n + c->bridge.tokens;
	if (c->encoder.max_seq_length && r->N > c->encoder.max_seq_length)
		return err_set(EX_CONFIG,
			"%d tokens a window, encoder.max_seq_length allows %d; use longer patches or shorter "
			"windows",
			r->N, c->encoder.max_seq_length);
	m->most_tokens = r->N > m->most_tokens ? r->N : m->most_tokens;
	m->prior |= config_ridge(c) && r->tokeniser->standardised;
	cut_units(m, r);
	return 0;
}

static void declare_position(struct model *m, struct region_params *r, const char *prefix)
{
	r->position = -1;
	if (m->config.encoder.positional != POSITION_LEARNED)
		return;
	char *name = mem_format("%s.pos_embedding", prefix);
	int64_t shape[3] = {1, r->N, m->config.encoder.hidden_dim};
	r->position = params_add(&m->params, name, 3, shape, INIT_NORMAL, spread(m), false);
	free(name);
}

static void declare_region(struct model *m, int k)
{
	struct region_params *r = &m->region[k];
	struct tensor_plan filters[TOKEN_TENSORS];
	char *prefix = mem_format("experts.%d", k);
	r->from = m->params.count;
	r->layer = NEW_ARRAY(struct layer_params, m->config.encoder.layers);
	declare_standard(m, r, prefix);
	if (r->tokeniser->declare)
		r->tensors = r->tokeniser->declare(&m->config, r->rate, &m->layout.region[k], filters);
	declare_planned(m, prefix, "tokens.", 0, r->tensors, filters, r->tensor);
	r->linear_prior = declare_linear_prior(m, r, prefix);
	declare_projection(m, r, prefix);
	declare_position(m, r, prefix);
	for (int l = 0; l < m->config.encoder.layers; l++) {
		char *layer = mem_format("%s.transformer.layers.%d", prefix, l);
		r->layer[l].region = k;
		r->layer[l].index = l;
		r->layer[l].moe_layer = config_moe_layer(&m->config, l);
		m->moe_layers += k == 0 && r->layer[l].moe_layer;
		declare_layer(m, &r->layer[l], layer);
		free(layer);
	}
	r->pool_query = -1;
	if (m->config.encoder.pool == POOL_ATTENTION)
		r->pool_query = declare_query(m, prefix);
	r->count = m->params.count - r->from;
	free(prefix);
}

/* Weight and bias of a linear map [rows][cols] to a gate's logits. Where there is linear prior all
 * begins with next to nothing beside it. */
static void declare_last(
	struct model *m, const char *prefix, const char *name, int rows, int cols, int *weight, int *bias)
{
	bool linear_prior = m->prior;
	char *w = mem_format("%sweight", name), *b = mem_format("%sbias", name);
	*weight = declare(m, prefix, w, rows, cols, linear_prior ? INIT_NORMAL : INIT_FAN_IN,
		linear_prior ? 0.01 : cols);
	*bias = declare(m, prefix, b, rows, 0, linear_prior ? INIT_ZERO : INIT_FAN_IN, cols);
	free(w);
	free(b);
}

/* mlp: fc1 [H/2][H], fc2 [K][H/2];  linear: fc1 [K][H] */
static void declare_gate(struct model *m)
{
	int H = m->config.encoder.hidden_dim, half = H / 2 > 0 ? H / 2 : 1, K = m->layout.regions;
	if (m->config.gate.type == GATE_LINEAR) {
		declare_last(m, "gate", "fc1.", K, H, &m->gate_fc1_weight, &m->gate_fc1_bias);
		return;
	}
	m->gate_fc1_weight = declare(m, "gate", "fc1.weight", half, H, INIT_FAN_IN, H);
	m->gate_fc1_bias = declare(m, "gate", "fc1.bias", half, 0, INIT_FAN_IN, H);
	declare_last(m, "gate", "fc2.", K, half, &m->gate_fc2_weight, &m->gate_fc2_bias);
}

static void declare_head(struct model *m)
{
	m->prior_bias = -1;
	if (m->prior)
		m->prior_bias = declare_buffer(m, "evidence", "bias", m->layout.classes.n);
	m->head->declare(m);
}

/* position p, dimensions 2i and 2i+1: sin and cos of p / 10000^(2i/H) (Vaswani et al. 2017, section
 * 3.5) */
static real *sinusoid(int N, int H)
{
	real *x = NEW_ARRAY(real, (size_t)N * (size_t)H);
	for (int p = 0; p < N; p++)
		for (int i = 0; i < H; i++) {
			double angle = p / pow(10000, (double)(i / 2 * 2) / H);
			x[(size_t)p * (size_t)H + (size_t)i] = (real)(i % 2 ? cos(angle) : sin(angle));
		}
	return x;
}

/* Rows of the embedding of a router that knows conditions. */
static int name_conditions(struct model *m)
{
	const struct config *c = &m->config;
	m->unknown = -1;
	if (!config_conditioned(c))
		return 0;
	m->conditions = m->layout.conditions.n;
	if (!m->conditions)
		return err_set(EX_DATAERR, "moe.router=%s, and no condition has a name (moe.conditions)",
			m->router->name);
	if (c->moe.condition_unknown > 0)
		m->unknown = m->conditions++;
	return 0;
}

static int build(struct model *m, int with_gate)
{
	const struct config *c = &m->config;
	int K = m->layout.regions;
	if (m->head->classes && m->layout.classes.n < 1)
		return err_set(EX_DATAERR, "no class: a model needs names of classes");
	m->region = NEW_ARRAY(struct region_params, K);
	for (int k = 0; k < K; k++)
		if (set_input(m, k))
			return -1;
	if (name_conditions(m))
		return -1;
	m->token = -1;
	if (c->bridge.tokens) {
		int64_t shape[3] = {1, c->bridge.tokens, c->encoder.hidden_dim};
		m->token = params_add(&m->params, "global_token", 3, shape, INIT_NORMAL, spread(m), false);
	}
	for (int k = 0; k < K; k++)
		declare_region(m, k);
	m->gate_fc1_weight = m->gate_fc1_bias = m->gate_fc2_weight = m->gate_fc2_bias = -1;
	if (K > 1 || (with_gate < 0 ? c->preset == PRESET_SEED : with_gate > 0))
		declare_gate(m);
	declare_head(m);
	return 0;
}

const real *model_token_scale(const struct model *m, int k)
{
	int i = m->region[k].token_scale;
	return i < 0 ? NULL : m->params.x + m->params.list[i].offset;
}

void model_standardise(const struct model *m, int k, int n, const real *subject_mean, real *x)
{
	const struct region_params *r = &m->region[k];
	if (r->token_mean < 0)
		return;
	const real *mean = m->params.x + m->params.list[r->token_mean].offset,
		   *std = m->params.x + m->params.list[r->token_std].offset;
	size_t D = (size_t)r->D, kinds = (size_t)r->kinds;
	for (size_t i = 0; i < (size_t)n; i++, x += D)
		for (size_t j = 0, at = i % kinds * D; j < D; j++)
			x[j] = (x[j] - (subject_mean ? subject_mean[at + j] : 0) - mean[at + j]) /
			       std[at + j];
}

int model_tokens(const struct model *m, int k, int samples)
{
	const struct region_params *r = &m->region[k];
	return r->tokeniser->count(&m->config, r->length, r->rate, layout_samples(&m->layout, k, samples));
}

/* The tokeniser's tables of region k, or those of a region before it with the same input. */
static void *prepare(const struct model *m, int k)
{
	const struct region_params *r = &m->region[k];
	if (!r->tokeniser->prepare)
		return NULL;
	for (const struct region_params *p = m->region; p < r; p++)
		if (p->tokeniser == r->tokeniser && p->length == r->length && !(p->rate < r->rate) &&
			!(p->rate > r->rate))
			return p->prepared;
	return r->tokeniser->prepare(&m->config, r->length, r->rate);
}

void model_allocate(struct model *m)
{
	const struct config *c = &m->config;
	if (c->encoder.positional == POSITION_SINUSOIDAL)
		m->sinusoid = sinusoid(m->most_tokens, c->encoder.hidden_dim);
	for (int k = 0; k < m->layout.regions; k++)
		m->region[k].prepared = prepare(m, k);
	params_allocate(&m->params);
}

struct model *model_declare(const struct config *c, const struct layout *l, int with_gate)
{
	struct model *m = NEW(struct model);
	m->temperature = 1;
	m->config = *c;
	layout_copy(&m->layout, l);
	m->feedforward = expert_table[0];
	m->router = config_router(c);
	m->head = config_head(c);
	bool views = false;
	for (int k = 0; k < l->regions; k++)
		views |= l->region[k].tokens != NULL;
	if (!views) /* of a file that was written before its preset had views */
		m->config.encoder.views.n = 0;
	if (build(m, with_gate)) {
		model_free(m);
		return NULL;
	}
	return m;
}

struct model *model_new(const struct config *c, const struct layout *l, int with_gate)
{
	struct model *m = model_declare(c, l, with_gate);
	if (m)
		model_allocate(m);
	return m;
}

static void free_region(struct model *m, int k)
{
	struct region_params *r = &m->region[k];
	bool shared = false;
	for (int i = 0; i < k; i++)
		shared |= m->region[i].prepared == r->prepared;
	if (!shared)
		free(r->prepared);
	free(r->unit);
	free(r->layer);
}

void model_free(struct model *m)
{
	if (!m)
		return;
	for (int k = 0; m->region && k < m->layout.regions; k++)
		free_region(m, k);
	free(m->region);
	layout_free(&m->layout);
	params_free(&m->params);
	names_free(&m->train_groups);
	free(m->head_tensor);
	free(m->sinusoid);
	free(m->scale_mean);
	free(m->scale_std);
	free(m->history);
	free(m);
}
