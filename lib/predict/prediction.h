/* The prediction of a model for one window or one recording, and how it is written as JSON: by the
 * model's output head (model/head.h). */
#ifndef PREDICT_PREDICTION_H
#define PREDICT_PREDICTION_H

#include "dataset/dataset.h"

struct prediction {
	const struct model *model;             /* whose head it is written by */
	const char *recording, *group, *label; /* label NULL = unknown */
	const char *class; /* the one predicted; NULL: there is no prediction, or the head has no classes */
	long long start, windows; /* windows: of a recording; 0 of a window */
	double time;
	int outputs, regions; /* of the head (classes); regions 0: there is no gate */
	int samples;          /* of a window that are there */
	/* NULL where there is no prediction: */
	const double *p;    /* [outputs] probabilities of the classes, or what else the head decodes to */
	const real *logits; /* [outputs] what p was decoded from; NULL for a recording */
	const double *gate; /* [K] */
	const char *
		adapted; /* "group": normalised with other windows of its group (dataset/adapt.h); NULL: not */
};

/* Of one item, of which p [outputs], logits [outputs] and the weights of the regions, gate
 * [regions], are known; they are borrowed. All are NULL where there is
 * no prediction. */
struct prediction prediction_of_item(const struct dataset *, int64_t item, const struct model *, int regions,
	const double *p, const real *logits, const double *gate);

/* Of one item, by what dataset_evaluate made of it: logits [outputs], weights [K]. p [outputs] and
 * gate [K] are room for what the prediction points to. */
struct prediction prediction_of_window(const struct model *, const struct dataset *, int64_t item,
	const real *logits, const real *weights, double *p, double *gate);

/* Adds one line of JSON; `more`, further keys as they shall stand at its end (",\"fold\":1"), or
 * "". */
void prediction_json(const struct prediction *, const char *more, struct text *);

#endif
