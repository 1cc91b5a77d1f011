#include "model/config_keys.h"
#include "model/head.h"
#include "model/tokeniser.h"

#include "base/error.h"
#include "base/json.h"
#include "base/mem.h"
#include "io/input.h"
#include "model/config_effect.h"
#include "moe/capacity.h"
#include "moe/rebalance.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Experts at the ends of the tree; 0 when they are too many to count. */
static int leaves(const struct config *c)
{
	double n = 1;
	for (int i = 0; i < c->moe.levels.n; i++)
		n *= c->moe.levels.list[i];
	return n <= 1024 ? (int)n : 0;
}

int config_chosen(const struct config *c)
{
	double n = c->moe.top_k;
	for (int i = 1; i < c->moe.levels.n && config_router(c)->tree; i++)
		n *= c->moe.top_k_groups;
	return n <= 1024 ? (int)n : 1024;
}

int config_experts(const struct config *c, int l)
{
	const struct expert_types *t = &c->moe.expert_types;
	int sum = 0, before = 0;
	for (int i = 0; i < t->n; i++)
		sum += t->count[i];
	for (int i = 0; i < l; i++)
		before += config_moe_layer(c, i);
	if (config_router(c)->tree)
		return leaves(c);
	return sum ? sum : c->moe.num_experts.list[before < c->moe.num_experts.n ? before : 0];
}

const struct router_type *config_router(const struct config *c)
{
	return c->moe.use_gating_network ? router_table[c->moe.router] : router_unlearned();
}

double config_own(const struct config *c, const struct setting *s)
{
	int i = 0;
	while (config_setting(i) != s)
		must(config_setting(i++));
	return c->own[i];
}

const struct head_type *config_head(const struct config *c)
{
	if (c->head.type)
		return head_table[c->head.type - 1];
	return c->gate.combine == COMBINE_ANSWERS ? &head_answers : &head_classifier;
}

const struct tokeniser *config_tokeniser(const struct config *c, int i)
{
	if (c->encoder.views.n)
		return i < c->encoder.views.n ? tokeniser_table[c->encoder.views.list[i].tokens] : NULL;
	return i ? NULL : tokeniser_table[c->encoder.tokens];
}

bool config_ridge(const struct config *c)
{
	return c->encoder.linear_prior == EVIDENCE_RIDGE && config_head(c)->classes;
}

bool config_linear_prior(const struct config *c)
{
	bool any = false;
	for (int i = 0; config_tokeniser(c, i); i++)
		any |= config_tokeniser(c, i)->standardised;
	return config_ridge(c) && any;
}

bool config_conditioned(const struct config *c)
{
	return config_moe_layers(c) && config_router(c)->conditions;
}

int config_balance(const struct config *c)
{
	return config_router(c)->ranks ? c->moe.balance : BALANCE_BY_LOSS;
}

double config_balance_weight(const struct config *c)
{
	return config_balance(c) == BALANCE_BY_LOSS ? c->moe.load_balance_weight : 0;
}

bool config_moe_layer(const struct config *c, int l)
{
	const struct layer_set *s = &c->moe.layers;
	if (s->kind == LAYERS_EVERY)
		return l % s->list[0] == s->list[0] - 1;
	for (int i = 0; s->kind == LAYERS_LISTED && i < s->n; i++)
		if (s->list[i] == l)
			return true;
	return s->kind == LAYERS_ALL;
}

bool config_moe_layers(const struct config *c)
{
	bool any = false;
	for (int l = 0; l < c->encoder.layers; l++)
		any |= config_moe_layer(c, l);
	return any;
}

static int unknown(const char *name, const char *what)
{
	int n = config_key_count();
	const char **list = NEW_ARRAY(const char *, n);
	struct key k;
	for (int i = 0; config_key(i, &k); i++)
		list[i] = k.name;
	const char *near = text_nearest(name, list, n);
	err_set(EX_CONFIG, "%s: unknown key %s%s%s", what, name, near ? "; did you mean " : "",
		near ? near : "");
	free(list);
	return -1;
}

