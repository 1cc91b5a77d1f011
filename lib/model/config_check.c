/* What the values of a configuration have to do with each other. */
#include "model/config_keys.h"

#include "base/error.h"
#include "base/mem.h"
#include "model/config_effect.h"
#include "model/tokeniser.h"
#include "moe/capacity.h"
#include "moe/rebalance.h"
#include "moe/router.h"

#include <stdlib.h>
#include <string.h>

/* Types that read several tokens together need such tokens. */
static int check_types(const struct config *c)
{
	const struct expert_types *t = &c->moe.expert_types;
	for (int i = 0; i < t->n; i++) {
		const struct expert_type *type = expert_table[t->type[i]];
		if (type->windows && config_router(c)->mixes)
			return err_set(EX_CONFIG,
				"moe.expert_types: %s reads tokens, moe.router=%s gives it means of them",
				type->name, config_router(c)->name);
		if (type->neighbours && (c->moe.route_unit == UNIT_TOKEN ||
						(c->moe.route_unit == UNIT_PATCH && c->encoder.patch < 2)))
			return err_set(EX_CONFIG,
				"moe.expert_types: %s needs neighbours in time; set moe.route_unit to "
				"window, or to patch "
				"with an encoder.patch above 1",
				type->name);
	}
	return 0;
}

static int check_groups(const struct config *c, int E)
{
	int groups = c->moe.groups, top = c->moe.top_k_groups;
	if (E % groups)
		return err_set(EX_CONFIG, "moe.groups: %d does not divide moe.num_experts, %d", groups, E);
	if (top > groups)
		return err_set(EX_CONFIG, "moe.top_k_groups: %d of %d groups (moe.groups)", top, groups);
	if (c->moe.top_k > top * (E / groups))
		return err_set(EX_CONFIG,
			"moe.top_k_groups: %d of %d experts each hold no %d experts (moe.top_k)", top,
			E / groups, c->moe.top_k);
	return 0;
}

/* Quantiles balance plain choices by independent scores. */
static int check_quantile(const struct config *c, int E)
{
	static const char what[] = "moe.balance: quantile does not go with";
	if (c->moe.score != SCORE_SIGMOID)
		return err_set(EX_CONFIG, "%s moe.score=softmax; use moe.score=sigmoid", what);
	if (c->moe.capacity_factor > 0)
		return err_set(EX_CONFIG, "%s moe.capacity_factor", what);
	if (c->moe.capacity_factor_eval > 0)
		return err_set(EX_CONFIG, "%s moe.capacity_factor_eval", what);
	if (c->moe.capacity == CAPACITY_DYNAMIC)
		return err_set(EX_CONFIG, "%s moe.capacity=dynamic", what);
	if (c->moe.groups > 1)
		return err_set(EX_CONFIG, "%s moe.groups", what);
	if (c->moe.top_k == E)
		return err_set(EX_CONFIG, "%s moe.top_k equal to moe.num_experts", what);
	return 0;
}

static int check_tree(const struct config *c)
{
	const struct count_list *l = &c->moe.levels;
	int types = 0;
	if (l->n > ROUTER_LEVELS)
		return err_set(EX_CONFIG, "moe.levels: %d levels; there may be %d", l->n, ROUTER_LEVELS);
	if (config_experts(c, 0) < 1)
		return err_set(EX_CONFIG, "moe.levels: more than 1024 experts");
	for (int i = 0; i < l->n; i++) {
		bool last = i == l->n - 1;
		int k = last ? c->moe.top_k : c->moe.top_k_groups;
		if (k > l->list[i])
			return err_set(EX_CONFIG, "%s: %d of %d (moe.levels)",
				last ? "moe.top_k" : "moe.top_k_groups", k, l->list[i]);
	}
	for (int i = 0; i < c->moe.expert_types.n; i++)
		types += c->moe.expert_types.count[i];
	if (types && types != config_experts(c, 0))
		return err_set(EX_CONFIG, "moe.expert_types: %d experts, moe.levels makes %d", types,
			config_experts(c, 0));
	return 0;
}

