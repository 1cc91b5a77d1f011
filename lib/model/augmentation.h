/* What training may do to its windows (train.augment): the names, and how much of each. What each does is in train/augment.c. */
#ifndef MODEL_AUGMENTATION_H
#define MODEL_AUGMENTATION_H

#include "base/text.h"

/* In the order in which they are done. */
enum {
	AUGMENT_SHIFT,
	AUGMENT_FLIP,
	AUGMENT_NOISE,
	AUGMENT_MASK,
	AUGMENT_CHANNELS,
	AUGMENT_MIXUP,
	AUGMENTATIONS
};

struct augmentation {
	const char *name;
	bool seconds; /* the amount is a time */
	double min, max;
};

extern const struct augmentation augmentation_table[AUGMENTATIONS];

/* Reads "NAME:AMOUNT", AMOUNT with an s behind it where it is a time, into amount [AUGMENTATIONS]; one that is not 0 there already is
 * an error. `what` names the place for messages. */
int augmentation_read(const char *text, double *amount, const char *what);
/* Adds the list as JSON. */
void augmentation_write(const double *amount, struct text *);

#endif