/* Keys that did nothing, and of which files hold this value. */
static bool retired(const char *name, const cJSON *v, enum config_from from)
{
	return from != FROM_SET && !strcmp(name, "train.prox_mu") && cJSON_IsNumber(v) &&
	       !(v->valuedouble > 0 || v->valuedouble < 0);
}

/* Who says what tokens are does without views that nobody asked for. */
static void forget_views(struct configuration *c)
{
	struct key k;
	if (c->from[config_key_find("encoder.views", &k)] < FROM_MODEL)
		c->value.encoder.views.n = 0;
}

static int set(
	struct configuration *c, const char *name, const cJSON *v, enum config_from from, const char *what)
{
	struct key k;
	int i = config_key_find(name, &k);
	if (i < 0)
		return retired(name, v, from) ? 0 : unknown(name, what);
	if (key_set(&c->value, &k, v, what))
		return -1;
	c->from[i] = (unsigned char)from;
	if (k.kind == CHOICE && k.at == offsetof(struct config, encoder.tokens))
		forget_views(c);
	return 0;
}

static bool key_is_word(const struct key *k)
{
	return k->kind == CHOICE || k->kind == HEAD;
}

/* KEY=VALUE; where the VALUE is not JSON it is a bare word. */
static int assign(struct configuration *c, const char *assignment, enum config_from from, const char *what)
{
	const char *equals = strchr(assignment, '=');
	char *name = mem_text_n(assignment, (size_t)(equals - assignment));
	struct key k;
	int i = config_key_find(name, &k), r;
	cJSON *v = i >= 0 && key_is_word(&k) ? NULL : json_parse(equals + 1, strlen(equals + 1), what);
	if (!v)
		v = json_of_text(equals + 1);
	r = set(c, name, v, from, what);
	cJSON_Delete(v);
	free(name);
	return r;
}

void config_begin(struct configuration *c, int preset)
{
	memset(c, 0, sizeof *c);
	c->from = NEW_ARRAY(unsigned char, config_key_count());
	struct key k;
	for (int i = 0; config_key(i, &k); i++) {
		cJSON *v = key_is_word(&k) ? json_of_text(k.value)
					   : json_parse(k.value, strlen(k.value), "default");
		must(v && !key_set(&c->value, &k, v, "default"));
		cJSON_Delete(v);
	}
	const struct preset *p = &preset_table[preset];
	for (int list = 0; list < PRESET_LISTS && p->set[list]; list++)
		for (int i = 0; p->set[list][i]; i++)
			must(!assign(c, p->set[list][i], FROM_PRESET, p->name));
	c->value.preset = preset;
}

void config_end(struct configuration *c)
{
	free(c->from);
	c->from = NULL;
}

int config_preset(const char *name, int *preset)
{
	cJSON *v = json_of_text(name);
	struct config named;
	struct key k;
	config_key(0, &k);
	int r = key_set(&named, &k, v, "--preset");
	if (!r)
		*preset = named.preset;
	cJSON_Delete(v);
	return r;
}

const char *config_preset_name(int preset)
{
	return preset_table[preset].name;
}

/* Walks an object: "encoder": {"layers": 2} is the key encoder.layers. */
static int walk(struct configuration *c, const cJSON *object, const char *prefix, enum config_from from,
	const char *what)
{
	const cJSON *v;
	cJSON_ArrayForEach(v, object)
	{
		char *name = mem_format("%s%s%s", prefix, *prefix ? "." : "", v->string);
		int r;
		if (!strcmp(name, "preset"))
			r = 0; /* the caller has begun with it */
		else
			r = cJSON_IsObject(v) ? walk(c, v, name, from, what) : set(c, name, v, from, what);
		free(name);
		if (r)
			return -1;
	}
	return 0;
}

