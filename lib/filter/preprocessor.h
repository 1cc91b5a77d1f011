/* Preprocessing a recording as it is read: the same for rows that come one by one and for a whole
 * file.
 *
 *     rows [C + extra] --reference--> [C] --notches, band pass (filter.h)--> --another rate (resample.h)--> rows out [C]
 *                                                             |
 *     gap, or rows without a value:  what is held back comes out, and all state is reset
 *
 * Rows out count from the recording's start, on through gaps. A segment of n rows without a gap
 * gives n up / down rows, rounded up; row m of a segment stands at its row m down / up, and has the
 * label of that row or the one before. A row out is invalid, and 0, when a row without a value lies
 * between it and the next.
 */
#ifndef FILTER_PREPROCESSOR_H
#define FILTER_PREPROCESSOR_H

#include "format/preprocessing.h"

#include <stdint.h>

/* Channels as they come: C of the windows, then those that are read for the reference only. */
struct preprocessor_channels {
	const struct names *channels, *extra;
	const int *from; /* [C + extra] -1 = not in this recording: not part of the reference */
	bool zero;       /* channels that are not there stay 0 */
};

struct preprocessed {
	int64_t n, room;
	float *x; /* [n][C] */
	struct preprocessed_row {
		int64_t row; /* the row of the input at its place or before it, from the recording's start */
		bool invalid;
		bool begins; /* the first one of a segment */
	} * from;            /* [n] */
};

struct preprocessor;

/* `average` becomes the names of the channels it is about: all but those that are not EEG by their
 * name (it contains EOG, ECG, EKG, EMG, GSR, RESP, PPG, ACC, GYRO, TRIG or STIM). -1 with EX_USAGE
 * when there are fewer than two. */
int preprocessor_resolve(struct preprocessing *, const struct names *channels);

/* For recordings of this rate, Hz. NULL with an error of this status, naming file, frequency and
 * remedy. */
struct preprocessor *preprocessor_new(const struct preprocessing *, const struct preprocessor_channels *,
	double rate, const char *file, int status);
/* Rows in; what comes of them is added to preprocessor_out, which the caller empties (n = 0). */
void preprocessor_rows(struct preprocessor *, const float *x, int64_t rows); /* x [rows][C + extra] */
void preprocessor_invalid(struct preprocessor *, int64_t rows);              /* rows without a value */
void preprocessor_gap(struct preprocessor *); /* the segment ends, or the recording */
struct preprocessed *preprocessor_out(struct preprocessor *);
/* Rows out for rows in, each segment by itself; 1 and 1 when the rate stays. */
void preprocessor_ratio(const struct preprocessor *, int *up, int *down);
/* What resampling waits for, in rows of the input. */
int preprocessor_delay(const struct preprocessor *);
void preprocessor_free(struct preprocessor *);

#endif
