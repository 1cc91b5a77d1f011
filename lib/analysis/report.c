#include "analysis/report.h"

#include "base/error.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

struct report_site *report_site(struct report *r, int region, int layer, int experts, int k, const char *name)
{
	for (int i = 0; i < r->sites; i++) {
		struct report_site *s = &r->site[i];
		if (s->region != region || s->layer != layer)
			continue;
		if (s->all.experts == experts && s->all.k == k)
			return s;
		err_set(EX_DATAERR,
			"%s: region %d, layer %d: %d of %d experts for each token, but %d of %d in what came "
			"before; "
			"statistics of different models cannot be combined",
			name, region, layer, k, experts, s->all.k, s->all.experts);
		return NULL;
	}
	GROW(r->site, r->sites + 1);
	struct report_site *s = &r->site[r->sites++];
	*s = (struct report_site){.region = region, .layer = layer};
	usage_new(&s->all, experts, k);
	return s;
}

static struct usage *usage_at(struct usage **list, int *n, int i, const struct usage *like)
{
	if (i >= *n) {
		GROW(*list, i + 1);
		for (; *n <= i; ++*n)
			usage_new(&(*list)[*n], like->experts, like->k);
	}
	return &(*list)[i];
}

struct usage *report_class(struct report_site *s, int i)
{
	return usage_at(&s->by_class, &s->classes, i, &s->all);
}

struct usage *report_group(struct report_site *s, int i)
{
	return usage_at(&s->by_group, &s->groups, i, &s->all);
}

int32_t *report_window(struct report_site *s, int class, int group)
{
	struct report_windows *w = &s->window;
	size_t E = (size_t)s->all.experts;
	if (w->n == w->room) {
		w->room = w->room ? 2 * w->room : 64;
		GROW(w->class, w->room);
		GROW(w->group, w->room);
		GROW(w->count, (size_t)w->room * E);
	}
	w->class[w->n] = class;
	w->group[w->n] = group;
	return memset(w->count + (size_t)w->n++ * E, 0, E * sizeof *w->count);
}

int report_regions(struct report *r, const struct names *regions, const char *name)
{
	if (!r->regions.n)
		names_copy(&r->regions, regions);
	if (names_equal(&r->regions, regions))
		return 0;
	char *had = names_join(&r->regions, ", "), *has = names_join(regions, ", ");
	err_set(EX_DATAERR,
		"%s: regions %s, but %s in what came before; statistics of different models cannot be "
		"combined",
		name, has, had);
	free(had);
	free(has);
	return -1;
}

/* The report's index of each name: [n], to be freed. */
static int *intern_all(struct names *in, const struct names *of)
{
	int *at = NEW_ARRAY(int, of->n);
	for (int i = 0; i < of->n; i++)
		at[i] = names_intern(in, of->s[i]);
	return at;
}

static void add_gate(struct report_site *s, const struct routing *r, const int *class, const int *group)
{
	for (int64_t i = 0; i < r->n; i++) {
		const float *w = r->gate + i * r->regions.n;
		int c = r->label[i] < 0 ? -1 : class[r->label[i]];
		usage_add_gate(&s->all, w);
		usage_add_gate(report_group(s, group[r->group[i]]), w);
		if (c >= 0)
			usage_add_gate(report_class(s, c), w);
		report_window(s, c, group[r->group[i]])[usage_largest(w, r->regions.n)] = 1;
	}
}

static void add_layer(struct report_site *s, const struct routing *r, const struct routing_layer *l,
	const int *class, const int *group)
{
	for (int64_t i = 0; i < r->n; i++) {
		struct usage *to[3] = {&s->all, report_group(s, group[r->group[i]])};
		int n = 2, c = r->label[i] < 0 ? -1 : class[r->label[i]];
		int32_t *count = report_window(s, c, group[r->group[i]]);
		if (c >= 0)
			to[n++] = report_class(s, c);
		for (int64_t t = i * l->tokens; t < (i + 1) * l->tokens; t++) {
			const float *p = l->probability + t * l->experts, *w = l->weight + t * l->k;
			const int32_t *e = l->expert + t * l->k;
			usage_add_to(to, n, p, e, w);
			for (int j = 0; j < l->k; j++)
				if (e[j] >= 0)
					count[e[j]]++;
		}
		for (int j = 0; j < n && l->capacity; j++)
			usage_add_capacity(to[j], l->capacity, count);
	}
}

int report_add(struct report *r, const struct routing *in)
{
	if (report_regions(r, &in->regions, in->name))
		return -1;
	int *class = intern_all(&r->classes, &in->classes), *group = intern_all(&r->groups, &in->groups),
	    failed = 0;
	struct report_site *s = report_site(r, -1, -1, in->regions.n, 1, in->name);
	if (s)
		add_gate(s, in, class, group);
	else
		failed = -1;
	for (int i = 0; i < in->layers && !failed; i++) {
		const struct routing_layer *l = &in->layer[i];
		s = report_site(r, l->region, l->layer, l->experts, l->k, in->name);
		if (s)
			add_layer(s, in, l, class, group);
		else
			failed = -1;
	}
	r->windows += in->n;
	free(class);
	free(group);
	return failed;
}

void report_free(struct report *r)
{
	for (int i = 0; i < r->sites; i++) {
		struct report_site *s = &r->site[i];
		usage_free(&s->all);
		for (int j = 0; j < s->classes; j++)
			usage_free(&s->by_class[j]);
		for (int j = 0; j < s->groups; j++)
			usage_free(&s->by_group[j]);
		free(s->window.class);
		free(s->window.group);
		free(s->window.count);
		free(s->by_class);
		free(s->by_group);
	}
	free(r->site);
	names_free(&r->regions);
	names_free(&r->classes);
	names_free(&r->groups);
	*r = (struct report){0};
}
