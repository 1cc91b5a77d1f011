/* Linear prior: what a linear map of the regions' tokens says of the classes, solved in closed form
 * before the first step. Each view of a model (model/views.h) has a map of its own (train/ridge.h),
 * and counts as much as its predictions are worth on subjects it was not fitted on
 * (train/view_weights.h):
 *
 *     W = (X^T A X + ridge n I)^-1 X^T A Y        A: class weights (ridge regression: Hoerl, Kennard 1970)
 *     prior = log shares + factor sum_v weight_v W_v x_v
 *
 * In training, windows get an out-of-fold prior: that of a map solved without their group, and
 * without up to an eighth of the others (groups, that is subjects; recordings where there is one
 * group; fifths of the time where there is one recording), so that encoders and gate learn from a
 * prior as honest as that of a new subject. The out-of-fold predictions also give the factor on W
 * under which softmax of the prior has the least log loss (with targets of (n + 1) / (n + 2) for a
 * class of n windows: Platt 1999); it is multiplied into the map. And they say how much of the
 * evidence for the true class comes from each region: with these weights the gate begins.
 */
#ifndef TRAIN_LINEAR_PRIOR_H
#define TRAIN_LINEAR_PRIOR_H

#include "dataset/dataset.h"

/* Unknowns of the largest system that is solved: it has to fit into memory. */
enum { LINEAR_PRIOR_MOST = 6000 };

/* Of items whose tokens are kept, for a model that knows their mean and deviation: puts each item's
 * out-of-fold prior into d->tokens; when training begins it also sets the model's maps, their bias
 * and the gate's first weights. With more than `most` windows and more than `most` features, `most`
 * of the windows, evenly spaced, are solved with. -1 with an error when the system cannot be
 * solved. */
int linear_prior_fit(
	struct dataset *, struct model *, const int64_t *items, int64_t n, int64_t most, bool begins);

#endif
