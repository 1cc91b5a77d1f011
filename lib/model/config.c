#include "model/config.h"

#include "base/error.h"
#include "base/mem.h"
#include "model/tokeniser.h"
#include "tensor/ops.h"

#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum kind { INT, REAL_NUMBER, BOOL, CHOICE, EDGES, LATER };

struct key {
	const char *name;
	enum kind kind;
	size_t at; /* offset in struct config */
	const char *preset
		[2]; /* value under preset default, seed; [1] NULL = the same. For LATER: the only accepted value */
	double min, max;
	const char *choices; /* implemented */
	const char *later;   /* choices that are refused as not implemented yet */
	bool (*matters)(const struct config *);
	const char *unless; /* why it has no effect, when matters() is false */
	const char *help;
};

static bool with_patch(const struct config *c)
{
	return !strcmp(tokeniser_table[c->encoder.tokens]->name, "patch");
}

static bool with_spectral(const struct config *c)
{
	return !strcmp(tokeniser_table[c->encoder.tokens]->name, "spectral");
}

static bool with_bridge(const struct config *c)
{
	return c->bridge.tokens > 0;
}

static bool with_decay(const struct config *c)
{
	return c->train.weight_decay > 0;
}

#define AT(field)    offsetof(struct config, field)
#define NOT_SPECTRAL "encoder.tokens is not spectral"

