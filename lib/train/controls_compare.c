/* What the controls came to, beside the model itself. */
#include "train/controls_parts.h"

#include "base/json.h"
#include "base/mem.h"
#include "score/resample.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { RESAMPLES = 2000, FIGURES_SAID = 3 };

static const struct {
	const char *key;
	double (*of)(const struct metrics *);
} figure[FIGURES_SAID] = {{"accuracy", metrics_accuracy}, {"balanced_accuracy", metrics_balanced_accuracy},
	{"log_loss", metrics_loss}};

enum { ACCURACY_SAID };

static const struct names *units_of(const struct cv *cv)
{
	return holdout_units(cv->folds->d, cv->folds->by);
}

/* The mean over the runs of a figure of one unit; NAN of a unit that was not tested. */
static double of_unit(const struct cv *cv, int unit, int f)
{
	double sum = 0;
	for (int r = 0; r < cv_runs(cv); r++) {
		const struct metrics *m = &cv->by_unit[r * units_of(cv)->n + unit];
		sum += m->n ? figure[f].of(m) : NAN;
	}
	return sum / cv_runs(cv);
}

/* The mean over the runs of a figure of all windows. */
static double of_all(const struct cv *cv, int f)
{
	double sum = 0;
	for (int r = 0; r < cv_runs(cv); r++) {
		struct metrics all;
		metrics_begin(&all, cv->folds->d->classes.n);
		for (int u = 0; u < units_of(cv)->n; u++)
			metrics_join(&all, &cv->by_unit[r * units_of(cv)->n + u]);
		sum += figure[f].of(&all);
		metrics_end(&all);
	}
	return sum / cv_runs(cv);
}

/* A figure of the model less that of a control, in each unit, in the order of their names. */
struct paired {
	int n;
	double *difference; /* [n] */
	double mean;
	struct interval interval; /* 95 % */
	int better, worse;        /* units in which it is above, below 0 */
};

/* 0 where nothing but the rounding of means keeps it from being so: it must not count as better. */
static double settled(double x)
{
	return fabs(x) < 1e-12 ? 0 : x;
}

static struct paired pair(const struct controls *l, const struct control *c, int f)
{
	const struct names *sorted = &l->cv->folds->units, *all = units_of(l->cv);
	struct paired p = {.difference = NEW_ARRAY(double, sorted->n)};
	for (int i = 0; i < sorted->n; i++) {
		int unit = names_find(all, sorted->s[i]);
		double d = settled(of_unit(l->cv, unit, f) - of_unit(&c->cv, unit, f));
		if (isnan(d))
			continue;
		p.better += d > 0;
		p.worse += d < 0;
		p.difference[p.n++] = d;
	}
	for (int i = 0; i < p.n; i++)
		p.mean += p.difference[i] / p.n;
	p.mean = settled(p.mean);
	p.interval = resample_mean(p.difference, p.n, RESAMPLES, l->cv->seed[0]);
	p.interval = (struct interval){settled(p.interval.low), settled(p.interval.high)};
	return p;
}

/* --- as a table */

void controls_say(const struct controls *l, struct names *lines)
{
	struct text t = {0};
	text_addf(&t, "%-13s  %8s  %8s  %8s  %10s  %-18s  %6s  %5s", "control", "accuracy", "balanced",
		"log loss", "difference", "95 % interval", "better", "worse");
	names_add(lines, t.s);
	t.n = 0;
	text_addf(&t, "%-13s  %8.4f  %8.4f  %8.4f", "(the model)", of_all(l->cv, 0), of_all(l->cv, 1),
		of_all(l->cv, 2));
	names_add(lines, t.s);
	for (int i = 0; i < l->n; i++) {
		const struct control *c = l->list[i];
		struct paired p = pair(l, c, ACCURACY_SAID);
		char *interval = mem_format("%+.4f to %+.4f", p.interval.low, p.interval.high);
		t.n = 0;
		text_addf(&t, "%-13s  %8.4f  %8.4f  %8.4f  %+10.4f  %-18s  %6d  %5d", c->kind->name,
			of_all(&c->cv, 0), of_all(&c->cv, 1), of_all(&c->cv, 2), p.mean, interval, p.better,
			p.worse);
		names_add(lines, t.s);
		free(interval);
		free(p.difference);
	}
	text_free(&t);
}

void controls_idle(const struct controls *l, struct names *sentences)
{
	for (int i = 0; i < l->n; i++) {
		const struct control *c = l->list[i];
		struct paired p = pair(l, c, ACCURACY_SAID);
		if (c->needed && !(p.interval.low > 0)) {
			char *s = mem_format("not better than the control %s (%s): difference in accuracy "
					     "%+.4f, 95 %% interval %+.4f to %+.4f over %d %ss",
				c->kind->name, c->kind->help, p.mean, p.interval.low, p.interval.high, p.n,
				l->cv->folds->by == HOLDOUT_GROUP ? "group" : "recording");
			names_add(sentences, s);
			free(s);
		}
		free(p.difference);
	}
}

/* --- as JSON */

static void add_figures(const struct cv *cv, struct text *t)
{
	for (int f = 0; f < FIGURES_SAID; f++) {
		text_addf(t, ",\"%s\":", figure[f].key);
		json_double(t, of_all(cv, f));
	}
}

static void add_paired(const struct controls *l, const struct control *c, int f, struct text *t)
{
	struct paired p = pair(l, c, f);
	text_addf(t, "\"%s\":{\"mean\":", figure[f].key);
	json_double(t, p.mean);
	text_add(t, ",\"interval\":[");
	json_double(t, p.interval.low);
	text_add(t, ",");
	json_double(t, p.interval.high);
	text_addf(t, "],\"above\":%d,\"below\":%d,\"n\":%d,\"each\":[", p.better, p.worse, p.n);
	for (int i = 0; i < p.n; i++) {
		text_add(t, i ? "," : "");
		json_double(t, p.difference[i]);
	}
	text_add(t, "]}");
	free(p.difference);
}

void controls_json(const struct controls *l, struct text *t)
{
	text_add(t, ",\"controls\":[{\"name\":null");
	add_figures(l->cv, t);
	text_add(t, "}");
	for (int i = 0; i < l->n; i++) {
		const struct control *c = l->list[i];
		text_add(t, ",{\"name\":");
		json_string(t, c->kind->name);
		text_add(t, ",\"help\":");
		json_string(t, c->kind->help);
		add_figures(&c->cv, t);
		text_add(t, ",\"difference\":{");
		for (int f = 0; f < FIGURES_SAID; f++) {
			text_add(t, f ? "," : "");
			add_paired(l, c, f, t);
		}
		text_add(t, "}}");
	}
	text_add(t, "],\"controls_left_out\":[");
	for (int i = 0; i < l->left_out.n; i++) {
		text_add(t, i ? ",{\"name\":" : "{\"name\":");
		json_string(t, l->left_out.s[i]);
		text_add(t, ",\"why\":");
		json_string(t, l->reasons.s[i]);
		text_add(t, "}");
	}
	text_add(t, "]");
}
