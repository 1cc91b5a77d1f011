/* Which columns of a table are channels, which one holds labels or times, and which are left out,
 * and why. */
#ifndef RECORDING_COLUMNS_H
#define RECORDING_COLUMNS_H

#include "recording/channel_info.h"
#include "recording/options.h"

struct header_info; /* recording/header_info.h */

struct columns {
	struct names channels; /* [C] in the order of the result */
	struct names extra;    /* channels that are read for the reference only */
	int *from; /* [C + extra] column of the table; -1 = imputed (a channel of the model that is not there) */
	double *scale;                                          /* [C + extra] to microvolts */
	enum time_unit time_unit;                               /* of numbers; TIME_UNIT_AUTO = find out */
	int label, time, counter, message, valid, interpolated; /* columns, -1 = none */
	struct names ignored, why;
	const char *time_name; /* of the column of times, among the ignored; NULL = there is none */
};

/* What is known of the columns apart from their names. */
struct column_info {
	const struct names *units;          /* of a second header row, may be empty */
	const struct header_info *header;   /* from the first lines */
	const struct channel_info *sidecar; /* from the channels file */
	const char *why_label;              /* why the column of labels is not taken; NULL: it is */
};

/* names: of the table's columns, "" = unnamed. before: the channels of earlier recordings, which
 * these must be; NULL for the first. file: for messages. -1 with an error; columns_free in any
 * case. */
int columns_plan(struct columns *, const char *file, const struct names *names,
	const struct reading_options *, const struct names *before, const struct column_info *);
void columns_free(struct columns *);
/* The name of a channel, those for the reference behind the others. */
const char *columns_channel(const struct columns *, int channel);

#endif
