/* Cross-validation: a model trained for every fold, and what it says of the windows held out.
 *
 *     folds_make(&folds, dataset, ...)                               (train/folds.h)
 *     cv_check(&cv, &notes)                                          every fold has what it needs, before the first is trained
 *     struct cv_fold *f = cv_new(&cv);                               [cv_count]
 *     cv_run(&cv, pool, f, &watch)
 *     cv_sentences(&cv, f, &lines);  cv_summary(&cv, f, &json);            (cv_summary.c)
 *     cv_free(&cv, f);
 *
 * The work is permutations x seeds x folds, in this order, each a task of the pool with one thread
 * to itself; the samples are shared. A fold's own seed is a function of (seed, fold, permutation),
 * so that nothing depends on the number of threads.
 */
#ifndef TRAIN_CV_H
#define TRAIN_CV_H

#include "train/folds.h"
#include "score/metrics.h"

/* What a run is without, to show what that is worth (train/controls.h). */
struct cv_control {
	const char *name; /* in front of the names of models that are kept */
	bool steps;       /* no training step is made */
	bool model;       /* ... and there is none: the largest class of the training windows answers */
	void (*change)(struct model *); /* done to each model before its first step; NULL: nothing */
};

struct cv {
	const struct configuration *config;
	const struct folds *folds;
	double valid_fraction; /* of the units that train; 0 = none validates */
	int seeds;
	const uint64_t *seed;         /* [seeds] */
	int permutations;             /* of the labels; 0 = they stay */
	enum holdout_unit permute_by; /* whose classes are exchanged */
	const char *keep;             /* folder for the models, or NULL */
	const struct history *history;
	const struct cv_control *without; /* NULL: all is there; else answers are counted, not written */
	/* [runs][units of the folds' kind] begun metrics, to which the windows that test are added:
	 * what each unit's answers are worth; NULL: not wanted */
	struct metrics *by_unit;
};

struct cv_fold {
	int run, permutation, fold; /* run: a seed and a permutation */
	uint64_t seed, own_seed;
	char *lines; /* its answers; handed out and freed in the order of the folds */
	size_t bytes, room;
	struct spill lines_spill;
	int64_t trains, valids;
	struct metrics metrics;             /* of the windows that test */
	int best_epoch;                     /* with validation; else 0 */
	double train_seconds, test_seconds; /* of the processor */
};

struct cv_watch {
	void *context;
	/* Called for one fold at a time, in their order, from any thread; done of total have been
	 * trained. -1 with an error ends the work. */
	int (*fold)(void *context, const struct cv_fold *, int done, int total);
};

int cv_count(const struct cv *);
int cv_runs(const struct cv *); /* seeds times permutations */
/* notes: what the user should know about folds */
int cv_check(const struct cv *, struct names *notes);
struct cv_fold *cv_new(const struct cv *);
void cv_free(const struct cv *, struct cv_fold *);
/* -1 with the error of the first fold in order that has one. */
int cv_run(const struct cv *, struct pool *, struct cv_fold *, const struct cv_watch *);

/* Metrics of every fold and of all of them, as sentences and as one JSON object. */
void cv_sentences(const struct cv *, const struct cv_fold *, struct names *sentences);
/* more: further keys as they shall stand at the object's end (",\"controls\":[]"), or "". */
void cv_summary(const struct cv *, const struct cv_fold *, const char *more, struct text *);

#endif
