/* A BIDS channels.tsv: which columns of a recording are good EEG channels, and their units. */
#ifndef SIDECAR_CHANNEL_FILE_H
#define SIDECAR_CHANNEL_FILE_H

#include "recording/channel_info.h"

/* Columns name, and when there type (what is not EEG is left out), units, and status (what is bad
 * is left out). A channel that is no column of the table is an error. channel_info_free in any
 * case. */
int channel_file_read(
	struct channel_info *, const char *path, const char *recording, const struct names *table);

#endif
