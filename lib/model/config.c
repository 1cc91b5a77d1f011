#include "model/config_keys.h"

#include "base/error.h"
#include "base/mem.h"
#include "io/input.h"
#include "moe/capacity.h"
#include "moe/rebalance.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
	struct names l = key_choices(k);
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

static int bad_layers(const struct key *k, const char *what)
{
	return err_set(EX_CONFIG,
		"%s: %s is none of none, all, every:N, or a list of up to %d rising indices", what, k->name,
		CONFIG_LISTED);
}

static int set_layers(const struct key *k, struct config *c, const cJSON *v, const char *what)
{
	struct layer_set s = {LAYERS_LISTED, 0, {0}};
	const cJSON *x;
	int end = 0;
	if (cJSON_IsString(v) && !strcmp(v->valuestring, "none")) {
		s.kind = LAYERS_NONE;
	} else if (cJSON_IsString(v) && !strcmp(v->valuestring, "all")) {
		s.kind = LAYERS_ALL;
	} else if (cJSON_IsString(v)) {
		s.kind = LAYERS_EVERY;
		if (sscanf(v->valuestring, "every:%d%n", &s.list[0], &end) != 1 || v->valuestring[end] ||
			s.list[0] < 1)
			return bad_layers(k, what);
	} else if (!cJSON_IsArray(v) || cJSON_GetArraySize(v) > CONFIG_LISTED) {
		return bad_layers(k, what);
	} else {
		cJSON_ArrayForEach(x, v)
		{
			double d = cJSON_IsNumber(x) ? x->valuedouble : -1;
			if (d < 0 || d > 255 || d != floor(d) || (s.n && d <= s.list[s.n - 1]))
				return bad_layers(k, what);
			s.list[s.n++] = (int)d;
		}
		s.kind = s.n ? LAYERS_LISTED : LAYERS_NONE;
	}
	c->moe.layers = s;
	return 0;
}

/* A number, or a list of them. */
static int set_counts(const struct key *k, struct config *c, const cJSON *v, const char *what)
{
	struct count_list l = {0};
	int n = cJSON_IsArray(v) ? cJSON_GetArraySize(v) : 1;
	for (int i = 0; i < n && n <= CONFIG_LISTED; i++) {
		const cJSON *x = cJSON_IsArray(v) ? cJSON_GetArrayItem(v, i) : v;
		double d = cJSON_IsNumber(x) ? x->valuedouble : NAN;
		if (!(d >= k->min && d <= k->max) || d != floor(d))
			n = 0;
		else
			l.list[l.n++] = (int)d;
	}
	if (!l.n || l.n != n)
		return err_set(EX_CONFIG,
			"%s: %s is neither a whole number from %.10g to %.10g nor a list of such", what,
			k->name, k->min, k->max);
	c->moe.num_experts = l;
	return 0;
}

/* "NAME*COUNT", or the name alone (count 0); -1 when it is neither. */
static int read_type(const char *text, int *type, int *count)
{
	size_t n = strcspn(text, "*");
	int end = 0;
	*count = 0;
	if (text[n] && (sscanf(text + n, "*%d%n", count, &end) != 1 || text[n + (size_t)end] || *count < 1 ||
			       *count > 1024))
		return -1;
	for (*type = 0; expert_table[*type]; ++*type)
		if (strlen(expert_table[*type]->name) == n && !memcmp(expert_table[*type]->name, text, n))
			return 0;
	return -1;
}

static int set_types(const struct key *k, struct config *c, const cJSON *v, const char *what)
{
	struct expert_types t = {0};
	int n = cJSON_IsArray(v) ? cJSON_GetArraySize(v) : 1;
	bool good = n <= EXPERT_KINDS;
	for (int i = 0; i < n && good; i++) {
		const cJSON *x = cJSON_IsArray(v) ? cJSON_GetArrayItem(v, i) : v;
		good = cJSON_IsString(x) && !read_type(x->valuestring, &t.type[i], &t.count[i]) &&
		       (n == 1 || t.count[i]);
		for (int j = 0; j < i && good; j++)
			good = t.type[j] != t.type[i];
	}
	if (good) {
		t.n = n;
		c->moe.expert_types = t;
		return 0;
	}
	struct names known = {0};
	for (int i = 0; expert_table[i]; i++)
		names_add(&known, expert_table[i]->name);
	char *list = names_join(&known, ", ");
	err_set(EX_CONFIG, "%s: %s is not a list of \"TYPE*NUMBER\", each type once; types are %s", what,
		k->name, list);
	free(list);
	names_free(&known);
	return -1;
}

