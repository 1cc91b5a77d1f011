/* A report as exact counts in JSON, and back.
 *
 *     {"format":"usage/1","windows":N,"regions":[...],"classes":[...],"groups":[...],"sites":[
 *       {"region":-1,"layer":-1,"experts":K,"k":1,"all":COUNTS,"by_class":[COUNTS,...],"by_group":[COUNTS,...]},...]}
 *       the sites also have "window":{"class":[n],"group":[n],"count":[nE]}, window by window, class -1 = unlabelled
 *     COUNTS = {"tokens":N,"dropped":n,"served":[k+1],"count":[E],"pair":[E*E],"importance":[2E],"weight":[2E],"square":[2E],
 *               "entropy":[2],"margin":[2],"largest":[2],"smallest":[2],"limited":n,"filled":n,"room":[E],"weight_range":[least,most] or []}
 *
 * Sums are pairs: a whole number and 2^-52ths, so that they are read back exactly.
 */
#include "base/error.h"
#include "base/json.h"
#include "base/mem.h"
#include "analysis/report.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* --- writing */

static void add_integers(struct text *t, const char *key, const int64_t *x, int64_t n)
{
	text_addf(t, ",\"%s\":[", key);
	for (int64_t i = 0; i < n; i++)
		text_addf(t, "%s%lld", i ? "," : "", (long long)x[i]);
	text_add(t, "]");
}

static void add_sums(struct text *t, const char *key, const struct exact *e, int n)
{
	text_addf(t, ",\"%s\":[", key);
	for (int i = 0; i < n; i++)
		text_addf(t, "%s%lld,%lld", i ? "," : "", (long long)e[i].whole, (long long)e[i].part);
	text_add(t, "]");
}

static void add_counts(struct text *t, const struct usage *u)
{
	text_addf(t, "{\"tokens\":%lld,\"dropped\":%lld,\"limited\":%lld,\"filled\":%lld",
		(long long)u->tokens, (long long)u->dropped, (long long)u->limited, (long long)u->filled);
	add_integers(t, "room", u->room, u->experts);
	add_integers(t, "served", u->served, u->k + 1);
	add_integers(t, "count", u->count, u->experts);
	add_integers(t, "pair", u->pair, (int64_t)u->experts * u->experts);
	add_sums(t, "importance", u->importance, u->experts);
	add_sums(t, "weight", u->weight, u->experts);
	add_sums(t, "square", u->square, u->experts);
	add_sums(t, "entropy", &u->entropy, 1);
	add_sums(t, "margin", &u->margin, 1);
	add_sums(t, "largest", &u->largest, 1);
	add_sums(t, "smallest", &u->smallest, 1);
	text_add(t, ",\"weight_range\":[");
	if (u->weight_min <= u->weight_max)
		text_addf(t, "%.9g,%.9g", (double)u->weight_min, (double)u->weight_max);
	text_add(t, "]}");
}

static void add_windows(struct text *t, const struct report_site *s)
{
	const struct report_windows *w = &s->window;
	text_add(t, ",\"window\":{\"class\":[");
	for (int64_t i = 0; i < w->n; i++)
		text_addf(t, "%s%d", i ? "," : "", w->class[i]);
	text_add(t, "],\"group\":[");
	for (int64_t i = 0; i < w->n; i++)
		text_addf(t, "%s%d", i ? "," : "", w->group[i]);
	text_add(t, "],\"count\":[");
	for (int64_t i = 0; i < w->n * s->all.experts; i++)
		text_addf(t, "%s%d", i ? "," : "", (int)w->count[i]);
	text_add(t, "]}");
}

