/* The values of keys, read from JSON: each kind of key with its ranges and its words. */
#include "model/config_keys.h"
#include "model/tokeniser.h"
#include "model/views.h"

#include "base/error.h"
#include "base/json.h"
#include "base/mem.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int set_choice(const struct key *k, int *to, const cJSON *v, const char *what)
{
	if (!cJSON_IsString(v))
		return err_set(EX_CONFIG, "%s: %s is not a word", what, k->name);
	struct names l = key_choices(k);
	int i = names_find(&l, v->valuestring);
	char *list = names_join(&l, "|");
	names_free(&l);
	if (i < 0)
		err_set(EX_CONFIG, "%s: %s: \"%s\" is none of %s", what, k->name, v->valuestring, list);
	else
		*to = i;
	free(list);
	return i < 0 ? -1 : 0;
}

/* Rising edges of bands that touch; or each band's own two. */
static int set_bands(const struct key *k, struct config *c, const cJSON *v, const char *what)
{
	struct bands b = {0};
	const cJSON *x;
	int size = cJSON_IsArray(v) ? cJSON_GetArraySize(v) : 0;
	bool pairs = size && cJSON_IsArray(v->child);
	if (size < (pairs ? 1 : 2) || size > CONFIG_BANDS + !pairs)
		return err_set(EX_CONFIG,
			"%s: %s is neither a list of 2 to %d rising frequencies nor one of 1 to %d pairs",
			what, k->name, CONFIG_BANDS + 1, CONFIG_BANDS);
	double last = -1;
	cJSON_ArrayForEach(x, v)
	{
		const cJSON *low = pairs && cJSON_GetArraySize(x) == 2 ? x->child : NULL,
			    *high = low ? low->next : x;
		if (pairs && low && cJSON_IsNumber(low))
			last = low->valuedouble;
		if (!cJSON_IsNumber(high) || (pairs && (!low || !cJSON_IsNumber(low) || last < 0)) ||
			high->valuedouble < last + (pairs ? 0 : 1e-9) || high->valuedouble < 0 ||
			high->valuedouble > 1e6)
			return err_set(EX_CONFIG, "%s: %s: the edges do not rise, or are no frequencies",
				what, k->name);
		if (last >= 0) {
			b.edge[b.n][0] = last;
			b.edge[b.n++][1] = high->valuedouble;
		}
		last = high->valuedouble;
	}
	c->encoder.bands = b;
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
	*(struct count_list *)(void *)((char *)c + k->at) = l;
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

/* A list of words, or words separated by commas. */
static int set_augment(struct config *c, const cJSON *v, const char *what)
{
	double amount[AUGMENTATIONS] = {0};
	struct names l = {0};
	bool words = cJSON_IsArray(v) || cJSON_IsString(v);
	if (cJSON_IsString(v))
		names_split(&l, v->valuestring, ',');
	for (int i = 0; cJSON_IsArray(v) && i < cJSON_GetArraySize(v); i++) {
		const cJSON *x = cJSON_GetArrayItem(v, i);
		words &= cJSON_IsString(x);
		names_add(&l, words ? x->valuestring : "");
	}
	int r = words ? 0
		      : err_set(EX_CONFIG, "%s: train.augment is not a list of words such as \"noise:0.1\"",
				what);
	for (int i = 0; i < l.n && !r; i++)
		r = augmentation_read(l.s[i], amount, what);
	names_free(&l);
	if (!r)
		memcpy(c->train.augment, amount, sizeof amount);
	return r;
}

/* A list of words, or words separated by commas. */
static int set_views(const struct key *k, struct config *c, const cJSON *v, const char *what)
{
	struct names l = {0}, known = {0};
	bool good = cJSON_IsArray(v) || cJSON_IsString(v);
	int n = 0;
	struct view list[CONFIG_VIEWS] = {0};
	if (cJSON_IsString(v))
		names_split(&l, v->valuestring, ',');
	for (int i = 0; cJSON_IsArray(v) && i < cJSON_GetArraySize(v); i++) {
		const cJSON *x = cJSON_GetArrayItem(v, i);
		names_add(&l, cJSON_IsString(x) ? x->valuestring : "");
	}
	good &= l.n <= CONFIG_VIEWS && !names_duplicate(&l);
	for (; n < l.n && good; n++)
		good = !view_read(l.s[n], &list[n]);
	names_free(&l);
	if (good) {
		c->encoder.views.n = n;
		memcpy(c->encoder.views.list, list, sizeof list);
		return 0;
	}
	for (int i = 0; tokeniser_table[i]; i++)
		names_add(&known, tokeniser_table[i]->name);
	char *tokenisers = names_join(&known, "|");
	err_set(EX_CONFIG,
		"%s: %s is not a list of up to %d different words TOKENISER@PLACE, %s at regions or head",
		what, k->name, CONFIG_VIEWS, tokenisers);
	free(tokenisers);
	names_free(&known);
	return -1;
}

int key_set(struct config *c, const struct key *k, const cJSON *v, const char *what)
{
	char *to = (char *)c + k->at;
	double x = cJSON_IsNumber(v) ? v->valuedouble : NAN;
	switch (k->kind) {
	case CHOICE:
	case HEAD:
		return set_choice(k, (int *)(void *)to, v, what);
	case BANDS:
		return set_bands(k, c, v, what);
	case LAYERS:
		return set_layers(k, c, v, what);
	case COUNTS:
		return set_counts(k, c, v, what);
	case TYPES:
		return set_types(k, c, v, what);
	case AUGMENT:
		return set_augment(c, v, what);
	case VIEWS:
		return set_views(k, c, v, what);
	case BOOL:
		if (!cJSON_IsBool(v))
			return err_set(EX_CONFIG, "%s: %s is neither true nor false", what, k->name);
		*(int *)(void *)to = cJSON_IsTrue(v);
		return 0;
	case INT:
	case WHOLE:
	case REAL_NUMBER:
		break;
	}
	bool whole = k->kind != REAL_NUMBER;
	if (isnan(x) || (whole && x != floor(x)))
		return err_set(EX_CONFIG, "%s: %s is not a %snumber", what, k->name, whole ? "whole " : "");
	if (!(x >= k->min && x <= k->max))
		return err_set(EX_CONFIG, "%s: %s: %.10g is outside %.10g to %.10g", what, k->name, x, k->min,
			k->max);
	if (k->kind == INT)
		*(int *)(void *)to = (int)x;
	else
		*(double *)(void *)to = x;
	return 0;
}
