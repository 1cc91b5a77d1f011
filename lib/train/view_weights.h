/* How much each view of a model counts in its linear prior, from what views say of windows they
 * were not fitted on.
 *
 *     S_v [n][classes] = a view's scores out of fold
 *     f_v = argmin  mean cross-entropy of log prior + f_v S_v             each view calibrated by itself
 *     logits = log prior + sum_v exp(t_v) f_v S_v
 *     t = argmin  subjects * mean cross-entropy + SHRINK / 2 sum_v (t_v - mean t)^2
 *
 * so that views begin as strong as they are sure by themselves (one that knows nothing is next to
 * silent), and a weight departs from that of the others only as far as the subjects speak for it:
 * windows of one subject are no independent witnesses, and count as one. A view is left out where
 * this makes the objective smaller by more than 1, the weight that likelihood gives to a parameter
 * (Akaike 1974).
 */
#ifndef TRAIN_VIEW_WEIGHTS_H
#define TRAIN_VIEW_WEIGHTS_H

#include <stdint.h>

struct view_scores {
	int64_t n;
	int views, classes;
	const double *score;  /* [n][views][classes] */
	const double *target; /* [classes][classes]: the probabilities wanted of a window of each class */
	const double *prior;  /* [classes] logarithms */
	const int *label;     /* [n] */
	const double *weight; /* [classes] of a window of each class */
	double subjects;
};

/* weight [views], what a view's scores are multiplied by: exp(t_v) f_v, or 0 where it is left
 * out. One view, or scores that are all 0, gets 1. */
void view_weights(const struct view_scores *, double *weight);

#endif
