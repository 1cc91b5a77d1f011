/* Which keys have an effect, by the values of the others. */
#include "model/config_effect.h"

#include "model/head.h"
#include "model/tokeniser.h"
#include "moe/expert.h"
#include "moe/rebalance.h"
#include "moe/router.h"
#include "moe/setting.h"

#include <string.h>

static bool claims(const char *keys, const struct setting *own, const char *key)
{
	bool found = text_among(keys, key);
	for (int i = 0; own && own[i].name && !found; i++)
		found = !strcmp(own[i].name, key);
	return found;
}

static bool router_claims(const struct router_type *r, const char *key)
{
	return claims(r->keys, r->settings, key);
}

static bool type_claims(const struct expert_type *t, const char *key)
{
	return claims(t->keys, t->settings, key);
}

static bool tokeniser_claims(const struct tokeniser *t, const char *key)
{
	return claims(t->keys, t->settings, key);
}

/* The i-th type of the routed experts, or NULL. */
static const struct expert_type *type_of(const struct config *c, int i)
{
	const struct expert_types *t = &c->moe.expert_types;
	if (i < t->n)
		return expert_table[t->type[i]];
	bool dense = !t->n || c->moe.shared_experts || c->moe.residual_expert;
	return i == t->n && dense ? expert_table[0] : NULL;
}

bool config_claims(const struct config *c, const char *key)
{
	bool claimed = false;
	for (int i = 0; config_tokeniser(c, i); i++)
		claimed |= tokeniser_claims(config_tokeniser(c, i), key);
	if (!with_moe_layer(c))
		return claimed;
	for (int i = 0; type_of(c, i); i++)
		claimed |= type_claims(type_of(c, i), key);
	return claimed || router_claims(config_router(c), key);
}

/* "WHAT is not a", "WHAT is neither a nor b", "WHAT is none of a, b and c"; added behind what is
 * there. */
static void tell_claims(struct text *t, const char *what, struct names *l)
{
	const char *before = l->n == 1 ? "not " : l->n == 2 ? "neither " : "none of ";
	for (int i = 0; i < l->n; i++) {
		if (!i)
			text_addf(t, "%s%s is ", t->n ? ", and " : "", what);
		text_addf(t, "%s%s", before, l->s[i]);
		before = l->n == 2 ? " nor " : i + 2 == l->n ? " and " : ", ";
	}
	names_free(l);
}

char *config_claimants(const char *key)
{
	struct text t = {0};
	struct names routers = {0}, types = {0}, tokenisers = {0};
	for (int i = 0; router_table[i]; i++)
		if (router_claims(router_table[i], key))
			names_add(&routers, router_table[i]->name);
	for (int i = 0; tokeniser_table[i]; i++)
		if (tokeniser_claims(tokeniser_table[i], key))
			names_add(&tokenisers, tokeniser_table[i]->name);
	tell_claims(&t, "moe.router", &routers);
	tell_claims(&t, "encoder.tokens", &tokenisers);
	for (int i = 0; expert_table[i]; i++)
		if (type_claims(expert_table[i], key))
			names_add(&types, expert_table[i]->name);
	for (int i = 0; i < types.n; i++)
		text_addf(&t, "%s%s",
			i     ? " or "
			: t.n ? ", and no expert is of type "
			      : "no expert is of type ",
			types.s[i]);
	names_free(&types);
	return t.n ? t.s : NULL;
}

/* The settings of tokenisers stand behind those of routers and expert types. */
const struct setting *config_setting(int i)
{
	int before = 0;
	while (setting_at(before))
		before++;
	if (i < before)
		return setting_at(i);
	i -= before;
	for (int t = 0; tokeniser_table[t]; t++)
		for (const struct setting *s = tokeniser_table[t]->settings; s && s->name; s++)
			if (i-- == 0)
				return s;
	return NULL;
}

bool without_views(const struct config *c)
{
	return !c->encoder.views.n;
}

bool with_patch(const struct config *c)
{
	bool units = c->moe.layers.kind != LAYERS_NONE && c->moe.route_unit == UNIT_PATCH;
	return units || config_claims(c, "encoder.patch");
}

bool with_hop(const struct config *c)
{
	return config_claims(c, "encoder.hop") && c->encoder.window > 0;
}

bool with_classes(const struct config *c)
{
	return config_head(c)->classes;
}