static const struct key keys[] = {
	{"preset", CHOICE, AT(preset), {"default", "seed"}, 0, 0, "default|seed",
		"transformer|transformer-moe|multimind|large|attention|vision|switch|hierarchical|deepseek",
		NULL, NULL,
		"where every other value starts; seed is the region model with post-norm ReLU layers on raw "
		"samples"},
	{"encoder.hidden_dim", INT, AT(encoder.hidden_dim), {"32", "64"}, 1, 65536, NULL, NULL, NULL, NULL,
		"width H of a token"},
	{"encoder.layers", INT, AT(encoder.layers), {"2"}, 1, 256, NULL, NULL, NULL, NULL,
		"encoder layers of a region"},
	{"encoder.heads", INT, AT(encoder.heads), {"4"}, 1, 1024, NULL, NULL, NULL, NULL,
		"attention heads; must divide encoder.hidden_dim"},
	{"encoder.ffn_dim", INT, AT(encoder.ffn_dim), {"64", "2048"}, 1, 1 << 20, NULL, NULL, NULL, NULL,
		"width F of the feed-forward layers"},
	{"encoder.dropout", REAL_NUMBER, AT(encoder.dropout), {"0.1"}, 0, 0.95, NULL, NULL, NULL, NULL,
		"dropout in training: attention weights, hidden units, and what the two sub-layers return"},
	{"encoder.activation", CHOICE, AT(encoder.activation), {"gelu", "relu"}, 0, 0, "relu|gelu", NULL,
		NULL, NULL, "of the feed-forward layers; gelu in the exact form"},
	{"encoder.norm", CHOICE, AT(encoder.norm), {"pre", "post"}, 0, 0, "post|pre", NULL, NULL, NULL,
		"layer normalisation after (post) or before (pre) each sub-layer"},
	{"encoder.positional", CHOICE, AT(encoder.positional), {"learned"}, 0, 0, "learned|sinusoidal|none",
		NULL, NULL, NULL, "position added to each token"},
	{"encoder.pool", CHOICE, AT(encoder.pool), {"mean"}, 0, 0, "mean", "attention", NULL, NULL,
		"summary of a region's tokens"},
	{"encoder.tokens", CHOICE, AT(encoder.tokens), {"spectral", "sample"}, 0, 0, NULL, "conv|covariance",
		NULL, NULL, "what a token is: a sample, a patch of samples, or log band powers of a stretch"},
	{"encoder.patch", INT, AT(encoder.patch), {"10"}, 1, 1 << 20, NULL, NULL, with_patch,
		"encoder.tokens is not patch", "samples per token"},
	{"encoder.bands", EDGES, AT(encoder.bands), {"[1,4,8,10,13,20,30,45]"}, 0, 0, NULL, NULL,
		with_spectral, NOT_SPECTRAL, "edges of the bands in Hz, ascending; n edges make n - 1 bands"},
	{"encoder.window", REAL_NUMBER, AT(encoder.window), {"1"}, 0.01, 1e4, NULL, NULL, with_spectral,
		NOT_SPECTRAL,
		"length of the stretch a token sums up, in seconds; shortened to the window when that is "
		"shorter"},
	{"encoder.hop", REAL_NUMBER, AT(encoder.hop), {"0.5"}, 0.001, 1e4, NULL, NULL, with_spectral,
		NOT_SPECTRAL, "distance of two tokens' stretches in seconds"},
	{"encoder.max_seq_length", INT, AT(encoder.max_seq_length), {"0"}, 0, 1 << 24, NULL, NULL, NULL, NULL,
		"refuse more tokens than this; 0 for no limit"},
	{"bridge.tokens", INT, AT(bridge.tokens), {"1"}, 0, 64, NULL, NULL, NULL, NULL,
		"global tokens; 0 for none"},
	{"bridge.sync", CHOICE, AT(bridge.sync), {"end"}, 0, 0, "none|end", "layer", with_bridge,
		"bridge.tokens is 0",
		"when the regions' global tokens are averaged: never, or after the last layer"},
	{"bridge.sync_every", LATER, 0, {"1"}, 0, 0, NULL, NULL, NULL, NULL, "layers between two exchanges"},
	{"gate.type", LATER, 0, {"\"mlp\""}, 0, 0, NULL, NULL, NULL, NULL, "kind of gate"},
	{"gate.combine", LATER, 0, {"\"features\""}, 0, 0, NULL, NULL, NULL, NULL,
		"what the gate's weights mix"},
	{"gate.top_k", LATER, 0, {"0"}, 0, 0, NULL, NULL, NULL, NULL, "regions that count; 0 for all"},
	{"gate.noise_std", LATER, 0, {"0"}, 0, 0, NULL, NULL, NULL, NULL,
		"noise on the gate's logits in training"},
	{"gate.temperature", REAL_NUMBER, AT(gate.temperature), {"1"}, 1e-3, 1e3, NULL, NULL, NULL, NULL,
		"divides the gate's logits before the softmax"},
	{"gate.load_balance_weight", LATER, 0, {"0"}, 0, 0, NULL, NULL, NULL, NULL,
		"weight of a balance loss on the gate"},
	{"moe.layers", LATER, 0, {"\"none\""}, 0, 0, NULL, NULL, NULL, NULL,
		"layers whose feed-forward is a mixture"},
	{"train.optimizer", CHOICE, AT(train.optimizer), {"adamw"}, 0, 0, "adamw", NULL, NULL, NULL,
		"the optimizer"},
	{"train.lr", REAL_NUMBER, AT(train.lr), {"0.002", "0.001"}, 1e-12, 1e3, NULL, NULL, NULL, NULL,
		"learning rate, the schedule's largest"},
	{"train.weight_decay", REAL_NUMBER, AT(train.weight_decay), {"0.05", "0.01"}, 0, 1e3, NULL, NULL,
		NULL, NULL, "decoupled weight decay"},
	{"train.beta1", REAL_NUMBER, AT(train.beta1), {"0.9"}, 0, 0.999999, NULL, NULL, NULL, NULL,
		"decay of the first moment"},
	{"train.beta2", REAL_NUMBER, AT(train.beta2), {"0.999"}, 0, 0.9999999, NULL, NULL, NULL, NULL,
		"decay of the second moment"},
	{"train.eps", REAL_NUMBER, AT(train.eps), {"1e-08"}, 1e-30, 1, NULL, NULL, NULL, NULL,
		"added to the root of the second moment"},
	{"train.epochs", INT, AT(train.epochs), {"30", "10"}, 1, 1000000, NULL, NULL, NULL, NULL,
		"passes over the training windows"},
	{"train.batch_size", INT, AT(train.batch_size), {"32"}, 1, 1 << 20, NULL, NULL, NULL, NULL,
		"windows a step"},
	{"train.schedule", CHOICE, AT(train.schedule), {"cosine", "constant"}, 0, 0,
		"constant|cosine|onecycle|step", NULL, NULL, NULL,
		"course of the learning rate after the warm-up"},
	{"train.warmup_steps", INT, AT(train.warmup_steps), {"20", "0"}, 0, 1 << 30, NULL, NULL, NULL, NULL,
		"steps over which the learning rate rises from 0"},
	{"train.clip_norm", REAL_NUMBER, AT(train.clip_norm), {"1", "0"}, 0, 1e9, NULL, NULL, NULL, NULL,
		"largest norm of the whole gradient; 0 for no clipping"},
	{"train.patience", INT, AT(train.patience), {"8", "10"}, 0, 1000000, NULL, NULL, NULL, NULL,
		"stop after so many epochs without a better validation loss; 0 for never"},
	{"train.class_weight", CHOICE, AT(train.class_weight), {"none"}, 0, 0, "none|balanced", NULL, NULL,
		NULL, "balanced: a class counts inversely to its windows"},
	{"train.label_smoothing", REAL_NUMBER, AT(train.label_smoothing), {"0"}, 0, 0.99, NULL, NULL, NULL,
		NULL, "share of the target that is spread over all classes"},
	{"train.expert_loss_weight", LATER, 0, {"0"}, 0, 0, NULL, NULL, NULL, NULL,
		"weight of the regions' own losses"},
	{"train.scale", CHOICE, AT(train.scale), {"zscore"}, 0, 0, "zscore|none", "ems|window|group", NULL,
		NULL,
		"zscore: each channel by mean and deviation of the training windows, kept in the model"},
	{"train.decay", CHOICE, AT(train.decay), {"matrices", "all"}, 0, 0, "matrices|all", NULL, with_decay,
		"train.weight_decay is 0", "which tensors decay: weight matrices only, or all"},
	{"train.shuffle", BOOL, AT(train.shuffle), {"true"}, 0, 0, NULL, NULL, NULL, NULL,
		"a new order of the windows every epoch"},
	{"train.recompute", LATER, 0, {"\"none\""}, 0, 0, NULL, NULL, NULL, NULL,
		"layers computed again in backward"},
	{"train.prox_mu", LATER, 0, {"0"}, 0, 0, NULL, NULL, NULL, NULL,
		"pull towards the model training starts from"},
	{"train.augment", LATER, 0, {"\"none\""}, 0, 0, NULL, NULL, NULL, NULL,
		"changes made to training windows"},
};

