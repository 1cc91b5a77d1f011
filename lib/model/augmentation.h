/* What training may do to its windows (train.augment). One file each in augmentation/, entered by
 * one line of augmentations.h.
 *
 * It changes each window by itself, or mixes it with another one of the batch; each is a function
 * of (seed, step, window) alone.
 */
#ifndef MODEL_AUGMENTATION_H
#define MODEL_AUGMENTATION_H

#include "base/real.h"
#include "base/rng.h"
#include "base/text.h"

enum { AUGMENTATIONS = 16 }; /* at most */

/* A scaled window as one region sees it. */
struct augmentation_view {
	uint64_t seed, step;
	int window; /* of the batch */
	double rate;
	int there, W;           /* samples that are there; channels */
	const int32_t *channel; /* [W] number in the recording, -1 = padding, which stays 0 */
	double amount;
	real *x; /* [there][W] */
};

struct augmentation {
	const char *name;
	bool seconds; /* the amount is a time */
	bool signs;   /* it turns the sign of all samples, and nothing else */
	double min, max;
	/* One of the two: changes a window, alike in every region that sees a channel; or gives
	 * each of the B windows of a batch its partner and its own share in the mixture of both,
	 * 1 for one without a partner. */
	void (*change)(const struct augmentation_view *);
	void (*pair)(double amount, uint64_t seed, uint64_t step, int B, int *partner, real *share);
};

extern const struct augmentation
	*const augmentation_table[]; /* in the order in which they are done; ends with NULL */

int augmentation_find(const char *name); /* its number, or -1 */
/* Of those with an amount the one that mixes windows with others, or -1; there is one at most. */
int augmentation_pairing(const double *amount);
/* Draws for a channel, or for all of the window (-1). */
struct rng augmentation_draws(const struct augmentation_view *, const char *purpose, int channel);
int augmentation_samples(double seconds, double rate);

/* Reads "NAME:AMOUNT", AMOUNT with an s behind it where it is a time, into amount [AUGMENTATIONS];
 * one that is not 0 there already is an error. `what` names the place for messages. */
int augmentation_read(const char *text, double *amount, const char *what);
/* Adds the list as JSON. */
void augmentation_write(const double *amount, struct text *);

#endif
