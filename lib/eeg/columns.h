/* Which columns of a table are channels, which one holds labels or times, and which are left out, and why. */
#ifndef EEG_COLUMNS_H
#define EEG_COLUMNS_H

#include "eeg/split.h"

struct channel_file; /* eeg/channel_file.h */

struct columns {
	struct names channels; /* [C] in the order of the result */
	struct names extra;    /* channels that are read for the reference only */
	int *from; /* [C + extra] column of the table; -1 = made up (a channel of the model that is not there) */
	double *factor;  /* [C + extra] to microvolts; NULL: the unit of the options for all */
	int label, time; /* columns, -1 = none */
	struct names ignored, why;
};

/* names: of the table's columns, "" = unnamed. before: the channels of earlier recordings, which these must be; NULL for the
 * first. file: for messages. facts: of its channels file. -1 with an error; columns_free in any case. */
int columns_plan(struct columns *, const char *file, const struct names *names, const struct split_options *,
	const struct names *before, const struct channel_file *facts);
void columns_free(struct columns *);
/* The name of a channel, those for the reference behind the others. */
const char *columns_channel(const struct columns *, int channel);

/* Whether this name says "time", and a unit in its words ("time_ms", "Time [s]"); *unit is left alone when it says none. */
bool columns_is_time(const char *name, enum split_time *unit);

#endif