static int needs_noise(const char *what)
{
	struct names l = {0};
	for (int i = 0; router_table[i]; i++)
		if (router_table[i]->noisy)
			names_add(&l, router_table[i]->name);
	char *list = names_join(&l, " or ");
	err_set(EX_CONFIG, "%s needs the noise of moe.router=%s", what, list);
	free(list);
	names_free(&l);
	return -1;
}

/* Losses that need more than shares of a batch. */
static int check_balance(const struct config *c, int E)
{
	bool variation =
		c->moe.load_balance_form == BALANCE_CV2 || c->moe.load_balance_form == BALANCE_CV2_LOAD;
	if (config_balance(c) != BALANCE_BY_LOSS)
		return 0;
	if (variation && c->moe.balance_scope == BALANCE_SCOPE_RUNNING)
		return err_set(EX_CONFIG, "moe.balance_scope: running averages shares; cv2 and cv2_load "
					  "(moe.load_balance_form) have none");
	if (c->moe.load_balance_form != BALANCE_CV2_LOAD)
		return 0;
	static const char what[] = "moe.load_balance_form: cv2_load";
	if (!config_router(c)->noisy)
		return needs_noise(what);
	if (!(c->moe.noise_std > 0))
		return err_set(EX_CONFIG, "%s needs noise; moe.noise_std is 0", what);
	if (c->moe.groups > 1 || c->moe.top_p > 0)
		return err_set(EX_CONFIG, "%s does not go with moe.groups and moe.top_p", what);
	if (c->moe.top_k == E)
		return err_set(EX_CONFIG, "%s does not go with moe.top_k equal to moe.num_experts", what);
	return 0;
}

static int check_experts(const struct config *c)
{
	int moe_layers = 0;
	for (int l = 0; l < c->encoder.layers; l++) {
		if (!config_moe_layer(c, l))
			continue;
		moe_layers++;
		if (config_router(c)->tree && check_tree(c))
			return -1;
		if (check_balance(c, config_experts(c, l)))
			return -1;
		if (c->moe.top_k > config_experts(c, l))
			return err_set(EX_CONFIG, "moe.top_k: %d of %d experts (moe.num_experts)",
				c->moe.top_k, config_experts(c, l));
		if (config_balance(c) == BALANCE_BY_QUANTILE && check_quantile(c, config_experts(c, l)))
			return -1;
		if (c->moe.groups > 1 && check_groups(c, config_experts(c, l)))
			return -1;
	}
	if (moe_layers && c->moe.num_experts.n > 1 && c->moe.num_experts.n != moe_layers)
		return err_set(EX_CONFIG, "moe.num_experts: %d numbers for %d mixtures (moe.layers)",
			c->moe.num_experts.n, moe_layers);
	return moe_layers ? check_types(c) : 0;
}

/* Routers that cannot learn, when the user made them so. */
static int check_taught(const struct configuration *c)
{
	static const char *const about[] = {"moe.layers", "moe.router", "moe.top_k", "moe.top_p",
		"moe.top_k_groups", "moe.renormalise", "moe.balance", "moe.load_balance_weight",
		"moe.load_balance_form"};
	const struct config *v = &c->value;
	bool asked = false, mass = v->moe.top_p > 0 && v->moe.top_k > 1;
	for (size_t i = 0; i < sizeof about / sizeof *about; i++)
		asked |= config_given(c, about[i]);
	if (!asked || !with_deaf_router(v))
		return 0;
	char *choice = mass ? mem_format("moe.top_p=%g", v->moe.top_p)
			    : mem_format("%s=1 with moe.renormalise=yes",
				      v->moe.top_k == 1 ? "moe.top_k" : "moe.top_k_groups");
	err_set(EX_CONFIG,
		"%s: a router chooses one for each token, its weight is 1 whatever the router says, and no "
		"balance "
		"loss teaches it either; set moe.renormalise=%s, %s, or a moe.load_balance_weight above 0 "
		"(moe.load_balance_form other than cv2)",
		choice, mass ? "no" : "auto",
		mass                ? "a larger moe.top_p"
		: v->moe.top_k == 1 ? "moe.top_k=2"
				    : "moe.top_k_groups=2");
	free(choice);
	return -1;
}

