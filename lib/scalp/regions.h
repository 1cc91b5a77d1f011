/* Regions of a layout's channels: by index, from a list in a file, or from where the electrodes
 * sit.
 *
 *     channels --way (lobes, hemispheres, auto:K)--> own channels of each region --halo--> columns
 *              --index ranges----------------------/
 *              --file (own, or own and halo)-------/
 *
 * Every region has a channel of its own. Columns are the own channels in their order and then the
 * halo's in theirs; padding is only in index regions with a halo by index. A way of dividing is one
 * file in region/ and one line of the table in regions.c.
 */
#ifndef SCALP_REGIONS_H
#define SCALP_REGIONS_H

#include "format/layout.h"

/* Options for making regions; all 0: index regions. */
struct region_options {
	const char *regions;    /* lobes, hemispheres, auto:K or a file (TSV); NULL: index regions */
	const char *electrodes; /* a file of positions; NULL: they follow from the names */
	int indexed, halo;      /* index regions; columns on each side of them, else nearest channels */
	double halo_mm;         /* or the channels within this distance along the head */
	bool halo_given, halo_mm_given;
};

/* -1 with an error when the options contradict each other. */
int regions_check(const struct region_options *);

struct regions_report {
	struct names empty; /* regions that have no channel and are left out */
	double head;        /* radius in mm, 0 when no positions were needed */
};

/* Sets region and halo of the layout. recording: for messages. Sentences for the user are appended
 * to notes. -1 with an error. */
int regions_make(struct layout *, const struct region_options *, const char *recording, struct names *notes,
	struct regions_report *);

#endif