bool with_linear_prior(const struct config *c)
{
	return config_claims(c, "encoder.evidence") && with_classes(c);
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

bool with_moe_layer(const struct config *c)
{
	return c->moe.layers.kind != LAYERS_NONE;
}

bool with_top_k(const struct config *c)
{
	return with_moe_layer(c) && config_router(c)->sends;
}

bool with_learned_top_k(const struct config *c)
{
	return with_moe_layer(c) && config_router(c)->ranks;
}

static bool with_tree(const struct config *c)
{
	return with_moe_layer(c) && config_router(c)->tree;
}

bool with_weighed_choice(const struct config *c)
{
	return with_learned_top_k(c) || with_tree(c);
}

/* One linear map from tokens to experts. */
bool with_one_map(const struct config *c)
{
	return with_moe_layer(c) && config_router(c)->linear;
}

bool with_linear_router(const struct config *c)
{
	return with_one_map(c) || with_tree(c);
}

bool with_logits(const struct config *c)
{
	return with_moe_layer(c) && config_router(c)->logits;
}

bool with_gating_network(const struct config *c)
{
	return with_moe_layer(c) && c->moe.use_gating_network;
}

/* The router reads the tokens. */
bool with_reading(const struct config *c)
{
	return with_moe_layer(c) && config_router(c)->learns;
}

bool with_several_experts(const struct config *c)
{
	bool all = with_moe_layer(c) && !config_router(c)->sends && !config_router(c)->pools;
	return all || (with_top_k(c) && config_chosen(c) > 1);
}

bool with_mass(const struct config *c)
{
	return with_learned_top_k(c) && c->moe.top_k > 1 && c->moe.score == SCORE_SOFTMAX;
}

bool with_groups(const struct config *c)
{
	return (with_learned_top_k(c) && c->moe.groups > 1) || (with_tree(c) && c->moe.levels.n > 1);
}

/* No MoE layer has more than one expert, which is always chosen. */
static bool single_expert(const struct config *c)
{
	int most = 0;
	for (int l = 0; l < c->encoder.layers; l++)
		if (config_moe_layer(c, l) && config_experts(c, l) > most)
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
	return (with_moe_layer(c) && config_router(c)->pools) ||
	       (with_top_k(c) && (c->moe.capacity_factor > 0 || c->moe.capacity == CAPACITY_DYNAMIC));
}

bool with_balance_bias(const struct config *c)
{
	return with_balance(c) && c->moe.balance == BALANCE_BY_BIAS;
}

bool with_fixed_capacity(const struct config *c)
{
	return with_top_k(c) && c->moe.capacity == CAPACITY_FIXED;
}

bool with_dynamic_capacity(const struct config *c)
{
	return with_top_k(c) && c->moe.capacity == CAPACITY_DYNAMIC;
}

/* Experts take a number of tokens that is given. */
static bool with_taking(const struct config *c)
{
	return with_moe_layer(c) && config_router(c)->taken;
}

bool with_sent_tokens(const struct config *c)
{
	return with_fixed_capacity(c) || with_taking(c);
}

bool with_drops(const struct config *c)
{
	return with_top_k(c) && (c->moe.capacity == CAPACITY_DYNAMIC || c->moe.capacity_factor > 0 ||
					c->moe.capacity_factor_eval > 0);
}

bool with_bound(const struct config *c)
{
	return with_drops(c) || with_taking(c);
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

/* Nothing that is learned moves the router: the weight of its single choice is 1 whatever it says,
 * and no balance loss with a gradient by its probabilities teaches it; that of cv2 is about the
 * weights. */
bool with_deaf_router(const struct config *c)
{
	bool taught = config_balance_weight(c) > 0 && c->moe.load_balance_form != BALANCE_CV2;
	bool deaf = false;
	for (int l = 0; l < c->encoder.layers && with_shares(c) && !taught; l++)
		deaf |= config_moe_layer(c, l) && config_experts(c, l) > 1 &&
			single_choice(c, config_experts(c, l));
	return deaf;
}

bool with_ffn(const struct config *c)
{
	bool any = false;
	for (int i = 0; type_of(c, i); i++)
		any |= type_of(c, i)->forms;
	return with_moe_layer(c) && any;
}

static bool gated(const struct config *c)
{
	return c->moe.ffn != FFN_MLP && c->moe.ffn != FFN_RESIDUAL;
}

bool with_plain_ffn(const struct config *c)
{
	return with_ffn(c) && !gated(c);
}

bool with_hidden_units(const struct config *c)
{
	bool any = false;
	for (int i = 0; type_of(c, i); i++)
		any |= type_of(c, i)->hidden;
	return with_moe_layer(c) && any;
}

bool with_activation(const struct config *c)
{
	bool any = false;
	for (int i = 0; type_of(c, i); i++)
		any |= type_of(c, i)->hidden && !(type_of(c, i)->forms && gated(c));
	return with_moe_layer(c) && any;
}

bool with_num_experts(const struct config *c)
{
	return with_moe_layer(c) && !(c->moe.expert_types.n && c->moe.expert_types.count[0]) && !with_tree(c);
}

bool with_units(const struct config *c)
{
	return with_moe_layer(c) && !config_router(c)->mixes;
}
