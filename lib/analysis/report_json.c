/* A report as JSON, and as a table. */
#include "analysis/report.h"

#include "base/json.h"
#include "base/mem.h"
#include "score/metrics.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static void add_number(struct text *t, const char *key, double x)
{
	text_addf(t, ",\"%s\":", key);
	json_float(t, x);
}

static void add_numbers(struct text *t, const char *key, const double *x, int n)
{
	text_addf(t, ",\"%s\":[", key);
	for (int i = 0; i < n; i++) {
		text_add(t, i ? "," : "");
		json_float(t, x[i]);
	}
	text_add(t, "]");
}

/* The members of a usage, without the braces; for the gate also which region weighs most (gate =
 * names, or NULL). */
static void add_usage(struct text *t, const struct usage *u, const struct names *gate)
{
	struct usage_metrics f = usage_metrics(u);
	int E = u->experts;
	text_addf(t, "\"tokens\":%lld", (long long)u->tokens);
	if (gate) {
		text_add(t, ",\"largest\":");
		if (u->tokens)
			json_string(t, gate->s[metrics_likeliest(f.importance, E)]);
		else
			text_add(t, "null");
	}
	add_numbers(t, "share", f.fraction, E);
	add_numbers(t, "importance", f.importance, E);
	add_numbers(t, "importance_deviation", f.importance_deviation, E);
	add_numbers(t, "average_weight", f.average_weight, E);
	add_number(t, "entropy", f.entropy);
	add_number(t, "entropy_normalised", f.entropy_normalised);
	add_number(t, "cv", f.cv);
	add_number(t, "max_over_mean", f.max_over_mean);
	add_number(t, "max_over_min", f.max_over_min);
	add_number(t, "max_probability", f.max_probability);
	add_number(t, "min_probability", f.min_probability);
	text_add(t, ",\"coselection\":[");
	for (int i = 0; i < E; i++)
		for (int j = 0; j < E; j++)
			text_addf(t, "%s%lld%s",
				j   ? ","
				: i ? ",["
				    : "[",
				(long long)u->pair[(int64_t)i * E + j], j == E - 1 ? "]" : "");
	text_add(t, "]");
	add_number(t, "overflow", f.overflow);
	add_number(t, "margin", f.margin);
	add_number(t, "unrouted", f.unrouted);
	text_addf(t, ",\"fewest_experts\":%d,\"most_experts\":%d", f.fewest, f.most);
	add_numbers(t, "at_least", f.at_least, u->k);
	add_number(t, "weight_min", f.weight_min);
	add_number(t, "weight_max", f.weight_max);
	add_numbers(t, "capacity", f.capacity, E);
	add_number(t, "capacity_utilisation", f.capacity_utilisation);
	usage_metrics_free(&f);
}

/* "key":{name:{...},...} of what was met; an empty usage stands for a name without a window here
 * and is left out. */
static void add_split(struct text *t, const char *key, const struct usage *u, int n,
	const struct names *names, const struct names *gate)
{
	bool first = true;
	text_addf(t, ",\"%s\":{", key);
	for (int i = 0; i < n; i++) {
		if (!u[i].tokens)
			continue;
		text_add(t, first ? "" : ",");
		json_string(t, names->s[i]);
		text_add(t, ":{");
		add_usage(t, &u[i], gate);
		text_add(t, "}");
		first = false;
	}
	text_add(t, "}");
}

static void add_tests(struct text *t, const struct report_tests *x, int E)
{
	static const char *const words[] = {"null", "\"neither\"", "\"class\"", "\"group\"", "\"both\""};
	bool first = true;
	add_numbers(t, "specialisation", x->class.specialisation, E);
	add_numbers(t, "specialisation_p", x->class.p, E);
	add_number(t, "information", x->class.information);
	add_number(t, "information_p", x->class.information_p);
	add_numbers(t, "group_specialisation", x->group.specialisation, E);
	add_numbers(t, "group_specialisation_p", x->group.p, E);
	add_number(t, "group_information", x->group.information);
	add_number(t, "group_information_p", x->group.information_p);
	text_add(t, ",\"knows\":[");
	for (int e = 0; e < E; e++)
		text_addf(t, "%s%s", e ? "," : "", words[x->depends[e]]);
	text_add(t, "],\"flagged\":[");
	for (int e = 0; e < E; e++)
		if (x->depends[e] == DEPENDS_GROUP) {
			text_addf(t, "%s%d", first ? "" : ",", e);
			first = false;
		}
	text_add(t, "]");
}

static void add_site(const struct report *r, const struct report_site *s, struct text *t)
{
	const struct names *gate = s->region < 0 ? &r->regions : NULL;
	if (gate) {
		text_add(t, "{\"regions\":");
		json_list(t, &r->regions);
	} else {
		text_addf(t, "{\"region\":%d,\"name\":", s->region);
		json_string(t, r->regions.s[s->region]);
		text_addf(t, ",\"layer\":%d,\"experts\":%d,\"k\":%d", s->layer, s->all.experts, s->all.k);
	}
	text_add(t, ",");
	add_usage(t, &s->all, gate);
	struct report_tests x = report_tests(r, s);
	add_tests(t, &x, s->all.experts);
	report_tests_free(&x);
	add_split(t, "by_class", s->by_class, s->classes, &r->classes, gate);
	add_split(t, "by_group", s->by_group, s->groups, &r->groups, gate);
	text_add(t, "}");
}

static int compare_sites(const void *a, const void *b)
{
	const struct report_site *x = *(const struct report_site *const *)a,
				 *y = *(const struct report_site *const *)b;
	return x->region != y->region ? (x->region > y->region) - (x->region < y->region)
				      : (x->layer > y->layer) - (x->layer < y->layer);
}

