/* What the configuration says of a model's experts, routers and capacities. */
#include "model/model.h"

struct expert_shape model_dense_shape(const struct model *m)
{
	const struct config *c = &m->config;
	return (struct expert_shape){.H = c->encoder.hidden_dim,
		.F = c->encoder.ffn_dim,
		.activation = (enum activation)c->encoder.activation};
}

struct expert_shape model_expert_shape(const struct model *m)
{
	const struct config *c = &m->config;
	return (struct expert_shape){.H = c->encoder.hidden_dim,
		.F = c->moe.ffn_dim ? c->moe.ffn_dim : c->encoder.ffn_dim,
		.activation = (enum activation)(c->moe.activation == EXPERT_ACTIVATION_ENCODER
							? c->encoder.activation
							: c->moe.activation - EXPERT_ACTIVATION_RELU),
		.form = (enum ffn_form)c->moe.ffn,
		.inner_norm = c->moe.inner_norm,
		.output_norm = c->moe.output_norm,
		.own = c->own,
		.heads = c->encoder.heads,
		.kernel = c->moe.kernel};
}

struct router_shape model_router_shape(const struct model *m, int k, int layer)
{
	const struct config *c = &m->config;
	struct router_shape s = {.H = c->encoder.hidden_dim,
		.E = config_experts(c, layer),
		.k = config_chosen(c),
		.leaf_k = c->moe.top_k,
		.N = m->region[k].units,
		.pool = m->region[k].units,
		.own = c->own,
		.slots = c->moe.slots,
		.dim = c->moe.router_dim,
		.bias = c->moe.bias,
		.conditions = m->conditions,
		.temperature = c->moe.temperature,
		.noise_std = c->moe.noise_std,
		.load = c->moe.load_balance_form == BALANCE_CV2_LOAD,
		.fixed_noise = c->moe.noise == NOISE_FIXED,
		.capacity_factor = c->moe.capacity_factor > 0 ? c->moe.capacity_factor : 2,
		.score = (enum score)c->moe.score,
		.specialisation = c->moe.specialisation,
		.top_p = c->moe.score == SCORE_SOFTMAX ? c->moe.top_p : 0,
		.groups = c->moe.groups,
		.top_groups = c->moe.top_k_groups,
		.jitter = c->moe.jitter,
		.capacity_min = c->moe.capacity_min,
		.capacity_max = c->moe.capacity_max,
		.renormalise = (enum renormalise)c->moe.renormalise};
	for (int i = 0; i < c->moe.levels.n && m->router->tree; i++)
		s.level[s.levels++] = c->moe.levels.list[i];
	return s;
}

struct capacity model_capacity(const struct model *m, bool training)
{
	const struct config *c = &m->config;
	return (struct capacity){.factor = training ? c->moe.capacity_factor : c->moe.capacity_factor_eval,
		.min = c->moe.capacity_min,
		.max = c->moe.capacity_max,
		.policy = (enum drop_policy)c->moe.drop_policy,
		.residual = c->moe.drop_residual,
		.renormalise = c->moe.drop_renormalise};
}

void model_capacity_bounds(const struct model *m, int *min, int *max)
{
	*min = m->config.moe.capacity_min ? m->config.moe.capacity_min : CAPACITY_DYNAMIC_MIN;
	*max = m->config.moe.capacity_max ? m->config.moe.capacity_max : CAPACITY_DYNAMIC_MAX;
}

static int larger(int a, int b)
{
	return a > b ? a : b;
}

struct config_extent model_extent(const struct model *m)
{
	struct config_extent e = {.regions = m->layout.regions};
	for (int k = 0; k < m->layout.regions; k++) {
		const struct region_params *r = &m->region[k];
		e.tokens = larger(e.tokens, r->n);
		e.segments = larger(e.segments, r->n / r->kinds);
		e.units = larger(e.units, r->units);
	}
	return e;
}