/* Keys below moe. say how a mixture inside the encoder works: known names, without effect while there is none. */
static const char *const moe_keys[] = {"num_experts", "top_k", "router", "route_unit", "slots", "router_dim",
	"scope", "balance_scope", "use_gating_network", "temperature", "load_balance_weight",
	"load_balance_form", "z_loss_weight", "noise_std", "jitter", "capacity_factor",
	"capacity_factor_eval", "capacity_min", "capacity_max", "capacity", "drop_policy", "drop_residual",
	"expert_types", "expert_dropout", "shared_experts", "renormalise", "groups", "top_k_groups",
	"specialisation", "bias", "levels", "top_p", "score", "balance", "kernel"};

enum { KEYS = sizeof keys / sizeof *keys, MOE_KEYS = sizeof moe_keys / sizeof *moe_keys };

static const char *preset_value(const struct key *k, int preset)
{
	return preset && k->preset[1] ? k->preset[1] : k->preset[0];
}

static struct names choices_of(const struct key *k)
{
	struct names l = {0};
	if (k->choices)
		names_split(&l, k->choices, '|');
	else
		for (int i = 0; tokeniser_table[i]; i++)
			names_add(&l, tokeniser_table[i]->name);
	return l;
}

static bool among(const char *list, const char *word)
{
	struct names l = {0};
	if (list)
		names_split(&l, list, '|');
	bool found = names_find(&l, word) >= 0;
	names_free(&l);
	return found;
}

static int set_choice(const struct key *k, int *to, const cJSON *v, const char *what)
{
	if (!cJSON_IsString(v))
		return err_set(EX_CONFIG, "%s: %s is not a word", what, k->name);
	struct names l = choices_of(k);
	int i = names_find(&l, v->valuestring);
	char *list = names_join(&l, "|");
	names_free(&l);
	if (i < 0 && among(k->later, v->valuestring))
		err_set(EX_CONFIG, "%s: %s=%s is not implemented yet; use one of %s", what, k->name,
			v->valuestring, list);
	else if (i < 0)
		err_set(EX_CONFIG, "%s: %s: \"%s\" is none of %s", what, k->name, v->valuestring, list);
	else
		*to = i;
	free(list);
	return i < 0 ? -1 : 0;
}