static int check_moe_layers(const struct config *c)
{
	const struct layer_set *s = &c->moe.layers;
	bool any = config_moe_layers(c);
	if (s->kind == LAYERS_LISTED && s->list[s->n - 1] >= c->encoder.layers)
		return err_set(EX_CONFIG,
			"moe.layers: there is no layer %d; encoder.layers is %d, indices count from 0",
			s->list[s->n - 1], c->encoder.layers);
	if (s->kind == LAYERS_EVERY && !any)
		return err_set(EX_CONFIG, "moe.layers: every:%d is none of %d layers", s->list[0],
			c->encoder.layers);
	if (check_experts(c))
		return -1;
	if (any && c->moe.capacity_max && c->moe.capacity_min > c->moe.capacity_max)
		return err_set(EX_CONFIG, "moe.capacity_min: %d is above moe.capacity_max, %d",
			c->moe.capacity_min, c->moe.capacity_max);
	if (any && c->moe.scope == SCOPE_BATCH && c->moe.capacity == CAPACITY_DYNAMIC)
		return err_set(EX_CONFIG,
			"moe.scope: batch does not go with moe.capacity=dynamic, which counts the "
			"tokens of windows");
	if (any && c->moe.drop_policy == DROP_RANDOM && c->moe.capacity == CAPACITY_DYNAMIC)
		return err_set(EX_CONFIG, "moe.drop_policy: random drops in training only, "
					  "moe.capacity=dynamic in evaluation too");
	if (any && c->moe.drop_policy == DROP_RANDOM && c->moe.capacity_factor_eval > 0)
		return err_set(EX_CONFIG, "moe.drop_policy: random drops in training only; with it "
					  "moe.capacity_factor_eval is 0");
	return 0;
}

/* Changes of windows that nothing would come of. */
static int check_augment(const struct config *c)
{
	int mixing = augmentation_pairing(c->train.augment);
	if (mixing >= 0 && c->train.batch_size < 2)
		return err_set(EX_CONFIG, "train.augment: %s has no effect: train.batch_size is 1",
			augmentation_table[mixing]->name);
	if (mixing >= 0 && !with_classes(c))
		return err_set(EX_CONFIG,
			"train.augment: %s mixes labels, and the head names no classes (head.type)",
			augmentation_table[mixing]->name);
	bool no_sign = true;
	for (int i = 0; config_tokeniser(c, i); i++)
		no_sign &= config_tokeniser(c, i)->unsigned_features;
	for (int i = 0; augmentation_table[i]; i++)
		if (augmentation_table[i]->signs && c->train.augment[i] > 0 && mixing < 0 && no_sign)
			return err_set(EX_CONFIG,
				"train.augment: %s has no effect: powers and covariances (encoder.tokens) "
				"have no sign",
				augmentation_table[i]->name);
	return 0;
}

static int no_effect(const struct key *k)
{
	char *why = key_unless(k);
	err_set(EX_CONFIG, "%s has no effect: %s", k->name, why);
	free(why);
	return -1;
}

int config_check(const struct configuration *c)
{
	const struct config *v = &c->value;
	struct key k;
	for (int i = 0; config_key(i, &k); i++)
		if (c->from[i] >= FROM_FILE && !key_matters(&k, v))
			return no_effect(&k);
	bool asked = config_given(c, "bridge.sync") || config_given(c, "bridge.sync_every");
	if (asked && v->bridge.sync == SYNC_LAYER && v->bridge.sync_every >= v->encoder.layers)
		return err_set(EX_CONFIG,
			"bridge.sync=layer has no effect: bridge.sync_every is %d, encoder.layers %d, and "
			"nothing is exchanged after the last layer",
			v->bridge.sync_every, v->encoder.layers);
	if (v->encoder.hidden_dim % v->encoder.heads)
		return err_set(EX_CONFIG, "encoder.heads: %d does not divide encoder.hidden_dim, %d",
			v->encoder.heads, v->encoder.hidden_dim);
	if (check_moe_layers(v) || check_taught(c) || check_augment(v))
		return -1;
	if (v->encoder.positional == POSITION_SINUSOIDAL && v->encoder.hidden_dim % 2)
		return err_set(EX_CONFIG,
			"encoder.positional=sinusoidal needs an even encoder.hidden_dim, not %d",
			v->encoder.hidden_dim);
	return 0;
}
