#include "train/cv.h"

#include "base/json.h"
#include "base/mem.h"

#include <math.h>
#include <stdlib.h>

/* Accuracy and balanced accuracy of several runs. */
struct figure {
	int n;
	double sum[2], squares[2];
};

static void figure_add(struct figure *f, const struct metrics *m)
{
	double x[2] = {metrics_accuracy(m), metrics_balanced_accuracy(m)};
	f->n++;
	for (int i = 0; i < 2; i++) {
		f->sum[i] += x[i];
		f->squares[i] += x[i] * x[i];
	}
}

static double figure_mean(const struct figure *f, int i)
{
	return f->sum[i] / f->n;
}

/* Standard deviation (of a sample); 0 of one. */
static double figure_deviation(const struct figure *f, int i)
{
	double mean = figure_mean(f, i), rest = f->squares[i] - f->n * mean * mean;
	return f->n > 1 && rest > 0 ? sqrt(rest / (f->n - 1)) : 0;
}

/* The windows of all folds of one run. */
static struct metrics whole(const struct cv *cv, const struct cv_fold *f)
{
	struct metrics m;
	metrics_begin(&m, cv->folds->d->classes.n);
	for (int k = 0; k < cv->folds->n; k++)
		metrics_join(&m, &f[k].metrics);
	return m;
}

static struct figure all_runs(const struct cv *cv, const struct cv_fold *f)
{
	struct figure x = {0};
	for (int r = 0; r < cv_runs(cv); r++) {
		struct metrics m = whole(cv, f + r * cv->folds->n);
		figure_add(&x, &m);
		metrics_end(&m);
	}
	return x;
}

static struct figure all_of_fold(const struct cv *cv, const struct cv_fold *f, int fold)
{
	struct figure x = {0};
	for (int r = 0; r < cv_runs(cv); r++)
		figure_add(&x, &f[r * cv->folds->n + fold].metrics);
	return x;
}

static void add_sentence(struct names *to, const char *what, int64_t windows, const struct figure *x)
{
	struct text t = {0};
	text_addf(&t, "%s: %lld windows, accuracy %.4f", what, (long long)windows, figure_mean(x, 0));
	if (x->n > 1)
		text_addf(&t, " (sd %.4f)", figure_deviation(x, 0));
	text_addf(&t, ", balanced %.4f", figure_mean(x, 1));
	if (x->n > 1)
		text_addf(&t, " (sd %.4f)", figure_deviation(x, 1));
	names_add(to, t.s);
	text_free(&t);
}

void cv_sentences(const struct cv *cv, const struct cv_fold *f, struct names *to)
{
	int64_t windows = 0;
	for (int k = 0; k < cv->folds->n; k++) {
		struct figure x = all_of_fold(cv, f, k);
		struct names units = {0};
		folds_units(cv->folds, k, &units);
		char *list = names_join(&units, ", "), *what = mem_format("fold %d (%.200s)", k, list);
		add_sentence(to, what, f[k].metrics.n, &x);
		windows += f[k].metrics.n;
		free(what);
		free(list);
		names_free(&units);
	}
	struct figure x = all_runs(cv, f);
	char *what = mem_format("all %d folds", cv->folds->n);
	if (x.n > 1) {
		free(what);
		what = mem_format("all %d folds, mean of %d %s", cv->folds->n, x.n,
			cv->permutations && cv->seeds > 1 ? "permutations and seeds"
			: cv->permutations                ? "permutations"
							  : "seeds");
	}
	add_sentence(to, what, windows, &x);
	free(what);
}

static void number(struct text *t, const char *key, double x)
{
	text_addf(t, ",\"%s\":", key);
	json_double(t, x);
}

static void measures(struct text *t, const struct metrics *m)
{
	text_addf(t, ",\"n\":%lld", (long long)m->n);
	number(t, "accuracy", metrics_accuracy(m));
	number(t, "balanced_accuracy", metrics_balanced_accuracy(m));
	number(t, "log_loss", metrics_loss(m));
}

static void fold_json(const struct cv *cv, const struct cv_fold *f, struct text *t)
{
	struct names units = {0};
	folds_units(cv->folds, f->fold, &units);
	text_addf(
		t, "{\"fold\":%d,\"%s\":", f->fold, cv->folds->by == HOLDOUT_GROUP ? "groups" : "recordings");
	json_list(t, &units);
	text_addf(t, ",\"seed\":\"%llu\",\"train\":%lld,\"valid\":%lld", (unsigned long long)f->own_seed,
		(long long)f->trains, (long long)f->valids);
	if (f->best_epoch)
		text_addf(t, ",\"best_epoch\":%d", f->best_epoch);
	measures(t, &f->metrics);
	number(t, "train_seconds", f->train_seconds);
	number(t, "test_seconds", f->test_seconds);
	text_add(t, "}");
	names_free(&units);
}

static void run_json(const struct cv *cv, const struct cv_fold *f, struct text *t)
{
	struct metrics m = whole(cv, f);
	text_addf(t, "{\"seed\":\"%llu\"", (unsigned long long)f->seed);
	if (cv->permutations)
		text_addf(t, ",\"permutation\":%d", f->permutation);
	measures(t, &m);
	text_add(t, ",\"folds\":[");
	for (int k = 0; k < cv->folds->n; k++) {
		text_add(t, k ? "," : "");
		fold_json(cv, &f[k], t);
	}
	text_add(t, "]}");
	metrics_end(&m);
}

void cv_summary(const struct cv *cv, const struct cv_fold *f, const char *more, struct text *t)
{
	struct figure x = all_runs(cv, f);
	double train = 0, test = 0;
	for (int i = 0; i < cv_count(cv); i++) {
		train += f[i].train_seconds;
		test += f[i].test_seconds;
	}
	text_add(t, "{\"classes\":");
	json_list(t, &cv->folds->d->classes);
	text_addf(t, ",\"windows\":%lld,\"unlabelled\":%lld,\"tested\":%lld", (long long)cv->folds->labelled,
		(long long)cv->folds->unlabelled, (long long)cv->folds->kept);
	if (cv->config->value.train.scale == SCALE_GROUP)
		text_add(t, ",\"adapted\":\"group\"");
	number(t, "accuracy", figure_mean(&x, 0));
	number(t, "accuracy_sd", figure_deviation(&x, 0));
	number(t, "balanced_accuracy", figure_mean(&x, 1));
	number(t, "balanced_accuracy_sd", figure_deviation(&x, 1));
	number(t, "train_seconds", train);
	number(t, "test_seconds", test);
	text_add(t, ",\"runs\":[");
	for (int r = 0; r < cv_runs(cv); r++) {
		text_add(t, r ? "," : "");
		run_json(cv, f + r * cv->folds->n, t);
	}
	text_addf(t, "]%s}\n", more);
}