static int set_edges(const struct key *k, struct config *c, const cJSON *v, const char *what)
{
	int n = 0;
	const cJSON *x;
	if (!cJSON_IsArray(v) || cJSON_GetArraySize(v) < 2 || cJSON_GetArraySize(v) > CONFIG_BANDS)
		return err_set(EX_CONFIG, "%s: %s is not a list of 2 to %d frequencies", what, k->name,
			CONFIG_BANDS);
	cJSON_ArrayForEach(x, v)
	{
		if (!cJSON_IsNumber(x) || x->valuedouble < 0 ||
			(n && x->valuedouble <= c->encoder.bands[n - 1]))
			return err_set(EX_CONFIG, "%s: %s: the edges do not rise", what, k->name);
		c->encoder.bands[n++] = x->valuedouble;
	}
	c->encoder.edges = n;
	return 0;
}

static int set_later(const struct key *k, const cJSON *v, enum config_from from, const char *what)
{
	cJSON *only = cJSON_Parse(k->preset[0]);
	bool same = cJSON_Compare(only, v, 1) ||
		    (!strcmp(k->name, "moe.layers") && cJSON_IsArray(v) && !cJSON_GetArraySize(v));
	cJSON_Delete(only);
	if (same && from <= FROM_MODEL)
		return 0;
	return err_set(EX_CONFIG, "%s: %s is not implemented yet%s%s", what, k->name,
		same ? "" : "; without it the value is ", same ? "" : k->preset[0]);
}

static int set_value(
	struct config *c, const struct key *k, const cJSON *v, enum config_from from, const char *what)
{
	char *to = (char *)c + k->at;
	double x = cJSON_IsNumber(v) ? v->valuedouble : NAN;
	switch (k->kind) {
	case LATER:
		return set_later(k, v, from, what);
	case CHOICE:
		return set_choice(k, (int *)(void *)to, v, what);
	case EDGES:
		return set_edges(k, c, v, what);
	case BOOL:
		if (!cJSON_IsBool(v))
			return err_set(EX_CONFIG, "%s: %s is neither true nor false", what, k->name);
		*(int *)(void *)to = cJSON_IsTrue(v);
		return 0;
	case INT:
	case REAL_NUMBER:
		break;
	}
	if (isnan(x) || (k->kind == INT && x != floor(x)))
		return err_set(
			EX_CONFIG, "%s: %s is not a %snumber", what, k->name, k->kind == INT ? "whole " : "");
	if (!(x >= k->min && x <= k->max))
		return err_set(EX_CONFIG, "%s: %s: %.10g is outside %.10g to %.10g", what, k->name, x, k->min,
			k->max);
	if (k->kind == INT)
		*(int *)(void *)to = (int)x;
	else
		*(double *)(void *)to = x;
	return 0;
}

static int find(const char *name)
{
	for (int i = 0; i < KEYS; i++)
		if (!strcmp(keys[i].name, name))
			return i;
	return -1;
}

static bool is_moe_key(const char *name)
{
	if (text_starts(name, "moe."))
		for (int i = 0; i < MOE_KEYS; i++)
			if (!strcmp(name + 4, moe_keys[i]))
				return true;
	return false;
}

static int unknown(const char *name, const char *what)
{
	const char *list[KEYS];
	for (int i = 0; i < KEYS; i++)
		list[i] = keys[i].name;
	const char *near = text_nearest(name, list, KEYS);
	return err_set(EX_CONFIG, "%s: unknown key %s%s%s", what, name, near ? "; did you mean " : "",
		near ? near : "");
}

static int set(
	struct configuration *c, const char *name, const cJSON *v, enum config_from from, const char *what)
{
	int i = find(name);
	if (i < 0 && is_moe_key(name)) /* moe.layers is none: that one is refused or accepted by itself */
		return from == FROM_MODEL ? 0
					  : err_set(EX_CONFIG,
						    "%s: %s has no effect: mixtures inside the encoder "
						    "(moe.layers) are not implemented yet",
						    what, name);
	if (i < 0)
		return unknown(name, what);
	if (set_value(&c->value, &keys[i], v, from, what))
		return -1;
	c->from[i] = (unsigned char)from;
	return 0;
}