void report_raw(const struct report *r, struct text *t)
{
	text_addf(t, "{\"format\":\"usage/1\",\"windows\":%lld,\"regions\":", (long long)r->windows);
	json_list(t, &r->regions);
	text_add(t, ",\"classes\":");
	json_list(t, &r->classes);
	text_add(t, ",\"groups\":");
	json_list(t, &r->groups);
	text_add(t, ",\"sites\":[");
	for (int i = 0; i < r->sites; i++) {
		const struct report_site *s = &r->site[i];
		text_addf(t, "%s\n{\"region\":%d,\"layer\":%d,\"experts\":%d,\"k\":%d,\"all\":", i ? "," : "",
			s->region, s->layer, s->all.experts, s->all.k);
		add_counts(t, &s->all);
		text_add(t, ",\"by_class\":[");
		for (int j = 0; j < s->classes; j++) {
			text_add(t, j ? "," : "");
			add_counts(t, &s->by_class[j]);
		}
		text_add(t, "],\"by_group\":[");
		for (int j = 0; j < s->groups; j++) {
			text_add(t, j ? "," : "");
			add_counts(t, &s->by_group[j]);
		}
		text_add(t, "]");
		add_windows(t, s);
		text_add(t, "}");
	}
	text_add(t, "]}\n");
}

/* --- reading. `name` is the file, for messages. */

/* A whole number of JSON within least .. most; false otherwise. */
static bool is_whole(const cJSON *x, double least, double most, int64_t *out)
{
	if (!cJSON_IsNumber(x) || !(x->valuedouble >= least && x->valuedouble <= most) ||
		x->valuedouble != (double)(int64_t)x->valuedouble)
		return false;
	*out = (int64_t)x->valuedouble;
	return true;
}

static const double most = 0x1p53;

/* A list of exactly n whole numbers from 0. x [n] */
static int need_integers(const cJSON *object, const char *key, int64_t *x, int64_t n, const char *name)
{
	const cJSON *list = json_get(object, key), *item;
	int64_t i = 0;
	bool fine = cJSON_IsArray(list) && cJSON_GetArraySize(list) == n;
	if (fine)
		cJSON_ArrayForEach(item, list) fine &= is_whole(item, 0, most, &x[i++]);
	return fine ? 0
		    : err_set(EX_DATAERR, "%s: \"%s\" is not a list of %lld whole numbers", name, key,
			      (long long)n);
}

static int need_sums(const cJSON *object, const char *key, struct exact *e, int n, const char *name)
{
	int64_t *x = NEW_ARRAY(int64_t, 2 * n);
	int r = need_integers(object, key, x, 2 * n, name);
	for (int i = 0; i < n && !r; i++) {
		e[i] = (struct exact){x[2 * i], x[2 * i + 1]};
		if (e[i].part >= (int64_t)1 << 52)
			r = err_set(EX_DATAERR, "%s: \"%s\": a sum whose second number is not below 2^52",
				name, key);
	}
	free(x);
	return r;
}

static int need_whole(
	const cJSON *object, const char *key, int least, int64_t limit, int64_t *out, const char *name)
{
	return is_whole(json_get(object, key), least, (double)limit, out)
		       ? 0
		       : err_set(EX_DATAERR, "%s: \"%s\" is not a whole number of at least %d", name, key,
				 least);
}

/* Nothing, or two numbers from 0, the first not above the second. */
static int need_range(const cJSON *object, struct usage *u, const char *name)
{
	const cJSON *list = json_get(object, "weight_range"), *least = list ? list->child : NULL,
		    *greatest = least ? least->next : NULL;
	if (cJSON_IsArray(list) && !least)
		return 0;
	if (!cJSON_IsArray(list) || cJSON_GetArraySize(list) != 2 || !cJSON_IsNumber(least) ||
		!cJSON_IsNumber(greatest) || !(least->valuedouble >= 0) || !(greatest->valuedouble < 1e30) ||
		least->valuedouble > greatest->valuedouble)
		return err_set(EX_DATAERR,
			"%s: \"weight_range\" is not a list of a least and a greatest weight", name);
	u->weight_min = (float)least->valuedouble;
	u->weight_max = (float)greatest->valuedouble;
	return 0;
}

