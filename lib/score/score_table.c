#include "score/score.h"

#include <math.h>

static void start_row(struct text *t, char c, const char *part, const char *name, int64_t windows)
{
	text_addf(t, "%s%c", part, c);
	text_cell(t, name, c);
	text_addf(t, "%c%lld", c, (long long)windows);
}

static const struct interval none = {NAN, NAN};

static void end_row(struct text *t, char c, const double *value, struct interval accuracy,
	struct interval balanced, const struct chance *chance)
{
	for (int f = 0; f < METRICS; f++) {
		text_number_cell(t, value ? value[f] : NAN, c);
		const struct interval *i = f == METRIC_ACCURACY            ? &accuracy
					   : f == METRIC_BALANCED_ACCURACY ? &balanced
									   : NULL;
		if (i) {
			text_number_cell(t, i->low, c);
			text_number_cell(t, i->high, c);
		}
	}
	text_number_cell(t, chance ? chance->at95 : NAN, c);
	text_number_cell(t, chance ? chance->at99 : NAN, c);
	text_add(t, "\n");
}

static void accuracies_row(struct text *t, char c, const struct accuracies *a)
{
	double value[METRICS];
	for (int f = 0; f < METRICS; f++)
		value[f] = NAN;
	value[METRIC_ACCURACY] = a->accuracy;
	value[METRIC_BALANCED_ACCURACY] = a->balanced;
	end_row(t, c, value, a->accuracy_interval, a->balanced_interval, NULL);
}

void score_rows(const struct score *s, char c, struct text *t)
{
	const struct predictions *a = s->predictions;
	text_addf(t, "part%cname%cwindows", c, c);
	for (int f = 0; f < METRICS; f++) {
		const char *key = metric_kind[f].key;
		text_addf(t, "%c%s", c, key);
		if (f == METRIC_ACCURACY || f == METRIC_BALANCED_ACCURACY)
			text_addf(t, "%c%s_low%c%s_high", c, key, c, key);
	}
	text_addf(t, "%climit_95%climit_99\n", c, c);
	start_row(t, c, "all", "", a->windows);
	end_row(t, c, s->value, s->accuracy, s->balanced, &s->even);
	if (a->rejected) {
		start_row(t, c, "answered", "", (a->n - a->rejected) / predictions_runs(a));
		accuracies_row(t, c, &s->answered);
	}
	start_row(t, c, "over_groups", "", a->windows);
	accuracies_row(t, c, &s->over_groups);
	for (int g = 0; g < a->groups.n; g++) {
		start_row(t, c, "group", a->groups.s[g], s->group[g].windows);
		end_row(t, c, s->group[g].value, none, none, &s->group[g].chance);
	}
	for (int i = 0; i < a->runs.n; i++) {
		start_row(t, c, "run", a->runs.s[i], a->windows);
		end_row(t, c, s->by_run[i], none, none, &s->even);
	}
}
