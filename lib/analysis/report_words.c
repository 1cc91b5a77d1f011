/* A report in sentences. */
#include "analysis/report.h"

#include "base/mem.h"
#include "score/metrics.h"

#include <math.h>
#include <stdlib.h>

static int index_of_smallest(const double *x, int n)
{
	int best = 0;
	for (int i = 1; i < n; i++)
		if (x[i] < x[best])
			best = i;
	return best;
}

/* "expert 3", or the region the gate weighs. */
static void add_name(const struct report *r, const struct report_site *s, int e, struct text *t)
{
	text_add(t, s->region < 0 ? "region " : "expert ");
	if (s->region < 0)
		text_shown(t, r->regions.s[e]);
	else
		text_addf(t, "%d", e);
}

static void describe_use(
	const struct report *r, const struct report_site *s, const struct usage_metrics *f, struct text *t)
{
	int E = s->all.experts, most = metrics_likeliest(f->fraction, E),
	    least = index_of_smallest(f->fraction, E), idle = 0;
	text_addf(t, "  Shares run from %.3g (", f->fraction[least]);
	add_name(r, s, least, t);
	text_addf(t, ") to %.3g (", f->fraction[most]);
	add_name(r, s, most, t);
	text_addf(t, "); even would be %.3g.\n", 1. / E);
	for (int e = 0; e < E; e++)
		idle += f->fraction[e] < 0.1 / E;
	if (idle)
		text_addf(t, "  %d of %d ha%s less than a tenth of that.\n", idle, E, idle == 1 ? "s" : "ve");
}

static const char *margin_words(double margin)
{
	return margin < 0.1   ? "the next choice is almost as good"
	       : margin < 0.5 ? "the choice is clear for most"
			      : "the choice is clear";
}

static void describe_choice(const struct report_site *s, const struct usage_metrics *f, struct text *t)
{
	if (s->all.experts > 1)
		text_addf(t, "  Its probabilities are %s: entropy %.3g of its maximum.\n",
			f->entropy_normalised < 0.5   ? "concentrated"
			: f->entropy_normalised < 0.9 ? "spread"
						      : "almost even",
			f->entropy_normalised);
	if (s->all.k < s->all.experts)
		text_addf(t, "  The last chosen is ahead of the next by %.3g of its probability: %s.\n",
			f->margin, margin_words(f->margin));
	if (f->overflow > 0)
		text_addf(t,
			"  %.3g %% of the places stayed empty, %.3g %% of the tokens went to no expert.\n",
			100 * f->overflow, 100 * f->unrouted);
	if (isfinite(f->capacity_utilisation))
		text_addf(t, "  Its experts use %.3g %% of their capacity.\n", 100 * f->capacity_utilisation);
	if (f->fewest < f->most) {
		text_addf(t, "  A token has %d to %d experts:", f->fewest, f->most);
		for (int j = f->fewest; j < f->most && j < f->fewest + 4; j++)
			text_addf(t, "%s %.3g %% have %d or more", j == f->fewest ? "" : ",",
				100 * f->at_least[j], j + 1);
		text_add(t, ".\n");
	}
}

/* The label most of an expert's assignments have: task has 0.72 of it. */
static void add_commonest(const struct usage *by, int n, const struct names *names, int e, struct text *t)
{
	int64_t sum = 0;
	int best = 0;
	for (int l = 0; l < n; l++) {
		sum += by[l].count[e];
		best = by[l].count[e] > by[best].count[e] ? l : best;
	}
	text_shown(t, names->s[best]);
	text_addf(t, " has %.3g of it", (double)by[best].count[e] / (double)sum);
}

static void describe_expert(const struct report *r, const struct report_site *s, const struct report_tests *x,
	int e, struct text *t)
{
	double class = x->class.p[e], group = x->group.p[e];
	enum report_dependence k = x->depends[e];
	if (k == DEPENDS_UNKNOWN || k == DEPENDS_NEITHER)
		return;
	text_add(t, "  The use of ");
	add_name(r, s, e, t);
	if (k == DEPENDS_GROUP) {
		text_add(t, " depends on the subject rather than the class: ");
		add_commonest(s->by_group, s->groups, &r->groups, e, t);
	} else {
		text_add(t, k == DEPENDS_BOTH ? " depends on the class, and on the subject too: "
					      : " depends on the class: ");
		add_commonest(s->by_class, s->classes, &r->classes, e, t);
	}
	text_addf(t, " (p %.3g for the class, %.3g for the group).\n", class, group);
}

static void describe_associations(const struct report *r, const struct report_site *s, struct text *t)
{
	struct report_tests x = report_tests(r, s);
	int tested = 0, known = 0;
	for (int e = 0; e < s->all.experts; e++) {
		describe_expert(r, s, &x, e, t);
		tested += x.depends[e] != DEPENDS_UNKNOWN;
		known += x.depends[e] > DEPENDS_NEITHER;
	}
	if (tested && !known)
		text_add(t, "  The use of no expert depends on class or subject beyond chance.\n");
	if (!tested)
		text_add(t,
			"  Class and subject cannot be distinguished: that needs labelled windows of several "
			"classes for each subject, and several subjects.\n");
	report_tests_free(&x);
}

static void describe_pairs(const struct report_site *s, struct text *t)
{
	int E = s->all.experts, a = 0, b = 0;
	int64_t most = 0;
	for (int i = 0; i < E; i++)
		for (int j = i + 1; j < E; j++)
			if (s->all.pair[(int64_t)i * E + j] > most) {
				most = s->all.pair[(int64_t)i * E + j];
				a = i;
				b = j;
			}
	if (most && s->all.k < E)
		text_addf(t, "  Experts %d and %d are most often chosen together: for %.3g of the tokens.\n",
			a, b, (double)most / (double)s->all.tokens);
}

static void describe_site(const struct report *r, const struct report_site *s, struct text *t)
{
	if (s->region < 0) {
		text_addf(t, "\nGate over %d regions (its choice is the largest weight)\n", s->all.experts);
	} else {
		text_add(t, "\nRegion ");
		text_shown(t, r->regions.s[s->region]);
		text_addf(t, ", layer %d: %d experts, %d for a token\n", s->layer, s->all.experts, s->all.k);
	}
	if (!s->all.tokens)
		return;
	struct usage_metrics f = usage_metrics(&s->all);
	describe_use(r, s, &f, t);
	describe_choice(s, &f, t);
	describe_pairs(s, t);
	if (s->all.experts > 1)
		describe_associations(r, s, t);
	usage_metrics_free(&f);
}

void report_words(const struct report *r, struct text *t)
{
	const struct report_site **s = report_in_order(r);
	text_addf(t, "%lld windows of %d group%s; %d class%s\n", (long long)r->windows, r->groups.n,
		r->groups.n == 1 ? "" : "s", r->classes.n, r->classes.n == 1 ? "" : "es");
	for (int i = 0; i < r->sites; i++)
		describe_site(r, s[i], t);
	free(s);
}
