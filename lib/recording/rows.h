/* Rows of a recording as samples in microvolts, with label, time and what is missing.
 *
 *     rows_begin(&r, ...)      then   while ((more = rows_next(&r, x)) == 1) ...      and rows_end in any case
 */
#ifndef RECORDING_ROWS_H
#define RECORDING_ROWS_H

#include "recording/time_format.h"
#include "recording/columns.h"
#include "recording/counter.h"
#include "recording/reader.h"

struct imputed_channel;

struct rows {
	struct reader *reader;
	int (*next)(struct rows *, float *x);
	const struct columns *columns;
	const struct reading_options *o;
	struct names *labels;            /* grows */
	int C;                           /* channels, and those for the reference */
	bool straight;                   /* the channels stand side by side and in order */
	const double *scale;             /* [C] to microvolts */
	struct imputed_channel *imputed; /* [imputed_channels] */
	int imputed_channels;
	struct text cell; /* the bytes of the last label */
	enum time_format
		time_format; /* how times are written, as the first was; TIME_FORMAT_NONE = as numbers */
	bool begun;          /* it was */
	double midnights;    /* seconds to be added to a time of day */
	struct counter counter;
	int64_t messages, marked;  /* rows with nothing but a message; rows the recorder does not trust */
	struct reader_block block; /* of a reader that gives such: */
	int64_t at, taken;         /* its next row; rows taken in all */
	bool labelled;             /* the number before was a label */
	float number;
	/* of the row read last */
	int32_t label; /* index into labels, -1 = unlabelled */
	double time;   /* as it stands there, or in seconds when it is text; without a time column 0 */
	double lost; /* rows that are missing before it according to the counter; NaN = it started again; -1 = there is no counter */
	int missing; /* cells without a value, */
	bool *is_missing; /* [C] which */
};

/* Everything is borrowed. -1 when a channel is missing and cannot be
 * imputed. */
int rows_begin(struct rows *, struct reader *, const struct columns *, const struct reading_options *,
	struct names *labels);
/* x [C]: 1, 0 at the end, -1 with an error. A missing value is 0 in x. */
int rows_next(struct rows *, float *x);
/* Whether the next row, or the end, can be had without waiting for a writer. */
bool rows_ready(const struct rows *);
void rows_end(struct rows *);

/* --- for readers that give rows: once the channels of a row are there, */

/* the channels that are imputed, */
void rows_impute(struct rows *, float *x);
/* the value of the column that counts the samples, when there is one, */
void rows_count(struct rows *, double counter);
/* and what the recorder marks as invalid, or has interpolated itself: missing values, unless those
 * are refused, when they are counted. */
void rows_mark(struct rows *, bool invalid, bool interpolated);

#endif
