/* Whether a key has an effect in a configuration: what the rows of config_keys.c name. Each says so
 * of the thing the key is about. */
#ifndef MODEL_CONFIG_EFFECT_H
#define MODEL_CONFIG_EFFECT_H

#include "model/config.h"
#include "moe/setting.h"

/* Whether the router, an expert type or the tokeniser in use lists the key among those that have an
 * effect with it. */
bool config_claims(const struct config *, const char *key);
/* Why a key has no effect that routers, types or tokenisers list: none of these is in use; to be
 * freed; NULL: none lists it. */
char *config_claimants(const char *key);

/* The keys that routers, expert types and tokenisers have of their own, in the order of config.own;
 * NULL behind the last. */
const struct setting *config_setting(int i);

bool without_views(const struct config *);
bool with_patch(const struct config *);
bool with_hop(const struct config *);
bool with_classes(const struct config *);
bool with_linear_prior(const struct config *);
bool with_combine(const struct config *);
bool with_answers(const struct config *);
bool with_bridge(const struct config *);
bool with_exchange(const struct config *);
bool with_degrees(const struct config *);
bool with_ems(const struct config *);
bool with_decay(const struct config *);
bool with_moe_layer(const struct config *);
bool with_top_k(const struct config *);
bool with_learned_top_k(const struct config *);
bool with_weighed_choice(const struct config *);
bool with_one_map(const struct config *);
bool with_linear_router(const struct config *);
bool with_logits(const struct config *);
bool with_gating_network(const struct config *);
bool with_reading(const struct config *);
bool with_several_experts(const struct config *);
bool with_mass(const struct config *);
bool with_groups(const struct config *);
bool with_balance(const struct config *);
bool with_balance_loss(const struct config *);
bool with_running_balance(const struct config *);
bool with_scope(const struct config *);
bool with_balance_bias(const struct config *);
bool with_fixed_capacity(const struct config *);
bool with_dynamic_capacity(const struct config *);
bool with_sent_tokens(const struct config *);
bool with_drops(const struct config *);
bool with_bound(const struct config *);
bool with_shared_drops(const struct config *);
bool with_deaf_router(const struct config *);
bool with_ffn(const struct config *);
bool with_plain_ffn(const struct config *);
bool with_hidden_units(const struct config *);
bool with_activation(const struct config *);
bool with_num_experts(const struct config *);
bool with_units(const struct config *);

#endif
