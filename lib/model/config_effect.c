/* Which keys have an effect, by the values of the others. */
#include "model/config_effect.h"

#include "model/head.h"
#include "model/tokeniser.h"
#include "moe/expert.h"
#include "moe/rebalance.h"
#include "moe/router.h"

#include <string.h>

bool with_patch(const struct config *c)
{
	bool units = c->moe.layers.kind != LAYERS_NONE && c->moe.route_unit == UNIT_PATCH;
	return units || !strcmp(tokeniser_table[c->encoder.tokens]->name, "patch");
}

bool with_bands(const struct config *c)
{
	return text_among("spectral|covariance", tokeniser_table[c->encoder.tokens]->name);
}

bool with_filters(const struct config *c)
{
	return !strcmp(tokeniser_table[c->encoder.tokens]->name, "conv");
}

bool with_stretches(const struct config *c)
{
	return with_bands(c) || with_filters(c);
}

bool with_hop(const struct config *c)
{
	return with_stretches(c) && c->encoder.window > 0;
}

bool with_covariance(const struct config *c)
{
	return !strcmp(tokeniser_table[c->encoder.tokens]->name, "covariance");
}

bool with_classes(const struct config *c)
{
	return config_head(c)->classes;
}

bool with_evidence(const struct config *c)
{
	return with_bands(c) && with_classes(c);
}

bool with_combine(const struct config *c)
{
	return !c->head.type;
}

bool with_answers(const struct config *c)
{
	return config_head(c)->own;
}

bool with_bridge(const struct config *c)
{
	return c->bridge.tokens > 0;
}

bool with_exchange(const struct config *c)
{
	return with_bridge(c) && c->bridge.sync == SYNC_LAYER;
}

/* Weights other than 0 and 1. */
bool with_degrees(const struct config *c)
{
	return c->gate.top_k != 1 || c->gate.load_balance_weight > 0;
}

bool with_decay(const struct config *c)
{
	return c->train.weight_decay > 0;
}

bool with_ems(const struct config *c)
{
	return c->train.scale == SCALE_EMS;
}

bool with_mixture(const struct config *c)
{
	return c->moe.layers.kind != LAYERS_NONE;
}

static bool router_among(const struct config *c, const char *list)
{
	return with_mixture(c) && text_among(list, config_router(c));
}

bool with_top_k(const struct config *c)
{
	return router_among(c, "topk|noisy_topk|cosine|condition|random|uniform|hierarchical");
}

bool with_learned_top_k(const struct config *c)
{
	return router_among(c, "topk|noisy_topk|cosine|condition");
}

bool with_tree(const struct config *c)
{
	return router_among(c, "hierarchical");
}

bool with_weighed_choice(const struct config *c)
{
	return with_learned_top_k(c) || with_tree(c);
}

/* One linear map from tokens to experts. */
bool with_one_map(const struct config *c)
{
	return router_among(c, "topk|noisy_topk|soft|expert_choice|condition");
}

bool with_linear_router(const struct config *c)
{
	return with_one_map(c) || with_tree(c);
}

bool with_logits(const struct config *c)
{
	return with_linear_router(c) || router_among(c, "cosine");
}

bool with_gating_network(const struct config *c)
{
	return with_mixture(c) && c->moe.use_gating_network;
}

/* The router reads the tokens. */
bool with_reading(const struct config *c)
{
	return with_mixture(c) && !router_among(c, "random|uniform");
}

bool with_several_experts(const struct config *c)
{
	return router_among(c, "soft") || (with_top_k(c) && config_chosen(c) > 1);
}

bool with_mass(const struct config *c)
{
	return with_learned_top_k(c) && c->moe.top_k > 1 && c->moe.score == SCORE_SOFTMAX;
}

bool with_groups(const struct config *c)
{
	return (with_learned_top_k(c) && c->moe.groups > 1) || (with_tree(c) && c->moe.levels.n > 1);
}

/* No mixture has more than one expert, which is always chosen. */
static bool single_expert(const struct config *c)
{
	int most = 0;
	for (int l = 0; l < c->encoder.layers; l++)
		if (config_mixture(c, l) && config_experts(c, l) > most)
			most = config_experts(c, l);
	return most == 1;
}

bool with_balance(const struct config *c)
{
	return with_learned_top_k(c) && !single_expert(c);
}

bool with_balance_loss(const struct config *c)
{
	return (with_balance(c) && c->moe.balance == BALANCE_BY_LOSS) || (with_tree(c) && !single_expert(c));
}

