/* Loss and accuracy of a classification, from counts that can be added up. */
#ifndef SCORE_METRICS_H
#define SCORE_METRICS_H

#include "base/real.h"

#include <stdint.h>

struct metrics {
	int classes;
	int64_t n;
	double log_loss;    /* sum of -ln p(label) */
	int64_t *confusion; /* [classes label][classes predicted] */
};

void metrics_begin(struct metrics *, int classes);
void metrics_end(struct metrics *);
/* One window: logits [classes], its label. Ties go to the lower class. */
void metrics_add(struct metrics *, const real *logits, int label);
/* Adds the windows of another one with as many classes. */
void metrics_join(struct metrics *, const struct metrics *);
double metrics_loss(const struct metrics *); /* mean log loss */
double metrics_accuracy(const struct metrics *);
double metrics_balanced_accuracy(
	const struct metrics *); /* mean of the classes' recalls, over classes that occur */

/* The class with the largest of p [n], the lower one on a tie. */
int metrics_likeliest(const double *p, int n);
/* The class with the largest of logits [classes], the lower one on a tie. */
int metrics_predicted(const real *logits, int classes);

#endif