int config_experts(const struct config *c, int l)
{
	const struct expert_types *t = &c->moe.expert_types;
	int sum = 0, before = 0;
	for (int i = 0; i < t->n; i++)
		sum += t->count[i];
	for (int i = 0; i < l; i++)
		before += config_mixture(c, i);
	return sum ? sum : c->moe.num_experts.list[before < c->moe.num_experts.n ? before : 0];
}

const char *config_router(const struct config *c)
{
	return c->moe.use_gating_network ? router_table[c->moe.router]->name : "random";
}

bool config_conditioned(const struct config *c)
{
	return config_mixtures(c) && !strcmp(config_router(c), "condition");
}

int config_balance(const struct config *c)
{
	const char *router = config_router(c);
	bool can = !strcmp(router, "topk") || !strcmp(router, "noisy_topk") || !strcmp(router, "cosine") ||
		   !strcmp(router, "condition");
	return can ? c->moe.balance : BALANCE_BY_LOSS;
}

double config_balance_weight(const struct config *c)
{
	return config_balance(c) == BALANCE_BY_LOSS ? c->moe.load_balance_weight : 0;
}

bool config_mixture(const struct config *c, int l)
{
	const struct layer_set *s = &c->moe.layers;
	if (s->kind == LAYERS_EVERY)
		return l % s->list[0] == s->list[0] - 1;
	for (int i = 0; s->kind == LAYERS_LISTED && i < s->n; i++)
		if (s->list[i] == l)
			return true;
	return s->kind == LAYERS_ALL;
}

bool config_mixtures(const struct config *c)
{
	bool any = false;
	for (int l = 0; l < c->encoder.layers; l++)
		any |= config_mixture(c, l);
	return any;
}

static int set_later(const struct key *k, const cJSON *v, enum config_from from, const char *what)
{
	cJSON *only = cJSON_Parse(k->value);
	bool same = cJSON_Compare(only, v, 1);
	cJSON_Delete(only);
	if (from <= FROM_MODEL && same)
		return 0;
	return err_set(EX_CONFIG, "%s: %s is not implemented yet%s%s", what, k->name,
		same ? "" : "; without it the value is ", same ? "" : k->value);
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
	case LAYERS:
		return set_layers(k, c, v, what);
	case COUNTS:
		return set_counts(k, c, v, what);
	case TYPES:
		return set_types(k, c, v, what);
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
	for (int i = 0; i < config_key_count; i++)
		if (!strcmp(config_keys[i].name, name))
			return i;
	return -1;
}

static int unknown(const char *name, const char *what)
{
	const char **list = NEW_ARRAY(const char *, config_key_count);
	for (int i = 0; i < config_key_count; i++)
		list[i] = config_keys[i].name;
	const char *near = text_nearest(name, list, config_key_count);
	err_set(EX_CONFIG, "%s: unknown key %s%s%s", what, name, near ? "; did you mean " : "",
		near ? near : "");
	free(list);
	return -1;
}

static int set(
	struct configuration *c, const char *name, const cJSON *v, enum config_from from, const char *what)
{
	int i = find(name);
	if (i < 0)
		return unknown(name, what);
	if (set_value(&c->value, &config_keys[i], v, from, what))
		return -1;
	c->from[i] = (unsigned char)from;
	return 0;
}

/* KEY=VALUE; where the VALUE is not JSON it is a bare word. */
static int assign(struct configuration *c, const char *assignment, enum config_from from, const char *what)
{
	const char *equals = strchr(assignment, '=');
	char *name = mem_text_n(assignment, (size_t)(equals - assignment));
	int i = find(name), r;
	cJSON *v = i >= 0 && config_keys[i].kind == CHOICE ? NULL
							   : json_parse(equals + 1, strlen(equals + 1), what);
	if (!v)
		v = cJSON_CreateString(equals + 1);
	r = set(c, name, v, from, what);
	cJSON_Delete(v);
	free(name);
	return r;
}

