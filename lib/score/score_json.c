#include "score/score.h"

#include "base/json.h"

static void add_key(struct text *t, const char *name)
{
	text_addf(t, "%s\"%s\":", t->s[t->n - 1] == '{' ? "" : ",", name);
}

static void add_number(struct text *t, const char *name, double x)
{
	add_key(t, name);
	json_float(t, x);
}

static void add_count(struct text *t, const char *name, int64_t n)
{
	add_key(t, name);
	text_addf(t, "%lld", (long long)n);
}

static void add_word(struct text *t, const char *name, const char *s)
{
	add_key(t, name);
	json_string(t, s);
}

static void add_interval(struct text *t, const char *name, struct interval i)
{
	add_key(t, name);
	text_add(t, "[");
	json_float(t, i.low);
	text_add(t, ",");
	json_float(t, i.high);
	text_add(t, "]");
}

static void add_accuracies(struct text *t, const struct accuracies *a)
{
	add_number(t, "accuracy", a->accuracy);
	add_interval(t, "accuracy_interval", a->accuracy_interval);
	add_number(t, "balanced_accuracy", a->balanced);
	add_interval(t, "balanced_accuracy_interval", a->balanced_interval);
}

static void add_metrics(struct text *t, const double *value)
{
	for (int f = 0; f < METRICS; f++)
		add_number(t, metric_kind[f].key, value[f]);
}

static void add_chance(struct text *t, const struct chance *c)
{
	add_number(t, "level", c->level);
	add_number(t, "limit_95", c->at95);
	add_number(t, "limit_99", c->at99);
}

static void add_confusion(const struct score *s, struct text *t)
{
	int C = s->predictions->width;
	text_add(t, ",\"confusion\":[");
	for (int c = 0; c < C; c++) {
		text_add(t, c ? ",[" : "[");
		for (int d = 0; d < C; d++)
			text_addf(t, "%s%lld", d ? "," : "", (long long)s->confusion[c * C + d]);
		text_add(t, "]");
	}
	text_add(t, "]");
}

static void add_groups(const struct score *s, struct text *t)
{
	text_add(t, ",\"over_groups\":{");
	add_accuracies(t, &s->over_groups);
	text_add(t, "},\"by_group\":[");
	for (int g = 0; g < s->predictions->groups.n; g++) {
		const struct group_score *x = &s->group[g];
		text_add(t, g ? ",{" : "{");
		add_word(t, "group", s->predictions->groups.s[g]);
		add_count(t, "windows", x->windows);
		add_number(t, "accuracy", x->value[METRIC_ACCURACY]);
		add_number(t, "balanced_accuracy", x->value[METRIC_BALANCED_ACCURACY]);
		add_number(t, "limit_95", x->chance.at95);
		text_add(t, "}");
	}
	text_add(t, "]");
}

static void add_runs(const struct score *s, struct text *t)
{
	const struct names *runs = &s->predictions->run_keys;
	if (!runs->n)
		return;
	text_add(t, ",\"by_run\":[");
	for (int i = 0; i < runs->n; i++) {
		text_addf(t, "%s{%s", i ? "," : "", runs->s[i]);
		add_metrics(t, s->by_run[i]);
		text_add(t, "}");
	}
	text_add(t, "]");
}

void score_json(const struct score *s, struct text *t)
{
	const struct predictions *a = s->predictions;
	text_add(t, "{");
	add_word(t, "per", s->per_recording ? "recording" : "window");
	add_count(t, "windows", a->windows);
	add_count(t, "unlabelled", a->unlabelled);
	if (s->per_recording)
		add_count(t, "mixed", a->mixed);
	add_count(t, "groups", a->groups.n);
	add_key(t, "classes");
	json_list(t, &a->classes);
	add_key(t, "adapted");
	predictions_adapted(a, t);
	add_count(t, "resamples", s->resamples);
	text_addf(t, ",\"seed\":\"%llu\"", (unsigned long long)s->seed);
	add_metrics(t, s->value);
	add_interval(t, "accuracy_interval", s->accuracy);
	add_interval(t, "balanced_accuracy_interval", s->balanced);
	text_add(t, ",\"chance\":{");
	add_chance(t, &s->even);
	text_add(t, "},\"chance_most_frequent\":{");
	add_word(t, "class", a->classes.s[s->most_frequent]);
	add_chance(t, &s->frequent);
	text_add(t, "}");
	if (a->rejected) {
		text_add(t, ",\"answered\":{");
		add_number(t, "coverage", s->coverage);
		add_accuracies(t, &s->answered);
		text_add(t, "}");
	}
	add_confusion(s, t);
	add_groups(s, t);
	add_runs(s, t);
	add_key(t, "notes");
	json_list(t, &s->notes);
}
