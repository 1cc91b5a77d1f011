#include "train/cv.h"

#include "base/error.h"
#include "base/mem.h"
#include "model/head.h"
#include "base/rng.h"
#include "io/output.h"
#include "tensor/gemm.h"
#include "dataset/adapt.h"
#include "predict/prediction.h"
#include "dataset/condition.h"
#include "train/fit.h"
#include "train/schedule.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { BATCH = 64 };

int cv_runs(const struct cv *cv)
{
	return (cv->permutations ? cv->permutations : 1) * cv->seeds;
}

int cv_count(const struct cv *cv)
{
	return cv_runs(cv) * cv->folds->n;
}

struct cv_fold *cv_new(const struct cv *cv)
{
	int n = cv_count(cv), folds = cv->folds->n;
	struct cv_fold *f = NEW_ARRAY(struct cv_fold, n);
	for (int i = 0; i < n; i++) {
		f[i].run = i / folds;
		f[i].fold = i % folds;
		f[i].seed = cv->seed[i / folds % cv->seeds];
		f[i].permutation = i / folds / cv->seeds;
		struct rng own =
			rng_stream(f[i].seed, "fold", (uint64_t)f[i].fold, (uint64_t)f[i].permutation);
		f[i].own_seed = rng_next(&own) >> 2; /* within what --seed of a program takes */
		metrics_begin(&f[i].metrics, cv->folds->d->classes.n);
	}
	return f;
}

static void free_lines(struct cv_fold *f)
{
	spill_free(&f->lines_spill, f->lines);
	f->lines = NULL;
	f->bytes = f->room = 0;
}

static void add_lines(struct cv_fold *f, const struct text *t)
{
	if (!t->n) /* of a control, whose lines nobody reads */
		return;
	if (f->bytes + t->n > f->room) {
		f->room = 2 * f->room + t->n;
		f->lines = spill_grow(&f->lines_spill, f->lines, f->room);
	}
	memcpy(f->lines + f->bytes, t->s, t->n);
	f->bytes += t->n;
}

void cv_free(const struct cv *cv, struct cv_fold *f)
{
	for (int i = 0; f && i < cv_count(cv); i++) {
		free_lines(&f[i]);
		metrics_end(&f[i].metrics);
	}
	free(f);
}

/* Names a fold in front of an error, and which of several runs it belongs to. */
static int err_at_fold(const struct cv *cv, const struct cv_fold *f)
{
	struct names units = {0};
	struct text run = {0};
	folds_units(cv->folds, f->fold, &units);
	char *list = names_join(&units, ", ");
	if (cv->seeds > 1)
		text_addf(&run, ", seed %llu", (unsigned long long)f->seed);
	if (cv->permutations)
		text_addf(&run, ", permutation %d", f->permutation);
	err_at("fold %d (%.200s)%s", f->fold, list, text_string(&run));
	free(list);
	text_free(&run);
	names_free(&units);
	return -1;
}

/* The dataset as a fold sees it: to be freed with dataset_free. */
static struct dataset *view_of(const struct cv *cv, const struct cv_fold *f)
{
	struct dataset *d = dataset_view(cv->folds->d);
	if (cv->permutations)
		folds_permute_labels(d, cv->permute_by, f->seed, f->permutation);
	return d;
}

static void note_one_class(const struct cv *cv, const struct dataset *d, const struct cv_fold *f,
	const struct fold_items *x, struct names *notes)
{
	int label = d->item[x->test[0]].label;
	for (int64_t i = 1; i < x->tests; i++)
		if (d->item[x->test[i]].label != label)
			return;
	struct names units = {0};
	folds_units(cv->folds, f->fold, &units);
	char *list = names_join(&units, ", "),
	     *note = mem_format("fold %d (%.200s): all %lld test windows are of class %s", f->fold, list,
		     (long long)x->tests, d->classes.s[label]);
	names_add(notes, note);
	free(list);
	free(note);
	names_free(&units);
}

/* true: noted. */
static bool note_warmup(
	const struct cv *cv, const struct cv_fold *f, const struct fold_items *x, struct names *notes)
{
	bool decided;
	char *warning = schedule_warning(cv->config, x->split.trains, &decided);
	bool noted = warning && decided;
	if (noted) {
		char *note = mem_format("fold %d: %s", f->fold, warning);
		names_add(notes, note);
		free(note);
	}
	free(warning);
	return noted;
}

