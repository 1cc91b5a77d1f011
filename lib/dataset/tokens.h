/* Tokens that are the same every time (band powers, covariances): made of a window's samples once
 * and kept.
 *
 *     tokens_level     mean powers over training items, which the tokeniser needs --> the model's buffers
 *     tokens_keep      samples --tokeniser--> features of the listed items, in a spill buffer
 *     tokens_centre    mean of each group's features, over its kept items; it is taken off where they are read (train.scale=group)
 *     tokens_fit       mean and deviation over training items --> the model's buffers
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
/* Before anything is kept. */
void tokens_level(const struct dataset *, const int64_t *items, int64_t n, struct pool *, struct model *);
/* Makes and keeps the features of these items, scaled as the dataset says now; those that are there
 * already stay. */
void tokens_keep(struct tokens *, const int64_t *items, int64_t n, struct pool *);
/* -1 with an error that names the first of these items, which are kept, whose features are not all
 * finite. */
int tokens_check(const struct tokens *, const int64_t *items, int64_t n);
/* Each group's mean over its items among these, which are kept; those whose features are not finite
 * have no say. */
void tokens_centre(struct tokens *, const int64_t *items, int64_t n);
/* The same while windows arrive: each of these items, in their order, has for its mean that of its
 * group's items so far, itself included. The sums outlive tokens_forget. */
void tokens_centre_running(struct tokens *, const int64_t *items, int64_t n);
/* Forgets what is kept of items: the dataset was cleared. */
void tokens_forget(struct tokens *);
/* Over the listed items, which are kept, centred where they have a centre: population deviation, 1
 * where nothing varies. */
void tokens_fit(const struct tokens *, const int64_t *items, int64_t n, struct pool *, struct model *);

/* out [n of the item][D] as the encoder reads them: without the centre, by mean and deviation;
 * returns n. */
int tokens_standard(const struct tokens *, int64_t item, int k, real *out);
/* What an item is told as linear prior (train/linear_prior.h), [K][classes]; and that of region k
 * [classes], NULL where it was told nothing. */
void tokens_tell(struct tokens *, int64_t item, const real *linear_prior);
const real *tokens_told(const struct tokens *, int64_t item, int k);
bool tokens_tell_any(const struct tokens *); /* whether any item was told something */

bool tokens_kept(const struct tokens *, int64_t item);
/* out [n of the item][D], as the tokeniser made them */
bool tokens_read(const struct tokens *, int64_t item, int k, real *out);
/* [kinds][D] of the item's group; NULL without */
const real *tokens_centre_of(const struct tokens *, int64_t item, int k);

#endif
