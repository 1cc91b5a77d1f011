/* Channels that look wrong: for moe-split --explain. */
#ifndef RECORDING_QUALITY_H
#define RECORDING_QUALITY_H

#include "base/text.h"

#include <stdint.h>

/* x [rows][C] in microvolts. Appends channel and why to the two lists: constant, identical to
 * another, at the amplifier's rail, or of a size that speaks for another unit. */
void quality_check(const float *x, int64_t rows, int C, const struct names *channels,
	struct names *suspicious, struct names *why);

#endif