void config_begin(struct configuration *c, int preset)
{
	memset(c, 0, sizeof *c);
	c->from = NEW_ARRAY(unsigned char, config_key_count);
	for (int i = 0; i < config_key_count; i++) {
		const char *text = config_keys[i].value;
		cJSON *v = config_keys[i].kind == CHOICE ? cJSON_CreateString(text) : cJSON_Parse(text);
		must(v && !set_value(&c->value, &config_keys[i], v, FROM_PRESET, "default"));
		cJSON_Delete(v);
	}
	const struct preset *p = &preset_table[preset];
	for (int list = 0; list < 2 && p->set[list]; list++)
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
	cJSON *v = cJSON_CreateString(name);
	int r = set_choice(&config_keys[0], preset, v, "--preset");
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
	int p;
	if (preset)
		r = set_choice(&config_keys[0], &p, preset, what);
	if (preset && !r &&
		c->from[0] == FROM_PRESET) { /* one named on the command line goes before the file's */
		if (p != c->value.preset) {
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
		       text_starts(k->name, "gate.") || text_starts(k->name, "moe.")) &&
	       !among("encoder.dropout|gate.noise_std|gate.load_balance_weight|moe.load_balance_weight|moe."
		      "load_balance_form|moe.z_loss_weight|"
		      "moe.noise_std|moe.capacity_factor|moe.capacity_factor_eval|moe.capacity_min|"
		      "moe.capacity_max|moe.capacity_ema|moe.balance_rate|moe.condition_unknown|moe.jitter|"
		      "moe.expert_dropout|moe."
		      "drop_policy|moe."
		      "drop_residual|moe."
		      "drop_renormalise",
		       k->name) &&
	       k->kind != LATER;
}

int config_fixed_by_model(const struct configuration *c, const struct config *model)
{
	int r = 0;
	bool unknown = model->moe.condition_unknown > 0;
	if (config_given(c, "moe.condition_unknown") && (c->value.moe.condition_unknown > 0) != unknown)
		return err_set(EX_CONFIG,
			"moe.condition_unknown=%g: the model that is continued (--init) has %s embedding for "
			"unknown "
			"ones, which stays so",
			c->value.moe.condition_unknown, unknown ? "an" : "no");
	for (int i = 0; i < config_key_count && !r; i++) {
		if (c->from[i] < FROM_FILE || !of_the_network(&config_keys[i]))
			continue;
		struct text a = {0}, b = {0};
		key_value(&config_keys[i], &c->value, &a);
		key_value(&config_keys[i], model, &b);
		if (strcmp(a.s, b.s))
			r = err_set(EX_CONFIG,
				"%s=%s: the model that is continued (--init) has %s, which stays",
				config_keys[i].name, a.s, b.s);
		text_free(&a);
		text_free(&b);
	}
	return r;
}

int config_check_effect(const struct configuration *c, int K, int n)
{
	static const char *const between[] = {"bridge.sync", "bridge.sync_every", "gate.type", "gate.combine",
		"gate.top_k", "gate.noise_std", "gate.temperature", "gate.load_balance_weight"};
	int top_k = c->value.gate.top_k;
	for (size_t i = 0; i < sizeof between / sizeof *between && K == 1; i++)
		if (config_given(c, between[i])) /* nothing to weigh: its weight is 1 */
			return err_set(EX_CONFIG, "%s has no effect: there is one region", between[i]);
	if (top_k >= K && config_given(c, "gate.top_k"))
		return err_set(EX_CONFIG, "gate.top_k=%d has no effect: there are %d regions", top_k, K);
	if (c->value.encoder.pool == POOL_ATTENTION && n == 1 && config_given(c, "encoder.pool"))
		return err_set(EX_CONFIG, "encoder.pool=attention has no effect: a window is one token");
	return 0;
}

bool config_given(const struct configuration *c, const char *key)
{
	int i = find(key);
	must(i >= 0);
	return c->from[i] >= FROM_FILE;
}