int config_json(struct configuration *c, const char *text, size_t n, enum config_from from, const char *what)
{
	cJSON *root = json_parse(text, n, what);
	if (!root)
		return -1;
	int r = cJSON_IsObject(root) ? 0 : err_set(EX_CONFIG, "%s: not a JSON object", what);
	const cJSON *preset = r ? NULL : json_get(root, "preset");
	struct config named = c->value;
	struct key k;
	config_key(0, &k);
	if (preset)
		r = key_set(&named, &k, preset, what);
	if (preset && !r &&
		c->from[0] == FROM_PRESET) { /* one named on the command line goes before the file's */
		if (named.preset != c->value.preset) {
			config_end(c);
			config_begin(c, named.preset);
		}
		c->from[0] = (unsigned char)from;
	}
	if (preset && !r && c->from[0] == FROM_MODEL && named.preset != c->value.preset)
		r = err_set(EX_CONFIG, "%s: preset=%s: what is continued has %s, which stays", what,
			config_preset_name(named.preset), config_preset_name(c->value.preset));
	if (!r)
		r = walk(c, root, "", from, what);
	cJSON_Delete(root);
	return r;
}

int config_file(struct configuration *c, const char *path)
{
	struct input *in = input_open(path);
	struct text t = {0};
	char piece[4096];
	long n = -1;
	while (in && t.n < 1 << 20 && (n = input_read(in, piece, sizeof piece)) > 0)
		text_add_n(&t, piece, (size_t)n);
	if (in && n > 0)
		n = err_set(EX_CONFIG, "%s: a configuration of more than a megabyte", path);
	int r = n < 0 ? -1 : config_json(c, text_string(&t), t.n, FROM_FILE, path);
	text_free(&t);
	input_close(in);
	return r;
}

int config_set(struct configuration *c, const char *assignment)
{
	const char *equals = strchr(assignment, '=');
	if (!equals || equals == assignment)
		return err_set(EX_USAGE, "--set %s: KEY=VALUE was expected", assignment);
	if (text_starts(assignment, "preset="))
		return err_set(EX_CONFIG, "--set preset: use --preset NAME");
	char *what = mem_format("--set %s", assignment);
	int r = assign(c, assignment, FROM_SET, what);
	free(what);
	return r;
}

/* A key of the network's shape, as against how it is trained. */
static bool of_the_network(const struct key *k)
{
	return (text_starts(k->name, "encoder.") || text_starts(k->name, "bridge.") ||
		       text_starts(k->name, "gate.") || text_starts(k->name, "head.") ||
		       text_starts(k->name, "moe.")) &&
	       !text_among(
		       "encoder.dropout|gate.noise_std|gate.load_balance_weight|moe.load_balance_weight|moe."
		       "load_balance_form|moe.z_loss_weight|"
		       "moe.noise_std|moe.capacity_factor|moe.capacity_factor_eval|moe.capacity_min|"
		       "moe.capacity_max|moe.capacity_ema|moe.balance_rate|moe.balance_ema|moe.scope|moe."
		       "condition_unknown|moe."
		       "jitter|moe.expert_dropout|moe."
		       "drop_policy|moe."
		       "drop_residual|moe."
		       "drop_renormalise",
		       k->name);
}

int config_fixed_by_model(const struct configuration *c, const struct config *model, bool resumed)
{
	const char *who =
		resumed ? "the state that is continued (--resume)" : "the model that is continued (--init)";
	int r = 0;
	bool unknown = model->moe.condition_unknown > 0;
	if (config_given(c, "moe.condition_unknown") && (c->value.moe.condition_unknown > 0) != unknown)
		return err_set(EX_CONFIG,
			"moe.condition_unknown=%g: %s has %s embedding for unknown ones, which stays so",
			c->value.moe.condition_unknown, who, unknown ? "an" : "no");
	struct key k;
	for (int i = 0; config_key(i, &k) && !r; i++) {
		bool running = with_ems(model) && text_starts(k.name, "train.ems_");
		if (c->from[i] < FROM_FILE || !(of_the_network(&k) || running))
			continue;
		struct text a = {0}, b = {0};
		key_value(&k, &c->value, &a);
		key_value(&k, model, &b);
		if (strcmp(a.s, b.s))
			r = err_set(EX_CONFIG, "%s=%s: %s has %s, which stays", k.name, a.s, who, b.s);
		text_free(&a);
		text_free(&b);
	}
	return r;
}