const struct report_site **report_in_order(const struct report *r)
{
	const struct report_site **s = NEW_ARRAY(const struct report_site *, r->sites);
	for (int i = 0; i < r->sites; i++)
		s[i] = &r->site[i];
	if (r->sites)
		qsort(s, (size_t)r->sites, sizeof *s, compare_sites);
	return s;
}

/* The statistics of the gate for a region, and the means over its layers. */
static void add_region(const struct report *r, const struct report_site *const *s,
	const struct usage_metrics *gate, int k, struct text *t)
{
	static const char *const names[] = {
		"entropy_normalised", "cv", "max_over_mean", "overflow", "margin", "unrouted"};
	double sum[6] = {0};
	int n = 0;
	for (int i = 1; i < r->sites; i++) {
		if (s[i]->region != k)
			continue;
		struct usage_metrics f = usage_metrics(&s[i]->all);
		const double x[] = {
			f.entropy_normalised, f.cv, f.max_over_mean, f.overflow, f.margin, f.unrouted};
		for (int j = 0; j < 6; j++)
			sum[j] += x[j];
		usage_metrics_free(&f);
		n++;
	}
	text_addf(t, "%s{\"region\":%d,\"name\":", k ? "," : "", k);
	json_string(t, r->regions.s[k]);
	add_number(t, "share", gate->fraction[k]);
	add_number(t, "importance", gate->importance[k]);
	text_addf(t, ",\"layers\":%d", n);
	for (int j = 0; j < 6 && n; j++)
		add_number(t, names[j], sum[j] / n);
	text_add(t, "}");
}

static void add_regions(const struct report *r, const struct report_site *const *s, struct text *t)
{
	struct usage_metrics gate = usage_metrics(&s[0]->all);
	text_add(t, "],\"by_region\":[");
	for (int k = 0; k < r->regions.n; k++)
		add_region(r, s, &gate, k, t);
	usage_metrics_free(&gate);
}

void report_json(const struct report *r, struct text *t)
{
	const struct report_site **s = report_in_order(r);
	text_addf(t,
		"{\"windows\":%lld,\"permutations\":%d,\"seed\":\"%llu\",\"gate\":", (long long)r->windows,
		r->permutations, (unsigned long long)r->seed);
	for (int i = 0; i < r->sites; i++) {
		text_add(t, i == 1 ? ",\"layers\":[" : i ? "," : "");
		add_site(r, s[i], t);
	}
	text_add(t, r->sites > 1 ? "" : ",\"layers\":[");
	add_regions(r, s, t);
	text_add(t, "]}\n");
	free(s);
}

/* x: the tests of the site, or NULL for a part of its windows. */
static void add_rows(const struct report *r, const struct report_site *s, const struct usage *u,
	const struct report_tests *x, const char *by, const char *name, char separator, struct text *t)
{
	struct usage_metrics f = usage_metrics(u);
	char c = separator;
	for (int i = 0; i < u->experts && (u->tokens || !strcmp(by, "all")); i++) {
		const char *region = s->region < 0 ? r->regions.s[i] : r->regions.s[s->region];
		text_addf(t, "%s%c", s->region < 0 ? "gate" : "layer", c);
		text_cell(t, region, c);
		if (s->region < 0) /* what the gate weighs are the regions themselves */
			text_addf(t, "%c%c%c", c, c, c);
		else
			text_addf(t, "%c%d%c%d%c", c, s->layer, c, i, c);
		text_addf(t, "%s%c", by, c);
		text_cell(t, name, c);
		text_addf(t, "%c%lld%c%lld", c, (long long)u->tokens, c, (long long)u->count[i]);
		const double v[] = {f.fraction[i], f.importance[i], f.average_weight[i], f.entropy,
			f.entropy_normalised, f.cv, f.max_over_mean, f.overflow, f.margin, f.unrouted,
			x ? x->class.specialisation[i] : NAN, x ? x->class.p[i] : NAN,
			x ? x->group.specialisation[i] : NAN, x ? x->group.p[i] : NAN,
			f.importance_deviation[i], f.max_over_min, f.max_probability, f.min_probability,
			f.fewest, f.most, f.weight_min, f.weight_max, f.capacity[i], f.capacity_utilisation};
		for (size_t j = 0; j < sizeof v / sizeof *v; j++)
			if (isnan(v[j]))
				text_addf(t, "%c", c);
			else
				text_addf(t, "%c%.9g", c, v[j]);
		text_add(t, "\n");
	}
	usage_metrics_free(&f);
}

void report_table(const struct report *r, char separator, struct text *t)
{
	size_t start = t->n;
	text_add(t, "part,region,layer,expert,by,name,tokens,count,share,importance,average_weight,entropy,"
		    "entropy_normalised,cv,max_over_mean,overflow,margin,"
		    "unrouted,specialisation,specialisation_p,group_specialisation,group_specialisation_p,"
		    "importance_deviation,max_over_min,max_probability,min_probability,fewest_experts,"
		    "most_experts,weight_min,weight_max,capacity,capacity_utilisation\n");
	for (char *p = t->s + start; *p; p++)
		if (*p == ',')
			*p = separator;
	const struct report_site **s = report_in_order(r);
	for (int i = 0; i < r->sites; i++) {
		struct report_tests x = report_tests(r, s[i]);
		add_rows(r, s[i], &s[i]->all, &x, "all", "", separator, t);
		report_tests_free(&x);
		for (int j = 0; j < s[i]->classes; j++)
			add_rows(r, s[i], &s[i]->by_class[j], NULL, "class", r->classes.s[j], separator, t);
		for (int j = 0; j < s[i]->groups; j++)
			add_rows(r, s[i], &s[i]->by_group[j], NULL, "group", r->groups.s[j], separator, t);
	}
	free(s);
}
