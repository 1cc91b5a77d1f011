#include "score/score.h"

#include "base/json.h"

static void key(struct text *t, const char *name)
{
	text_addf(t, "%s\"%s\":", t->s[t->n - 1] == '{' ? "" : ",", name);
}

static void number(struct text *t, const char *name, double x)
{
	key(t, name);
	json_float(t, x);
}

static void count(struct text *t, const char *name, int64_t n)
{
	key(t, name);
	text_addf(t, "%lld", (long long)n);
}

static void word(struct text *t, const char *name, const char *s)
{
	key(t, name);
	json_string(t, s);
}

static void interval(struct text *t, const char *name, struct interval i)
{
	key(t, name);
	text_add(t, "[");
	json_float(t, i.low);
	text_add(t, ",");
	json_float(t, i.high);
	text_add(t, "]");
}

static void accuracies(struct text *t, const struct accuracies *a)
{
	number(t, "accuracy", a->accuracy);
	interval(t, "accuracy_interval", a->accuracy_interval);
	number(t, "balanced_accuracy", a->balanced);
	interval(t, "balanced_accuracy_interval", a->balanced_interval);
}

static void figures(struct text *t, const double *value)
{
	for (int f = 0; f < FIGURES; f++)
		number(t, figure_kind[f].key, value[f]);
}

static void chance(struct text *t, const struct chance *c)
{
	number(t, "level", c->level);
	number(t, "limit_95", c->at95);
	number(t, "limit_99", c->at99);
}

static void confusion(const struct score *s, struct text *t)
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

static void by_group(const struct score *s, struct text *t)
{
	text_add(t, ",\"over_groups\":{");
	accuracies(t, &s->over_groups);
	text_add(t, "},\"by_group\":[");
	for (int g = 0; g < s->predictions->groups.n; g++) {
		const struct group_score *x = &s->group[g];
		text_add(t, g ? ",{" : "{");
		word(t, "group", s->predictions->groups.s[g]);
		count(t, "windows", x->windows);
		number(t, "accuracy", x->value[ACCURACY]);
		number(t, "balanced_accuracy", x->value[BALANCED_ACCURACY]);
		number(t, "limit_95", x->chance.at95);
		text_add(t, "}");
	}
	text_add(t, "]");
}

static void by_run(const struct score *s, struct text *t)
{
	const struct names *runs = &s->predictions->run_keys;
	if (!runs->n)
		return;
	text_add(t, ",\"by_run\":[");
	for (int i = 0; i < runs->n; i++) {
		text_addf(t, "%s{%s", i ? "," : "", runs->s[i]);
		figures(t, s->by_run[i]);
		text_add(t, "}");
	}
	text_add(t, "]");
}

void score_json(const struct score *s, struct text *t)
{
	const struct predictions *a = s->predictions;
	text_add(t, "{");
	word(t, "per", s->per_recording ? "recording" : "window");
	count(t, "windows", a->windows);
	count(t, "unlabelled", a->unlabelled);
	if (s->per_recording)
		count(t, "mixed", a->mixed);
	count(t, "groups", a->groups.n);
	key(t, "classes");
	json_list(t, &a->classes);
	key(t, "adapted");
	predictions_adapted(a, t);
	count(t, "resamples", s->resamples);
	text_addf(t, ",\"seed\":\"%llu\"", (unsigned long long)s->seed);
	figures(t, s->value);
	interval(t, "accuracy_interval", s->accuracy);
	interval(t, "balanced_accuracy_interval", s->balanced);
	text_add(t, ",\"chance\":{");
	chance(t, &s->even);
	text_add(t, "},\"chance_most_frequent\":{");
	word(t, "class", a->classes.s[s->most_frequent]);
	chance(t, &s->frequent);
	text_add(t, "}");
	if (a->rejected) {
		text_add(t, ",\"answered\":{");
		number(t, "coverage", s->coverage);
		accuracies(t, &s->answered);
		text_add(t, "}");
	}
	confusion(s, t);
	by_group(s, t);
	by_run(s, t);
	key(t, "notes");
	json_list(t, &s->notes);
}