bool with_running_balance(const struct config *c)
{
	return with_balance_loss(c) && c->moe.balance_scope == BALANCE_SCOPE_RUNNING;
}

/* Tokens are taken or mixed by something that looks at several of them. */
bool with_scope(const struct config *c)
{
	return router_among(c, "expert_choice|soft_moe") ||
	       (with_top_k(c) && (c->moe.capacity_factor > 0 || c->moe.capacity == CAPACITY_DYNAMIC));
}

bool with_balance_bias(const struct config *c)
{
	return with_balance(c) && c->moe.balance == BALANCE_BY_BIAS;
}

bool with_noise(const struct config *c)
{
	return router_among(c, "noisy_topk");
}

bool with_cosine(const struct config *c)
{
	return router_among(c, "cosine");
}

bool with_condition(const struct config *c)
{
	return router_among(c, "condition");
}

bool with_slots(const struct config *c)
{
	return router_among(c, "soft_moe");
}

bool with_fixed_capacity(const struct config *c)
{
	return with_top_k(c) && c->moe.capacity == CAPACITY_FIXED;
}

bool with_dynamic_capacity(const struct config *c)
{
	return with_top_k(c) && c->moe.capacity == CAPACITY_DYNAMIC;
}

bool with_sent_tokens(const struct config *c)
{
	return with_fixed_capacity(c) || router_among(c, "expert_choice");
}

bool with_drops(const struct config *c)
{
	return with_top_k(c) && (c->moe.capacity == CAPACITY_DYNAMIC || c->moe.capacity_factor > 0 ||
					c->moe.capacity_factor_eval > 0);
}

bool with_bound(const struct config *c)
{
	return with_drops(c) || router_among(c, "expert_choice");
}

/* The weights of a token's experts sum to 1. */
static bool with_shares(const struct config *c)
{
	bool single = c->moe.top_k == 1 || (with_tree(c) && c->moe.levels.n > 1 && c->moe.top_k_groups == 1);
	return with_weighed_choice(c) &&
	       (c->moe.renormalise == RENORMALISE_YES || (c->moe.renormalise == RENORMALISE_AUTO && !single));
}

bool with_shared_drops(const struct config *c)
{
	return with_drops(c) && with_shares(c);
}

/* Of E experts a router (of a tree one of its routers) chooses a single one for every token. */
static bool single_choice(const struct config *c, int E)
{
	if (with_tree(c))
		return c->moe.top_k == 1 || (c->moe.levels.n > 1 && c->moe.top_k_groups == 1);
	return c->moe.top_k == 1 || (with_mass(c) && c->moe.top_p > 0 && c->moe.top_p * E <= 1);
}

/* Nothing that is learned moves the router: the weight of its single choice is 1 whatever it says, and no balance loss with a gradient
 * by its probabilities teaches it; that of cv2 is about the weights. */
bool with_deaf_router(const struct config *c)
{
	bool taught = config_balance_weight(c) > 0 && c->moe.load_balance_form != BALANCE_CV2;
	bool deaf = false;
	for (int l = 0; l < c->encoder.layers && with_shares(c) && !taught; l++)
		deaf |= config_mixture(c, l) && config_experts(c, l) > 1 &&
			single_choice(c, config_experts(c, l));
	return deaf;
}

static bool with_type(const struct config *c, const char *name)
{
	bool found = false;
	for (int i = 0; i < c->moe.expert_types.n; i++)
		found |= !strcmp(expert_table[c->moe.expert_types.type[i]]->name, name);
	return with_mixture(c) && found;
}

bool with_ffn(const struct config *c)
{
	return with_type(c, "ffn") || (with_mixture(c) && (!c->moe.expert_types.n || c->moe.shared_experts ||
								  c->moe.residual_expert));
}

bool with_plain_ffn(const struct config *c)
{
	return with_ffn(c) && (c->moe.ffn == FFN_MLP || c->moe.ffn == FFN_RESIDUAL);
}

bool with_conv(const struct config *c)
{
	return with_type(c, "conv");
}

bool with_hidden_units(const struct config *c)
{
	return with_ffn(c) || with_conv(c);
}

bool with_activation(const struct config *c)
{
	return with_plain_ffn(c) || with_conv(c);
}

bool with_num_experts(const struct config *c)
{
	return with_mixture(c) && !(c->moe.expert_types.n && c->moe.expert_types.count[0]) && !with_tree(c);
}

bool with_units(const struct config *c)
{
	return with_mixture(c) && !with_slots(c);
}
