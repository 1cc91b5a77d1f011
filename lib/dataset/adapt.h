/* What a dataset holds ready for a model beside its samples: features of tokens that are the same
 * every time, and, for a model that adapts to subjects (train.scale=group), the
 * statistics of each group's own unlabelled windows:
 *
 *     tokens of bands      each group's mean of the features (dataset/tokens.h)
 *     other tokens         each group's mean and deviation of each channel's samples
 *
 * WHOLE takes all windows of a group that are given; RUNNING, for windows that are still arriving,
 * those that came so far.
 */
#ifndef DATASET_ADAPT_H
#define DATASET_ADAPT_H

#include "dataset/dataset.h"

enum adapt { ADAPT_WHOLE, ADAPT_RUNNING };

/* Whether this model's answers depend on the other windows of the group. */
bool dataset_adapts(const struct model *);
/* Makes and keeps the tokens of these items, where the model's are the same every time, from
 * samples that are scaled as the dataset says now: one pass over the raw samples. */
void dataset_keep(struct dataset *, const struct model *, const int64_t *items, int64_t n, struct pool *);
/* The statistics of these items' groups, where the model adapts, and their tokens, unless they are
 * kept already; the dataset has the model's scaler. Running: may be called again, after
 * dataset_clear too. */
void dataset_adapt(
	struct dataset *, const struct model *, const int64_t *items, int64_t n, enum adapt, struct pool *);
/* Standardises the kept tokens of these items, which are all that were kept since the last time:
 * from here on the dataset can be evaluated and trained on. */
void dataset_standardise(struct dataset *, const int64_t *items, int64_t n);
/* Both for items from .. from + n - 1 when the model adapts, which it need not; -1 with an
 * error when one of them holds what cannot be answered (dataset_check). */
int dataset_update_statistics(
	struct dataset *, const struct model *, int64_t from, int64_t n, enum adapt, struct pool *);
/* Of the scaler in the dataset; dataset.c alone calls them. */
void group_scaler_free(struct group_scaler *);
void group_scaler_forget(struct group_scaler *);

#endif
