/* The parts regions are made of. */
#ifndef SCALP_REGION_REGION_H
#define SCALP_REGION_REGION_H

#include "format/layout.h"
#include "scalp/electrodes.h"

/* Which region each channel belongs to. */
struct division {
	struct names name; /* front to back, left to right */
	int *of;           /* [channels] index into name */
};

/* A way to divide. K: as in auto:K, 0 for ways without a number. -1 with an error. */
struct region_way {
	const char *name;
	bool numbered;
	int (*divide)(struct division *, const struct names *channels, const struct electrodes *, int K);
};

extern const struct region_way region_lobes, region_hemispheres, region_auto;

/* The name of the lobe under a site of the 10-05 system, as an index and as a word. */
int region_lobe(const struct montage_site *);
extern const char *const region_lobe_names[]; /* front to back; ends with NULL */

/* Reads the regions of layout->channels from a file: lines of region, channel and core or halo,
 * separated by tabs. Regions and columns stand in the order of the file. A channel that is not
 * known, one twice in a region, and a region without a core channel are errors with file and
 * line. */
int region_file_read(struct layout *, const char *path);
void region_add(struct region *, int channel, bool core);

/* Adds to every region the `number` channels that are nearest to one of its own, or, when number is
 * below 0, all that are not more than mm away from one along the head: the arc, angle times radius.
 * Of equal ones those that come first are taken. */
void region_halo(struct layout *, const struct electrodes *, int number, double mm);

#endif
