/* One prediction for each recording: the mean of the probabilities, and of the gate's weights, over
 * those of its windows that have a prediction.
 *
 *     struct votes v = {.model = m, .regions = K};
 *     votes_add(&v, &prediction) for each window;  votes_prediction(&v, i) for i < v.recordings.n;  votes_free
 *
 * Recordings of the same name are one; they are in the order in which they were first met. */
#ifndef PREDICT_VOTES_H
#define PREDICT_VOTES_H

#include "predict/prediction.h"

struct votes_recording {
	char *group, *label;
	bool mixed; /* windows of several labels */
	long long windows, answered;
	double *p, *gate; /* [outputs], [regions] sums over the windows that have a prediction */
};

struct votes {
	const struct model *model; /* borrowed */
	int regions;               /* 0 without a gate */
	struct names recordings;
	struct votes_recording *of; /* [recordings.n] */
	int room;
};

void votes_add(struct votes *, const struct prediction *window);
/* The prediction for recording i. Sums become means, so each is asked for once, at the end; it
 * points into the votes. Its label is that of all its labelled windows, NULL when they differ. */
struct prediction votes_prediction(struct votes *, int i);
void votes_free(struct votes *);

#endif