static int merge_counts(struct usage *into, const cJSON *from, const char *name)
{
	struct usage u;
	usage_new(&u, into->experts, into->k);
	int r = need_whole(from, "tokens", 0, (int64_t)most, &u.tokens, name) ||
				need_whole(from, "dropped", 0, (int64_t)most, &u.dropped, name) ||
				need_whole(from, "limited", 0, (int64_t)most, &u.limited, name) ||
				need_whole(from, "filled", 0, (int64_t)most, &u.filled, name) ||
				need_integers(from, "room", u.room, u.experts, name) ||
				need_integers(from, "served", u.served, u.k + 1, name) ||
				need_integers(from, "count", u.count, u.experts, name) ||
				need_integers(from, "pair", u.pair, (int64_t)u.experts * u.experts, name) ||
				need_sums(from, "importance", u.importance, u.experts, name) ||
				need_sums(from, "weight", u.weight, u.experts, name) ||
				need_sums(from, "square", u.square, u.experts, name) ||
				need_sums(from, "entropy", &u.entropy, 1, name) ||
				need_sums(from, "margin", &u.margin, 1, name) ||
				need_sums(from, "largest", &u.largest, 1, name) ||
				need_sums(from, "smallest", &u.smallest, 1, name) ||
				need_range(from, &u, name)
			? -1
			: 0;
	if (!r)
		usage_merge(into, &u);
	usage_free(&u);
	return r;
}

/* The next number of a list, which moves on to the one behind it. */
static bool take_whole(const cJSON **item, double least, double limit, int64_t *out)
{
	const cJSON *x = *item;
	*item = x ? x->next : NULL;
	return x && is_whole(x, least, limit, out);
}

/* Window by window; groups and classes are those of the file. */
static int merge_windows(struct report *r, struct report_site *s, const cJSON *from,
	const struct names *classes, const struct names *groups, const char *name)
{
	const cJSON *class = json_get(from, "class"), *group = json_get(from, "group"),
		    *count = json_get(from, "count");
	int n = cJSON_GetArraySize(class), E = s->all.experts;
	bool fine = cJSON_IsArray(class) && cJSON_IsArray(group) && cJSON_IsArray(count) &&
		    cJSON_GetArraySize(group) == n && cJSON_GetArraySize(count) == (double)n * E;
	const cJSON *c = fine ? class->child : NULL, *g = fine ? group->child : NULL,
		    *x = fine ? count->child : NULL;
	for (int i = 0; i < n && fine; i++) {
		int64_t of_class = 0, of_group = 0, assigned = 0;
		fine = take_whole(&c, -1, classes->n - 1, &of_class) &&
		       take_whole(&g, 0, groups->n - 1, &of_group);
		if (!fine)
			break;
		int32_t *to =
			report_window(s, of_class < 0 ? -1 : names_intern(&r->classes, classes->s[of_class]),
				names_intern(&r->groups, groups->s[of_group]));
		for (int e = 0; e < E && fine; e++) {
			fine = take_whole(&x, 0, INT_MAX, &assigned);
			to[e] = (int32_t)assigned;
		}
	}
	return fine ? 0 : err_set(EX_DATAERR, "%s: \"window\" does not hold the counts of windows", name);
}

static int merge_split(struct report_site *s, const cJSON *list, const struct names *from, struct names *to,
	struct usage *(*pick)(struct report_site *, int), const char *name)
{
	const cJSON *item;
	int i = 0;
	if (!cJSON_IsArray(list) || cJSON_GetArraySize(list) > from->n)
		return err_set(EX_DATAERR,
			"%s: \"by_class\" and \"by_group\" are not lists for the names above", name);
	cJSON_ArrayForEach(
		item, list) if (merge_counts(pick(s, names_intern(to, from->s[i++])), item, name)) return -1;
	return 0;
}

