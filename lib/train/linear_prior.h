/* Linear prior: what a linear map of all regions' tokens says of the classes, solved in closed form
 * before the first step.
 *
 *     X [n][d]   a window's features: each kind's mean over its segments, standardised, all regions side by side
 *     Y [n][classes]   1 for the window's class, less the share of each class
 *     W = (X^T A X + ridge n I)^-1 X^T A Y        A: class weights (ridge regression: Hoerl, Kennard 1970)
 *
 * What training windows are told comes from maps solved without their group, and up to an eighth of
 * the others (people; recordings where there is one group, fifths of the time where there is one
 * recording), so that encoders and gate learn from linear prior as honest as that of new people.
 * The same answers give the factor on W under which softmax of the linear prior has the least log
 * loss (with targets of (n + 1) / (n + 2) for a class of n windows: Platt 1999): it goes into the
 * map. And they tell how much of what speaks for the true class comes from each region: with these
 * weights the gate begins.
 */
#ifndef TRAIN_LINEAR_PRIOR_H
#define TRAIN_LINEAR_PRIOR_H

#include "dataset/dataset.h"

/* Unknowns of a system that fits into memory. */
enum { EVIDENCE_MOST = 6000 };

/* Of items whose tokens are kept, for a model that knows their mean and deviation: d->tokens then
 * has what maps without an item's group say of it; when training begins the model's maps, their
 * bias and the gate's first weights are set, too. Of more than `most` windows with more than `most`
 * features so many are solved with, at even distances. -1 with an error when the system cannot be
 * solved. */
int linear_prior_fit(
	struct dataset *, struct model *, const int64_t *items, int64_t n, int64_t most, bool begins);

#endif
