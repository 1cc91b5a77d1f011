/* Runs an ensemble on windows as they come and writes what it predicts: JSON Lines or a table, a
 * line for each window or for each recording.
 *
 *     struct predictor *p = predictor_new(ensemble, output, &options);
 *     predictor_begin(p, source_is_files(operands));
 *     while ((got = source_next(s, &w)) == 1 && !(bad = predictor_add(p, s, w))) ;
 *     bad = predictor_end(p, got < 0 || bad);
 *
 * Lines leave as soon as their batch is predicted, so that a reader of a pipe has them at once.
 */
#ifndef PREDICT_PREDICTOR_H
#define PREDICT_PREDICTOR_H

#include "io/output.h"
#include "predict/ensemble.h"
#include "predict/source.h"

enum predictor_form { PREDICTOR_JSON_LINES, PREDICTOR_CSV, PREDICTOR_TSV };

struct predictor_options {
	enum predictor_form form;
	bool per_recording;   /* the mean of a recording's windows instead of each window */
	bool allow_nonfinite; /* windows whose prediction is not finite get a line without one */
	bool rejects;         /* the class is PREDICTOR_UNSURE where the largest probability ... */
	double reject;        /* ... is below this */
	int batch;            /* windows predicted at a time, at least 1 */
};

/* The class that stands for a rejected window. */
#define PREDICTOR_UNSURE "unsure"

/* -1 with an error when --reject can have no effect on the model, or collides with a class. */
int predictor_check(const struct predictor_options *, const struct model *);

struct predictor;
/* Ensemble and output are borrowed, the options copied. */
struct predictor *predictor_new(struct ensemble *, struct output *, const struct predictor_options *);
void predictor_free(struct predictor *);

/* Writes the header of a table. at_once: every window is there already (regular files), so that
 * models that normalise by subject see all of them before the first prediction. */
int predictor_begin(struct predictor *, bool at_once);
/* Takes the windows over, which the source has just given, and predicts them unless more are ready
 * to fill the batch. */
int predictor_add(struct predictor *, struct source *, struct windows *);
/* Predicts what is left. failed: reading went wrong (the error is recorded): windows that came
 * before the damage get their predictions, the error stays, and -1 is returned. */
int predictor_end(struct predictor *, bool failed);

/* Windows so far, and those of them whose prediction is not finite. */
long long predictor_windows(const struct predictor *);
long long predictor_nonfinite(const struct predictor *);

#endif