void config_begin(struct configuration *c, int preset)
{
	memset(c, 0, sizeof *c);
	c->from = NEW_ARRAY(unsigned char, KEYS);
	for (int i = 0; i < KEYS; i++) {
		const char *text = preset_value(&keys[i], preset);
		cJSON *v = keys[i].kind == CHOICE ? cJSON_CreateString(text) : cJSON_Parse(text);
		must(v && !set_value(&c->value, &keys[i], v, FROM_PRESET, "preset"));
		cJSON_Delete(v);
	}
	c->value.preset = preset;
}

void config_end(struct configuration *c)
{
	free(c->from);
	c->from = NULL;
}

int config_preset(const char *name, int *preset)
{
	cJSON *v = cJSON_CreateString(name);
	int r = set_choice(&keys[0], preset, v, "--preset");
	cJSON_Delete(v);
	return r;
}

const char *config_preset_name(int preset)
{
	return keys[0].preset[preset];
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
	int p;
	if (preset &&
		c->from[0] == FROM_PRESET) { /* a preset named on the command line goes before the file's */
		r = set_choice(&keys[0], &p, preset, what);
		if (!r && p != c->value.preset) {
			config_end(c);
			config_begin(c, p);
		}
		c->from[0] = (unsigned char)from;
	}
	if (!r)
		r = walk(c, root, "", from, what);
	cJSON_Delete(root);
	return r;
}

int config_set(struct configuration *c, const char *assignment)
{
	const char *equals = strchr(assignment, '=');
	if (!equals || equals == assignment)
		return err_set(EX_USAGE, "--set %s: KEY=VALUE was expected", assignment);
	char *name = mem_text_n(assignment, (size_t)(equals - assignment));
	char *what = mem_format("--set %s", assignment);
	int i = find(name), r;
	cJSON *v = i >= 0 && keys[i].kind == CHOICE ? NULL : json_parse(equals + 1, strlen(equals + 1), what);
	if (!v)
		v = cJSON_CreateString(equals + 1); /* a bare word */
	if (!strcmp(name, "preset"))
		r = err_set(EX_CONFIG, "--set preset: use --preset NAME");
	else
		r = set(c, name, v, FROM_SET, what);
	cJSON_Delete(v);
	free(what);
	free(name);
	return r;
}

int config_check(const struct configuration *c)
{
	const struct config *v = &c->value;
	for (int i = 0; i < KEYS; i++)
		if (c->from[i] >= FROM_FILE && keys[i].matters && !keys[i].matters(v))
			return err_set(EX_CONFIG, "%s has no effect: %s", keys[i].name, keys[i].unless);
	if (v->encoder.hidden_dim % v->encoder.heads)
		return err_set(EX_CONFIG, "encoder.heads: %d does not divide encoder.hidden_dim, %d",
			v->encoder.heads, v->encoder.hidden_dim);
	if (v->encoder.positional == POSITION_SINUSOIDAL && v->encoder.hidden_dim % 2)
		return err_set(EX_CONFIG,
			"encoder.positional=sinusoidal needs an even encoder.hidden_dim, not %d",
			v->encoder.hidden_dim);
	return 0;
}

/* A key of the network's shape, as against how it is trained. */
static bool of_the_network(const struct key *k)
{
	return (text_starts(k->name, "encoder.") || text_starts(k->name, "bridge.") ||
		       text_starts(k->name, "gate.")) &&
	       strcmp(k->name, "encoder.dropout") && k->kind != LATER;
}

static void value_text(const struct key *k, const struct config *c, struct text *t)
{
	const char *at = (const char *)c + k->at;
	switch (k->kind) {
	case INT:
		text_addf(t, "%d", *(const int *)(const void *)at);
		break;
	case REAL_NUMBER:
		json_double(t, *(const double *)(const void *)at);
		break;
	case BOOL:
		text_add(t, *(const int *)(const void *)at ? "true" : "false");
		break;
	case CHOICE: {
		struct names l = choices_of(k);
		json_string(t, l.s[*(const int *)(const void *)at]);
		names_free(&l);
		break;
	}
	case EDGES:
		text_add(t, "[");
		for (int i = 0; i < c->encoder.edges; i++) {
			text_add(t, i ? "," : "");
			json_double(t, c->encoder.bands[i]);
		}
		text_add(t, "]");
		break;
	case LATER:
		text_add(t, k->preset[0]);
		break;
	}
}

