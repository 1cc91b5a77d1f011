/* A BIDS channels.tsv: which columns of a recording are good EEG channels, and their units. */
#ifndef EEG_CHANNEL_FILE_H
#define EEG_CHANNEL_FILE_H

#include "eeg/columns.h"

struct channel_file {
	char *name;                /* NULL: there is none */
	struct names channel, why; /* [n] why it is left out; "" = it is not */
	bool *bad;                 /* [n] by its status */
	double *factor;            /* [n] to microvolts; 0 = the file does not say, -1 = no unit of voltage */
};

/* Columns name, and when there type (what is not EEG is left out), units, and status (what is bad is left out). A channel that
 * is no column of the table is an error. channel_file_free in any case. */
int channel_file_read(
	struct channel_file *, const char *path, const char *recording, const struct names *table);
void channel_file_free(struct channel_file *);

/* Why a column of the table is no channel; NULL when it is one, or there is no file. */
const char *channel_file_why(const struct channel_file *, const char *column);
bool channel_file_bad(const struct channel_file *, const char *column);
/* The factor of a channel to microvolts; 0 = the file does not say, or there is none; -1 = its unit is no voltage. */
double channel_file_factor(const struct channel_file *, const char *channel);

#endif
