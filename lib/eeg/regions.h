/* Regions from a file: lines of region, channel and core or halo, separated by tabs. */
#ifndef EEG_REGIONS_H
#define EEG_REGIONS_H

#include "io/layout.h"

/* Reads the regions of layout->channels into layout->region. Regions and columns stand in the order of the file. A channel
 * that is not known, one twice in a region, and a region without a core channel are errors with file and line. */
int regions_read(struct layout *, const char *path);

#endif
