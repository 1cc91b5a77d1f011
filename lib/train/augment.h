/* Changes made to training windows (train.augment), each a function of (seed, step, window of the batch) alone.
 *
 *     shift     the samples go round by up to so much time, what leaves at one end coming in at the other
 *     flip      the sign of all samples is turned, with this probability
 *     noise     Gaussian, of so many times the deviation of the channel in the window
 *     mask      a stretch of so much time is 0 in all channels
 *     channels  each channel is 0 throughout, with this probability
 *     mixup     share x + (1 - share) y with another window y of the batch, share the larger of s and 1 - s, s from
 *               Beta(amount, amount); the loss weighs both labels likewise (Zhang, Cisse, Dauphin, Lopez-Paz, ICLR 2018)
 *
 * They act on scaled samples, before these become tokens, in this order. A channel that several regions see is treated alike in all
 * of them, and what is no signal (padding, samples after the window's end) stays 0.
 */
#ifndef TRAIN_AUGMENT_H
#define TRAIN_AUGMENT_H

#include "base/real.h"
#include "format/layout.h"
#include "model/config.h"

struct augment {
	const double *amount; /* [AUGMENTATIONS] */
	const struct layout *layout;
	uint64_t seed, step;
};

bool augments(const struct config *); /* in any way */
/* Refuses times that are no sample, or no less than a window. */
int augment_check(const struct config *, const struct layout *);

/* All but mixup on window b of the step: x [T][W_k] of region k, whose first `there` samples are there. */
void augment_window(const struct augment *, int b, int k, int there, real *x);

/* mixup's partner and share of each of the B windows; share 1 for one without a partner. */
void augment_pairs(const struct augment *, int B, int *partner, real *share);

#endif