static int merge_site(struct report *r, const cJSON *from, const struct names *classes,
	const struct names *groups, const char *name)
{
	int64_t region = 0, layer = 0, experts = 0, k = 0;
	if (need_whole(from, "region", -1, r->regions.n - 1, &region, name) ||
		need_whole(from, "layer", -1, INT_MAX / 4, &layer, name) ||
		need_whole(from, "experts", 1, 20000, &experts, name) ||
		need_whole(from, "k", 1, experts, &k, name))
		return -1;
	if (region < 0 && (experts != r->regions.n || k != 1))
		return err_set(EX_DATAERR, "%s: the gate has %lld weights for %d regions", name,
			(long long)experts, r->regions.n);
	if ((region < 0) != (layer < 0))
		return err_set(EX_DATAERR, "%s: region %lld, layer %lld: only the gate is -1, -1", name,
			(long long)region, (long long)layer);
	const cJSON *pair = json_get(json_get(from, "all"), "pair"); /* before memory is taken for as many */
	if (cJSON_GetArraySize(pair) != experts * experts)
		return err_set(EX_DATAERR, "%s: \"pair\" is not a list of %lld whole numbers", name,
			(long long)(experts * experts));
	struct report_site *s = report_site(r, (int)region, (int)layer, (int)experts, (int)k, name);
	if (!s || merge_counts(&s->all, json_get(from, "all"), name))
		return -1;
	return merge_windows(r, s, json_get(from, "window"), classes, groups, name) ||
			       merge_split(s, json_get(from, "by_class"), classes, &r->classes, report_class,
				       name) ||
			       merge_split(
				       s, json_get(from, "by_group"), groups, &r->groups, report_group, name)
		       ? -1
		       : 0;
}

static int need_names(const cJSON *object, const char *key, struct names *out, const char *name)
{
	const cJSON *list = json_get(object, key), *item;
	bool fine = cJSON_IsArray(list);
	cJSON_ArrayForEach(item, list)
	{
		fine &= cJSON_IsString(item) != 0;
		if (fine)
			names_add(out, item->valuestring);
	}
	return fine && !(strcmp(key, "regions") && names_duplicate(out))
		       ? 0
		       : err_set(EX_DATAERR, "%s: \"%s\" is not a list of different names", name, key);
}

static int merge_all(struct report *r, const cJSON *raw, struct names list[3], const char *name)
{
	const cJSON *format = json_get(raw, "format"), *sites = json_get(raw, "sites"), *item;
	int64_t windows = 0;
	if (!cJSON_IsString(format) || strcmp(format->valuestring, "usage/1"))
		return err_set(
			EX_DATAERR, "%s: not counts of moe-stats --raw (\"format\" is not usage/1)", name);
	if (need_names(raw, "regions", &list[0], name) || need_names(raw, "classes", &list[1], name) ||
		need_names(raw, "groups", &list[2], name) || report_regions(r, &list[0], name) ||
		need_whole(raw, "windows", 0, (int64_t)most, &windows, name))
		return -1;
	if (!cJSON_IsArray(sites) || !list[0].n || !sites->child ||
		!cJSON_IsNumber(json_get(sites->child, "region")) ||
		json_get(sites->child, "region")->valuedouble != -1)
		return err_set(EX_DATAERR, "%s: \"sites\" does not begin with the gate", name);
	for (int i = 0; i < list[1].n; i++) /* in the order of the first file, also those without a window */
		names_intern(&r->classes, list[1].s[i]);
	for (int i = 0; i < list[2].n; i++)
		names_intern(&r->groups, list[2].s[i]);
	r->windows += windows;
	cJSON_ArrayForEach(item, sites) if (merge_site(r, item, &list[1], &list[2], name)) return -1;
	return 0;
}

int report_merge(struct report *r, const cJSON *raw, const char *name)
{
	struct names list[3] = {{0}};
	int failed = merge_all(r, raw, list, name);
	for (int i = 0; i < 3; i++)
		names_free(&list[i]);
	return failed;
}
