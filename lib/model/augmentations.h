/* The augmentations there are, one a line, in the order in which they are done: NAME is
 * augmentation_NAME of augmentation/NAME.c.
 *
 * A program that brings one of its own along defines augmentation_table itself, from these rows and
 * one more.
 */
#ifndef MODEL_AUGMENTATIONS_H
#define MODEL_AUGMENTATIONS_H

#include "model/augmentation.h"

/* clang-format off */
#define AUGMENTATION_LIST(ROW) \
	ROW(shift) \
	ROW(flip) \
	ROW(noise) \
	ROW(mask) \
	ROW(channels) \
	ROW(mixup)
/* clang-format on */

#define AUGMENTATION_DECLARATION(NAME) extern const struct augmentation augmentation_##NAME;
#define AUGMENTATION_ROW(NAME)         &augmentation_##NAME,

#endif
