#include "score/score.h"

#include <math.h>

static void add_value_and_interval(struct text *t, const char *words, double x, struct interval i)
{
	text_addf(t, "%s %.3f", words, x);
	if (!isnan(i.low))
		text_addf(t, " (%.3f to %.3f)", i.low, i.high);
}

static const char *verdict(double x, const struct chance *c)
{
	return x > c->at99 ? "above chance (99 %)" : x > c->at95 ? "above chance (95 %)" : "within chance";
}

static void add_chance(const struct score *s, const char *what, struct text *t)
{
	const struct predictions *a = s->predictions;
	const struct chance *e = &s->even, *f = &s->frequent;
	text_addf(t,
		"Guessing among %d classes gets %.3f right on average; its 95th and 99th percentiles for "
		"%lld %s are %.3f and %.3f: this is %s.\n",
		a->width, e->level, (long long)a->windows, what, e->at95, e->at99,
		verdict(s->value[METRIC_ACCURACY], e));
	if (f->level > e->level) {
		text_add(t, "Naming ");
		text_shown(t, a->classes.s[s->most_frequent]);
		text_addf(t,
			", the most frequent class, gets %.3f right on average; the percentiles are %.3f "
			"and %.3f: this is %s.\n",
			f->level, f->at95, f->at99, verdict(s->value[METRIC_ACCURACY], f));
	}
}

static void add_confusion(const struct score *s, const char *what, struct text *t)
{
	const struct names *classes = &s->predictions->classes;
	int C = s->predictions->width;
	text_addf(t, "Number of %s by label (rows) and predicted class (columns)\n", what);
	text_addf(t, "%-16s", "");
	for (int c = 0; c < C; c++) {
		text_add(t, " ");
		text_shown_wide(t, classes->s[c], 10);
	}
	text_add(t, "\n");
	for (int c = 0; c < C; c++) {
		text_shown_wide(t, classes->s[c], -16);
		for (int d = 0; d < C; d++)
			text_addf(t, " %10lld", (long long)s->confusion[c * C + d]);
		text_add(t, "\n");
	}
}

void score_words(const struct score *s, struct text *t)
{
	const struct predictions *a = s->predictions;
	const char *what = s->per_recording ? "recordings" : "windows";
	text_addf(t, "%lld %s of %d group%s", (long long)a->windows, what, a->groups.n,
		a->groups.n == 1 ? "" : "s");
	if (a->runs.n > 1)
		text_addf(t, ", mean of %d runs", a->runs.n);
	text_addf(t, "%s.\n", a->adapted ? "; adapted to the subjects it is tested on" : "");
	add_value_and_interval(t, "Accuracy", s->value[METRIC_ACCURACY], s->accuracy);
	add_value_and_interval(t, ", balanced", s->value[METRIC_BALANCED_ACCURACY], s->balanced);
	text_add(t, isnan(s->accuracy.low)
			    ? ".\n"
			    : "; in brackets 95 % intervals by bootstrap over groups (subjects).\n");
	add_chance(s, what, t);
	for (int f = METRIC_KAPPA; f < METRICS; f++)
		if (!isnan(s->value[f]))
			text_addf(t, "%-20s %.3f\n", metric_kind[f].words, s->value[f]);
	if (a->rejected) {
		text_addf(t, "%.1f %% were not rejected; of these", 100 * s->coverage);
		add_value_and_interval(t, "", s->answered.accuracy, s->answered.accuracy_interval);
		text_add(t, " are correct.\n");
	}
	add_confusion(s, what, t);
	add_value_and_interval(
		t, "Mean over groups", s->over_groups.accuracy, s->over_groups.accuracy_interval);
	text_add(t, ":\n");
	for (int g = 0; g < a->groups.n; g++) {
		text_shown_wide(t, a->groups.s[g], -16);
		text_addf(t, " %6lld %.3f%s\n", (long long)s->group[g].windows,
			s->group[g].value[METRIC_ACCURACY],
			s->group[g].value[METRIC_ACCURACY] > s->group[g].chance.at95 ? ""
										     : "  within chance");
	}
	for (int i = 0; i < s->notes.n; i++) {
		text_add(t, "Note: ");
		text_shown(t, s->notes.s[i]);
		text_add(t, ".\n");
	}
}
