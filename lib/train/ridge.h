/* Ridge regression of the classes on the features of a view's regions (model/views.h).
 *
 *     X [n][d]   a window's features: each kind's mean over its segments, standardised, the view's regions
 *                side by side
 *     W = (X^T X + ridge n I)^-1 X^T Y           Y [n][classes]: 1 for the window's class, less the shares
 *
 * solved with all windows, and without each of the folds in turn for what is said of its windows: a
 * fold is some of the subjects (or recordings, or segments of time).
 */
#ifndef TRAIN_RIDGE_H
#define TRAIN_RIDGE_H

#include "dataset/dataset.h"
#include "io/spill.h"
#include "model/model.h"

struct ridge {
	const struct dataset *d;
	const struct model *m;
	int64_t n;
	const int64_t *item; /* [n] */
	int classes, folds;
	int units;            /* subjects, or recordings or segments where there are fewer than two */
	double *root, *share; /* [classes] root of the weight of a class's windows; weighted shares */
	double *sure; /* [classes] how sure n windows of a class make of it at most: (n + 1) / (n + 2) */
	struct spill x_spill, fold_spill, out_of_fold_spill;
	unsigned char *fold; /* [n] */
	double *out_of_fold; /* [n][K][classes] by maps that have not seen the window's fold */
	int views, *view_of; /* [K] the view each region belongs to */
	/* the view at hand */
	int view;
	int64_t rows, features; /* windows that are solved with: item[i n / rows] */
	float *x;               /* [rows][features], each row times its root */
};

/* Fills what all views have in common; d, m, n, item are set. To be given to ridge_end. */
void ridge_begin(struct ridge *);
void ridge_end(struct ridge *);
/* Solves for a view, with `most` windows at most where there are more features than that. W
 * [classes][features] of its regions one after the other, to be freed, and its part of out_of_fold.
 * NULL when the system cannot be solved. */
double *ridge_solve(struct ridge *, int view, int64_t most);
/* Numbers that the map of region k reads; 0: it has none. */
size_t ridge_features(const struct model *, int k);
int ridge_label(const struct ridge *, int64_t place); /* of item[place] */

#endif