int config_fixed_by_model(const struct configuration *c, const struct config *model)
{
	int r = 0;
	for (int i = 0; i < KEYS && !r; i++) {
		if (c->from[i] < FROM_FILE || !of_the_network(&keys[i]))
			continue;
		struct text a = {0}, b = {0};
		value_text(&keys[i], &c->value, &a);
		value_text(&keys[i], model, &b);
		if (strcmp(a.s, b.s))
			r = err_set(EX_CONFIG,
				"%s=%s: the model that is continued (--init) has %s, which stays",
				keys[i].name, a.s, b.s);
		text_free(&a);
		text_free(&b);
	}
	return r;
}

bool config_given(const struct configuration *c, const char *key)
{
	int i = find(key);
	must(i >= 0);
	return c->from[i] >= FROM_FILE;
}

void config_write_json(const struct config *c, struct text *t)
{
	text_addf(t, "{\"preset\":\"%s\"", config_preset_name(c->preset));
	const char *open = "";
	size_t n = 0;
	for (int i = 1; i < KEYS; i++) {
		const char *dot = strchr(keys[i].name, '.');
		if (keys[i].kind == LATER)
			continue;
		size_t m = (size_t)(dot - keys[i].name);
		if (m != n || memcmp(open, keys[i].name, n)) {
			text_addf(t, "%s,\"%.*s\":{", n ? "}" : "", (int)m, keys[i].name);
			open = keys[i].name;
			n = m;
		} else {
			text_add(t, ",");
		}
		text_addf(t, "\"%s\":", dot + 1);
		value_text(&keys[i], c, t);
	}
	text_add(t, "}}");
}

void config_print(const struct configuration *c, struct text *t)
{
	static const char *const from[] = {"preset", "model", "file", "--set"};
	for (int i = 0; i < KEYS; i++) {
		const struct key *k = &keys[i];
		if (k->kind == LATER)
			continue;
		text_addf(t, "%s\t", k->name);
		value_text(k, &c->value, t);
		if (c->from[i] == FROM_PRESET)
			text_addf(t, "\tpreset %s", config_preset_name(c->value.preset));
		else
			text_addf(t, "\t%s", from[c->from[i]]);
		text_addf(t, "%s%s\n", k->matters && !k->matters(&c->value) ? "\tno effect: " : "",
			k->matters && !k->matters(&c->value) ? k->unless : "");
	}
}

void config_print_mdoc(struct text *t)
{
	text_add(t, ".Bl -tag -width Ds\n");
	for (int i = 0; i < KEYS; i++) {
		const struct key *k = &keys[i];
		if (k->kind == LATER)
			continue;
		text_addf(t, ".It Cm %s", k->name);
		if (k->kind == CHOICE) {
			struct names l = choices_of(k);
			char *list = names_join(&l, " | ");
			text_addf(t, " Ns = Ns Ar \"%s\"", list);
			free(list);
			names_free(&l);
		}
		text_addf(t, "\n%c%s", k->help[0] >= 'a' && k->help[0] <= 'z' ? k->help[0] - 32 : k->help[0],
			k->help + 1);
		text_addf(t, ".\n[default %s", preset_value(k, PRESET_DEFAULT));
		if (k->preset[1] && strcmp(k->preset[0], k->preset[1]))
			text_addf(t, "; seed %s", k->preset[1]);
		if (k->min < k->max)
			text_addf(t, "; %.10g to %.10g", k->min, k->max);
		text_add(t, "]\n");
	}
	text_add(t, ".El\n.Pp\nKnown and refused as not implemented yet:\n");
	for (int i = 0; i < KEYS; i++)
		if (keys[i].kind == LATER)
			text_addf(t, ".Cm %s ,\n", keys[i].name);
	text_add(t, "and the other keys below\n.Cm moe .\n");
}