int cv_check(const struct cv *cv, struct names *notes)
{
	const struct head_type *head = config_head(&cv->config->value);
	if (!head->classes)
		return err_set(EX_CONFIG,
			"head.type=%s predicts no classes, and cross-validation scores predicted classes",
			head->name);
	struct cv_fold *f = cv_new(cv);
	struct dataset *d = NULL;
	int bad = 0, n = cv_count(cv), folds = cv->folds->n;
	bool warned = false;
	for (int i = 0; i < n && !bad; i++) {
		struct fold_items x;
		if (i % folds == 0) {
			dataset_free(d);
			d = view_of(cv, &f[i]);
		}
		bad = folds_items(cv->folds, d, f[i].fold, cv->valid_fraction, f[i].own_seed, &x);
		if (bad)
			err_at_fold(cv, &f[i]);
		else if (i < folds && !cv->permutations)
			note_one_class(cv, d, &f[i], &x, notes);
		warned = warned || bad ||
			 note_warmup(cv, &f[i], &x, notes); /* once: the others are much alike */
		fold_items_free(&x);
	}
	dataset_free(d);
	cv_free(cv, f);
	return bad;
}

/* What the tasks have in common. */
struct work {
	const struct cv *cv;
	const struct cv_watch *watch;
	struct cv_fold *fold;
	struct job {
		bool done;
		char *error;
		int status;
	} * job; /* [cv_count] */
	pthread_mutex_t lock;
	int next, finished; /* the first that was not handed out; how many are done */
	bool stop;
};

