/* Regions of a layout's channels: by index, from a list in a file, or from where the electrodes sit.
 *
 *     channels --way (lobes, hemispheres, auto:K)--> own channels of each region --halo--> columns
 *              --index ranges----------------------/
 *              --file (own, or own and halo)-------/
 *
 * Every region has a channel of its own. Columns are the own channels in their order and then the halo's in theirs; padding
 * is only in index regions with a halo by index. A way of dividing is one file in region/ and one line of the table in
 * regions.c.
 */
#ifndef EEG_REGIONS_H
#define EEG_REGIONS_H

#include "eeg/split.h"

/* -1 with an error when what is said of regions contradicts itself. */
int regions_check(const struct split_options *);

struct regions_told {
	struct names empty; /* regions that have no channel and are left out */
	double head;        /* radius in mm, 0 when no positions were needed */
};

/* Sets region and halo of the layout. recording: for messages. Sentences for the user are appended to notes. -1 with an error. */
int regions_make(struct layout *, const struct split_options *, const char *recording, struct names *notes,
	struct regions_told *);

#endif
