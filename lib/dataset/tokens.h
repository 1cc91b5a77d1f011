/* Tokens that are the same every time (band powers, covariances): made of a window's samples once
 * and kept. In this order:
 *
 *     tokens_keep      samples --tokeniser--> features of the listed items, in a spill buffer
 *     tokens_level     mean powers over training items, where the tokeniser needs them --> the model's buffers
 *     tokens_finish    what the tokeniser does with these powers
 *     tokens_subject_means   mean of each group's features over its kept items, subtracted by tokens_standardise (train.scale=group)
 *     tokens_fit       mean and deviation over training items --> the model's buffers
 *     tokens_standardise   by these, in place: from here on the tokens are as the encoder reads them
 *
 * A region's features of a window are [n][D], row i of kind i mod kinds; a mean is [kinds][D].
 */
#ifndef DATASET_TOKENS_H
#define DATASET_TOKENS_H

#include "dataset/dataset.h"

struct tokens;

/* Whether the tokens of region k, of any region, of all regions can be kept: they are the same
 * every time. */
bool tokens_are_fixed(const struct model *, int k);
bool tokens_any_fixed(const struct model *);
bool tokens_all_fixed(const struct model *);

/* Both are borrowed. */
struct tokens *tokens_new(const struct dataset *, const struct model *);
void tokens_free(struct tokens *);
/* Makes and keeps the features of these items from samples scaled as the dataset says now, in one
 * pass over the raw samples of each; those that are there already stay. */
void tokens_keep(struct tokens *, const int64_t *items, int64_t n, struct pool *);
/* Over these items, which are kept, before any is finished. Of a model that was trained the powers
 * are known. */
void tokens_level(const struct tokens *, const int64_t *items, int64_t n, struct pool *, struct model *);
/* Finishes what was kept since the last time. */
void tokens_finish(struct tokens *, struct pool *);
/* -1 with an error that names the first of these items, which are kept, whose features are not all
 * finite. */
int tokens_check(const struct tokens *, const int64_t *items, int64_t n);
/* Each group's mean over its items among these, which are kept; those whose features are not finite
 * have no say. Items that are standardised already keep theirs. */
void tokens_subject_means(struct tokens *, const int64_t *items, int64_t n);
/* The same while windows arrive: each of these items, in their order, has for its mean that of its
 * group's items so far, itself included. The sums outlive tokens_forget. */
void tokens_running_subject_means(struct tokens *, const int64_t *items, int64_t n);
/* Forgets what is kept of items: the dataset was cleared. */
void tokens_forget(struct tokens *);
/* Over the listed items, which are kept, less their subject mean where they have one: population
 * deviation, 1 where nothing varies. */
void tokens_fit(const struct tokens *, const int64_t *items, int64_t n, struct pool *, struct model *);

/* Standardises, in place, what was kept and finished since the last time: all of it is listed. The
 * subject means and the model's mean and deviation are known and do not change any more. */
void tokens_standardise(struct tokens *, const int64_t *items, int64_t n);
/* [*n of the item][D] as the encoder reads them. */
const real *tokens_standardised(const struct tokens *, int64_t item, int k, int *n);
/* Keeps an item's out-of-fold linear prior (train/linear_prior.h), [K][classes]; and that of region
 * k [classes], NULL where none was kept. */
void tokens_keep_prior(struct tokens *, int64_t item, const real *linear_prior);
const real *tokens_prior(const struct tokens *, int64_t item, int k);
bool tokens_any_prior(const struct tokens *); /* whether any item has one */

bool tokens_kept(const struct tokens *, int64_t item);
/* out [n of the item][D] as the encoder reads them; false, and nothing, where region k keeps
 * none */
bool tokens_read(const struct tokens *, int64_t item, int k, real *out);
/* How many tokens of an item region k keeps: 0 where its tokens are not fixed. */
int tokens_count(const struct tokens *, int64_t item, int k);
/* [n of the item][D] as they stand now */
const real *tokens_row(const struct tokens *, int64_t item, int k);
/* [kinds][D] of the item's group; NULL without */
const real *tokens_subject_mean(const struct tokens *, int64_t item, int k);

#endif
