/* Changes made to training windows (train.augment), each a function of (seed, step, window of the
 * batch) alone: what each does stands in model/augmentation/.
 *
 * They act on scaled samples, before these become tokens, in the order of their table. A channel
 * that several regions see is treated alike in all of them, and what is no signal (padding, samples
 * after the window's end) stays 0.
 */
#ifndef TRAIN_AUGMENT_H
#define TRAIN_AUGMENT_H

#include "base/real.h"
#include "format/layout.h"
#include "model/config.h"

struct augment {
	const double *amount; /* of each of the table, 0 = not done */
	const struct layout *layout;
	uint64_t seed, step;
};

bool augments(const struct config *); /* in any way */
/* Refuses times that are no sample, or no less than a window. */
int augment_check(const struct config *, const struct layout *);

/* All that change windows by themselves on window b of the step: x [T][W_k] of region k, whose
 * first `there` samples are there. */
void augment_window(const struct augment *, int b, int k, int there, real *x);

/* Where windows are mixed with others (augmentation_pairing): the partner of each of the B windows,
 * and its own share, 1 for one without a partner. */
void augment_pairs(const struct augment *, int B, int *partner, real *share);

#endif
