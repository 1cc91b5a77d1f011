/* Rows of a table as samples in microvolts, with label, time and what is missing.
 *
 *     rows_begin(&r, ...)      then   while ((more = rows_next(&r, x)) == 1) ...      and rows_end in any case
 */
#ifndef RECORDING_ROWS_H
#define RECORDING_ROWS_H

#include "io/csv.h"
#include "recording/clock.h"
#include "recording/columns.h"
#include "recording/counter.h"

struct made_up;

struct rows {
	struct csv_table *table;
	const struct columns *columns;
	const struct split_options *o;
	const char *file;
	struct names *labels; /* grows */
	int C;                /* channels, and those for the reference */
	bool straight;        /* the channels stand side by side and in order */
	const double *scale;  /* [C] to microvolts */
	struct made_up *made; /* [mades] */
	int mades;
	struct text cell;      /* the bytes of the last label */
	enum clock_kind clock; /* how times are written, as the first was; CLOCK_NONE = as numbers */
	bool begun;            /* it was */
	double midnights;      /* seconds to be added to a time of day */
	struct counter counter;
	int64_t messages, marked; /* rows with nothing but a message; rows the recorder does not trust */
	/* of the row read last */
	int32_t label; /* index into labels, -1 = unlabelled */
	double time;   /* as it stands there, or in seconds when it is text; without a time column 0 */
	double lost; /* rows that are missing before it by the counter; NaN = it began anew; -1 = there is none */
	int missing; /* cells without a value, */
	bool *hole;  /* [C] which */
};

/* Everything is borrowed. -1 when a channel is missing that cannot be made up. */
int rows_begin(struct rows *, const char *file, struct csv_table *, const struct columns *,
	const struct split_options *, struct names *labels);
/* x [C]: 1, 0 at the end, -1 with an error. A hole is 0 in x. */
int rows_next(struct rows *, float *x);
void rows_end(struct rows *);

/* What a cell means as a label: its index in `labels`, appended when new, or -1 = unlabelled. -1 with an error that names file and
 * line when it is none of the classes that were given, no text, or one too many. */
int rows_label(const struct split_options *, const char *file, long long line, struct csv_cell,
	struct names *labels, int32_t *label);
/* Whether two texts are the same label: 1 and 1.0 are. */
bool rows_same_label(const char *, const char *);

#endif