/* A capacity that follows the load, and can never be less than what an expert is sent. */
static int check_dynamic(const struct configuration *c, int units)
{
	const struct config *v = &c->value;
	bool asked = config_given(c, "moe.capacity") || config_given(c, "moe.capacity_min");
	int min = v->moe.capacity_min ? v->moe.capacity_min : CAPACITY_DYNAMIC_MIN;
	if (!asked || !with_dynamic_capacity(v))
		return 0;
	if (min >= units)
		return err_set(EX_CONFIG,
			"moe.capacity=dynamic has no effect: an expert takes %d of a window's tokens at "
			"least "
			"(moe.capacity_min), and %d are routed",
			min, units);
	bool all = true;
	for (int l = 0; l < v->encoder.layers; l++)
		all &= !config_moe_layer(v, l) || config_experts(v, l) <= config_chosen(v);
	if (all && !(v->moe.capacity_max && v->moe.capacity_max < units))
		return err_set(EX_CONFIG,
			"moe.capacity=dynamic has no effect: every expert is given every token "
			"(moe.top_k)");
	return 0;
}

int config_check_effect(const struct configuration *c, const struct config_extent *of)
{
	static const char *const between[] = {"bridge.sync", "bridge.sync_every", "gate.type", "gate.combine",
		"gate.top_k", "gate.noise_std", "gate.temperature", "gate.load_balance_weight"};
	const struct config *v = &c->value;
	int top_k = v->gate.top_k, K = of->regions;
	for (size_t i = 0; i < sizeof between / sizeof *between && K == 1; i++)
		if (config_given(c, between[i])) /* nothing to weigh: its weight is 1 */
			return err_set(EX_CONFIG, "%s has no effect: there is one region", between[i]);
	if (top_k >= K && config_given(c, "gate.top_k"))
		return err_set(EX_CONFIG, "gate.top_k=%d has no effect: there are %d regions", top_k, K);
	if (v->encoder.pool == POOL_ATTENTION && of->tokens == 1 && config_given(c, "encoder.pool"))
		return err_set(EX_CONFIG, "encoder.pool=attention has no effect: a window is one token");
	if (with_hop(v) && of->segments == 1 && config_given(c, "encoder.hop"))
		return err_set(EX_CONFIG,
			"encoder.hop=%g has no effect: one stretch of encoder.window=%g seconds fits a "
			"window, "
			"a second one "
			"does not",
			v->encoder.hop, v->encoder.window);
	return check_dynamic(c, of->units);
}

bool config_warmup_scales(const struct configuration *c)
{
	static const char key[] = "train.warmup_steps";
	struct key k;
	return c->from[config_key_find(key, &k)] == FROM_PRESET && preset_names(c->value.preset, key) &&
	       c->value.train.warmup_steps > 0;
}

int config_warmup(const struct configuration *c, long steps)
{
	int w = c->value.train.warmup_steps;
	return config_warmup_scales(c) && steps >= 0 && w > steps / 10 ? (int)(steps / 10) : w;
}

bool config_given(const struct configuration *c, const char *key)
{
	struct key k;
	int i = config_key_find(key, &k);
	must(i >= 0);
	return c->from[i] >= FROM_FILE;
}

bool config_decided(const struct configuration *c, const char *key)
{
	struct key k;
	int i = config_key_find(key, &k);
	must(i >= 0);
	if (c->from[i] >= FROM_FILE || preset_names(c->value.preset, key))
		return true;
	struct text t = {0};
	key_value(&k, &c->value, &t);
	bool differs = strcmp(t.s, k.value) != 0;
	text_free(&t);
	return differs;
}
