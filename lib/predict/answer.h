/* What a model says of a window or a recording, and how it is written: by the model's head
 * (model/head.h). */
#ifndef PREDICT_ANSWER_H
#define PREDICT_ANSWER_H

#include "dataset/dataset.h"

struct answer {
	const struct model *model;             /* whose head it is written by */
	const char *recording, *group, *label; /* label NULL = unknown */
	const char *class; /* the one answered; NULL: the model has no answer, or its head no classes */
	long long start, windows; /* windows: of a recording; 0 of a window */
	double time;
	int outputs, regions; /* of the head (classes); regions 0: there is no gate */
	int samples;          /* of a window that are there */
	/* NULL where there is no answer: */
	const double *p;     /* [outputs] probabilities of the classes, or what else the head decodes to */
	const real *logits;  /* [outputs] what p was decoded from; NULL for a recording */
	const double *gate;  /* [K] */
	const char *adapted; /* "group": other windows of it had a say (dataset/adapt.h); NULL: none had */
};

/* Of one item, of which p [outputs], logits [outputs] and the weights of the regions, gate
 * [regions], are known; they are borrowed. All are NULL where there is no answer. */
struct answer answer_item(const struct dataset *, int64_t item, const struct model *, int regions,
	const double *p, const real *logits, const double *gate);

/* Of one item, by what dataset_evaluate made of it: logits [outputs], weights [K]. p [outputs] and
 * gate [K] are room for what the answer points to. */
struct answer answer_window(const struct model *, const struct dataset *, int64_t item, const real *logits,
	const real *weights, double *p, double *gate);

/* Adds one line of JSON; `more`, further keys as they shall stand at its end (",\"fold\":1"), or
 * "". */
void answer_json(const struct answer *, const char *more, struct text *);

#endif
