/* What experts go along with: association (analysis/association.h) of a site's windows with class
 * and group. */
#include "analysis/report.h"

#include "base/mem.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Windows in an order that does not depend on the files' order: by names, then counts. Equal ones
 * are interchangeable. */
struct sortable {
	const char *class, *group;
	const int32_t *count;
	int E, at_class, at_group;
};

static int compare_sortable(const void *a, const void *b)
{
	const struct sortable *x = a, *y = b;
	int d = strcmp(x->class, y->class);
	d = d ? d : strcmp(x->group, y->group);
	for (int e = 0; e < x->E && !d; e++)
		d = (x->count[e] > y->count[e]) - (x->count[e] < y->count[e]);
	return d;
}

/* The labels' numbers by the order of their names: rank [n]. */
static int *ranks_of_names(const struct names *names)
{
	int *rank = NEW_ARRAY(int, names->n);
	for (int i = 0; i < names->n; i++)
		for (int j = 0; j < names->n; j++)
			rank[i] += strcmp(names->s[j], names->s[i]) < 0;
	return rank;
}

struct sorted {
	int64_t n;
	int *class, *group, *of_class; /* [n] ranks; class as a stratum: 0 = unlabelled */
	int32_t *count;                /* [n][E] */
};

static struct sorted sort_windows(const struct report *r, const struct report_site *s)
{
	const struct report_windows *w = &s->window;
	int E = s->all.experts, *class = ranks_of_names(&r->classes), *group = ranks_of_names(&r->groups);
	struct sortable *list = NEW_ARRAY(struct sortable, w->n);
	for (int64_t i = 0; i < w->n; i++)
		list[i] = (struct sortable){w->class[i] < 0 ? "" : r->classes.s[w->class[i]],
			r->groups.s[w->group[i]], w->count + i * E, E,
			w->class[i] < 0 ? -1 : class[w->class[i]], group[w->group[i]]};
	if (w->n)
		qsort(list, (size_t)w->n, sizeof *list, compare_sortable);
	struct sorted out = {w->n, NEW_ARRAY(int, w->n), NEW_ARRAY(int, w->n), NEW_ARRAY(int, w->n),
		mem_new((size_t)w->n * (size_t)E, sizeof *out.count)};
	for (int64_t i = 0; i < w->n; i++) {
		out.class[i] = list[i].at_class;
		out.of_class[i] = 1 + list[i].at_class;
		out.group[i] = list[i].at_group;
		memcpy(out.count + i * E, list[i].count, (size_t)E * sizeof *out.count);
	}
	free(list);
	free(class);
	free(group);
	return out;
}

static enum report_dependence dependence_of(double class, double group)
{
	const double level = 0.05;
	if (isnan(class) || isnan(group))
		return DEPENDS_UNKNOWN;
	if (class <= level)
		return group <= level ? DEPENDS_BOTH : DEPENDS_CLASS;
	return group <= level ? DEPENDS_GROUP : DEPENDS_NEITHER;
}

struct report_tests report_tests(const struct report *r, const struct report_site *s)
{
	struct sorted w = sort_windows(r, s);
	int E = s->all.experts;
	struct labelled_counts by_class = {w.n, E, w.count, w.class, w.group, r->classes.n, r->groups.n};
	struct labelled_counts by_group = {
		w.n, E, w.count, w.group, w.of_class, r->groups.n, r->classes.n + 1};
	uint64_t place = (uint64_t)(s->region + 1) << 32 | (uint64_t)(s->layer + 1);
	struct rng random[2] = {
		rng_stream(r->seed, "class", place, 0), rng_stream(r->seed, "group", place, 0)};
	struct report_tests t = {association_of(&by_class, r->permutations, &random[0]),
		association_of(&by_group, r->permutations, &random[1]), NEW_ARRAY(enum report_dependence, E)};
	for (int e = 0; e < E; e++)
		t.depends[e] = dependence_of(t.class.p[e], t.group.p[e]);
	free(w.class);
	free(w.group);
	free(w.of_class);
	free(w.count);
	return t;
}

void report_tests_free(struct report_tests *t)
{
	association_free(&t->class);
	association_free(&t->group);
	free(t->depends);
}
