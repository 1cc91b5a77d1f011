/* Controls of a cross-validation: the same folds and seeds once more, each time without one thing
 * that is said to help. What the model does no better than without it, it does not do by it.
 *
 *     struct controls *c = controls_new(&cv, &wanted, &needed, threads, &notes);
 *     cv_run(&cv, ...)                                               the model itself; its answers are counted by unit
 *     controls_run(c, pool, &watch)
 *     controls_say(c, &lines);  controls_json(c, &json);             (controls_compare.c)
 *     controls_idle(c, &sentences)
 *     controls_free(c)
 *
 * The difference is that of accuracy, model minus control, in each unit that is held out (a group,
 * or a recording), then the mean over the units; its interval comes from drawing the units again.
 */
#ifndef TRAIN_CONTROLS_H
#define TRAIN_CONTROLS_H

#include "train/cv.h"

struct controls;

/* "all|frozen|..." for an option's help, to be freed. */
char *controls_names(void);

/* wanted: names of controls, or "all"; needed: names of those that the model has to beat, which run
 * too. The cross-validation is borrowed, must have been checked, and is told to count by unit
 * (cv.by_unit). A control that does not apply, or that the windows do not allow, is left out: a
 * note names it and says why. A needed one that would be left out is an error, and so is an unknown
 * name: NULL. threads: so many folds are trained side by side. */
struct controls *controls_new(struct cv *, const struct names *wanted, const struct names *needed,
	int threads, struct names *notes);
void controls_free(struct controls *);

struct controls_watch {
	void *context;
	/* Called for one fold at a time, from any thread; -1 with an error ends the work. */
	int (*fold)(void *context, int done, int total);
};

/* -1 with the error of the first fold of a control that has one. */
int controls_run(struct controls *, struct pool *, const struct controls_watch *);

/* A table, line by line; and further keys of the summary (cv_summary): ",\"controls\":[...]". */
void controls_say(const struct controls *, struct names *lines);
void controls_json(const struct controls *, struct text *);
/* A sentence for each needed control that the model does not beat: the interval of the difference
 * is not above 0. */
void controls_idle(const struct controls *, struct names *sentences);

#endif