static double processor_seconds(void)
{
	struct timespec t;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* An answer to a window: in the figures of its fold, and of its unit where these are wanted. */
static void count(const struct cv *cv, const struct item *it, const real *logits, struct cv_fold *f)
{
	const struct folds *folds = cv->folds;
	int units = holdout_units(folds->d, folds->by)->n;
	metrics_add(&f->metrics, logits, it->label);
	if (cv->by_unit)
		metrics_add(&cv->by_unit[f->run * units + holdout_unit_of(it, folds->by)], logits, it->label);
}

static void predict_batch(const struct cv *cv, const struct model *m, const struct dataset *d,
	const int64_t *items, int64_t n, const real *logits, const real *weights, struct cv_fold *f)
{
	int classes = m->layout.classes.n, K = m->layout.regions;
	double *p = NEW_ARRAY(double, classes), *gate = NEW_ARRAY(double, K);
	struct text more = {0}, lines = {0};
	text_addf(&more, ",\"fold\":%d", f->fold);
	if (cv->seeds > 1)
		text_addf(&more, ",\"seed\":%llu", (unsigned long long)f->seed);
	if (cv->permutations)
		text_addf(&more, ",\"permutation\":%d", f->permutation);
	for (int64_t b = 0; b < n; b++) {
		struct prediction a =
			prediction_of_window(m, d, items[b], logits + b * classes, weights + b * K, p, gate);
		a.adapted = dataset_adapts(m) ? "group" : NULL;
		if (!cv->without)
			prediction_json(&a, more.s, &lines);
		count(cv, &d->item[items[b]], logits + b * classes, f);
	}
	add_lines(f, &lines);
	free(p);
	free(gate);
	text_free(&more);
	text_free(&lines);
}

/* In a view of its own: a model that adapts learns nothing of the windows that trained it. */
static int test_fold(const struct cv *cv, const struct model *m, const struct fold_items *x, struct pool *one,
	struct cv_fold *f)
{
	int classes = m->layout.classes.n, K = m->layout.regions;
	struct dataset *d = view_of(cv, f);
	int bad = dataset_check(d, m, x->test, x->tests) || conditions_bind(d, m, x->test, x->tests) ||
		  dataset_scale(d, m);
	struct forward *forward = bad ? NULL : forward_new(m, one);
	real *logits = NEW_ARRAY(real, BATCH * classes), *weights = NEW_ARRAY(real, BATCH * K);
	if (!bad && dataset_adapts(m)) {
		dataset_adapt(d, m, x->test, x->tests, ADAPT_WHOLE, one);
		dataset_standardise(d, x->test, x->tests);
	}
	for (int64_t from = 0; from < x->tests && !bad; from += BATCH) {
		int64_t n = x->tests - from < BATCH ? x->tests - from : BATCH;
		bad = dataset_evaluate(
			d, forward, x->test + from, n, BATCH, classes, K, logits, weights, NULL);
		if (!bad)
			predict_batch(cv, m, d, x->test + from, n, logits, weights, f);
	}
	free(logits);
	free(weights);
	forward_free(forward);
	dataset_free(d);
	return bad ? -1 : 0;
}

/* By one thread at a time: a file is made with the process's umask. */
static int save_model(struct work *w, const struct model *m, const struct cv_fold *f)
{
	const struct cv *cv = w->cv;
	struct history h = *cv->history;
	struct text path = {0};
	h.seed = &f->own_seed;
	text_addf(&path, "%s/", cv->keep);
	if (cv->without)
		text_addf(&path, "%s-", cv->without->name);
	if (cv->permutations)
		text_addf(&path, "permutation-%d-", f->permutation);
	if (cv->seeds > 1)
		text_addf(&path, "seed-%llu-", (unsigned long long)f->seed);
	text_addf(&path, "fold-%d.safetensors", f->fold);
	pthread_mutex_lock(&w->lock);
	int bad = output_drop_link(path.s) || model_save(m, path.s, &h) ? -1 : 0;
	pthread_mutex_unlock(&w->lock);
	text_free(&path);
	return bad;
}

static int train_fold(const struct cv_control *without, const struct training_data *data, struct model *m,
	struct pool *one, struct cv_fold *f)
{
	if (without && without->change)
		without->change(m);
	struct trainer *t = trainer_new(m, data, one, f->own_seed);
	int bad = without && without->steps ? trainer_calibrate(t) : trainer_run(t, &(struct watch){0});
	f->best_epoch = trainer_best_epoch(t);
	trainer_free(t);
	return bad;
}

/* The shares of the classes among the training windows answer for a model; one more window of each
 * class leaves no share at 0. */
static void guess(const struct cv *cv, const struct dataset *d, const struct fold_items *x, struct cv_fold *f)
{
	int classes = d->classes.n;
	real *logits = NEW_ARRAY(real, classes);
	for (int64_t i = 0; i < x->split.trains; i++)
		logits[d->item[x->split.train[i]].label] += 1;
	for (int c = 0; c < classes; c++)
		logits[c] = (real)log((double)logits[c] + 1);
	for (int64_t i = 0; i < x->tests; i++)
		count(cv, &d->item[x->test[i]], logits, f);
	free(logits);
}

static int run_fold(struct work *w, struct cv_fold *f, struct dataset *d, struct pool *one)
{
	const struct cv *cv = w->cv;
	struct fold_items x;
	if (folds_items(cv->folds, d, f->fold, cv->valid_fraction, f->own_seed, &x))
		return -1;
	if (cv->without && cv->without->model) {
		guess(cv, d, &x, f);
		fold_items_free(&x);
		return 0;
	}
	struct training_data data = {
		d, d, x.split.train, x.split.valid, x.split.trains, x.split.valids, NULL};
	double begun = processor_seconds();
	struct model *m = fit_model(cv->config, NULL, false, &data, one, f->own_seed, NULL);
	int bad = !m || train_fold(cv->without, &data, m, one, f);
	double trained = processor_seconds();
	bad = bad || test_fold(cv, m, &x, one, f);
	f->train_seconds = trained - begun;
	f->test_seconds = processor_seconds() - trained;
	f->trains = x.split.trains;
	f->valids = x.split.valids;
	bad = bad || (cv->keep && save_model(w, m, f));
	model_free(m);
	fold_items_free(&x);
	return bad ? -1 : 0;
}

static void record_failure(struct work *w, int i)
{
	w->job[i].error = mem_text(err_text());
	w->job[i].status = err_status();
	w->stop = true;
}

/* Hands out the folds that are done, in their order. */
static void hand_out(struct work *w)
{
	int n = cv_count(w->cv);
	for (; w->next < n && w->job[w->next].done; w->next++) {
		struct cv_fold *f = &w->fold[w->next];
		if (!w->stop && w->watch->fold(w->watch->context, f, w->finished, n))
			record_failure(w, w->next);
		free_lines(f);
	}
}

static void run_task(void *context, int i, int worker)
{
	struct work *w = context;
	(void)worker;
	pthread_mutex_lock(&w->lock);
	bool stop = w->stop;
	pthread_mutex_unlock(&w->lock);
	if (stop)
		return;
	struct pool *one = pool_new(1);
	struct dataset *d = view_of(w->cv, &w->fold[i]);
	int bad = run_fold(w, &w->fold[i], d, one);
	if (bad)
		err_at_fold(w->cv, &w->fold[i]);
	dataset_free(d);
	pool_free(one);
	pthread_mutex_lock(&w->lock);
	w->finished++;
	if (bad)
		record_failure(w, i);
	else
		w->job[i].done = true;
	hand_out(w);
	pthread_mutex_unlock(&w->lock);
}

int cv_run(const struct cv *cv, struct pool *pool, struct cv_fold *fold, const struct cv_watch *watch)
{
	int n = cv_count(cv), bad = 0;
	struct work w = {.cv = cv, .watch = watch, .fold = fold, .job = NEW_ARRAY(struct job, n)};
	pthread_mutex_init(&w.lock, NULL);
	gemm_single_thread(pool_threads(pool));
	pool_run(pool, n, run_task, &w);
	for (int i = 0; i < n; i++) {
		if (w.job[i].error && !bad)
			bad = err_set(w.job[i].status, "%s", w.job[i].error);
		free(w.job[i].error);
	}
	pthread_mutex_destroy(&w.lock);
	free(w.job);
	return bad;
}
