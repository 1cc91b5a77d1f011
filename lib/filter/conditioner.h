/* Conditioning a recording as it is read: the same for rows that come one by one and for a whole
 * file.
 *
 *     rows [C + extra] --reference--> [C] --notches, band pass (filter.h)--> --another rate (resample.h)--> rows out [C]
 *                                                             |
 *     gap, or rows without a value:  what is held back comes out, and all state begins anew with the next row
 *
 * Rows out count from the recording's start, on through gaps. A stretch of n rows without a gap
 * gives n up / down rows, rounded up; row m of a stretch stands at its row m down / up, and has the
 * label of that row or the one before. A row out is bad, and 0, when a row without a value lies
 * between it and the next.
 */
#ifndef FILTER_CONDITIONER_H
#define FILTER_CONDITIONER_H

#include "format/conditioning.h"

#include <stdint.h>

/* Channels as they come: C of the windows, then those that are read for the reference only. */
struct conditioner_channels {
	const struct names *channels, *extra;
	const int *from; /* [C + extra] -1 = not in this recording: not part of the reference */
	bool zero;       /* channels that are not there stay 0 */
};

struct conditioned {
	int64_t n, room;
	float *x; /* [n][C] */
	struct origin {
		int64_t row; /* the row of the input at its place or before it, from the recording's start */
		bool bad;
		bool begins; /* the first one of a stretch */
	} * from;            /* [n] */
};

struct conditioner;

/* `average` becomes the names of the channels it is about: all but those whose name says that they
 * are no EEG (EOG, ECG, EKG, EMG, GSR, RESP, PPG, ACC, GYRO, TRIG or STIM is in it). -1 with
 * EX_USAGE when there are not two. */
int conditioner_resolve(struct conditioning *, const struct names *channels);

/* For recordings of this rate, Hz. NULL with an error of this status, naming file, frequency and
 * remedy. */
struct conditioner *conditioner_new(const struct conditioning *, const struct conditioner_channels *,
	double rate, const char *file, int status);
/* Rows in; what comes of them is added to conditioner_out, which the caller empties (n = 0). */
void conditioner_rows(struct conditioner *, const float *x, int64_t rows); /* x [rows][C + extra] */
void conditioner_bad(struct conditioner *, int64_t rows);                  /* rows without a value */
void conditioner_gap(struct conditioner *); /* the stretch ends, or the recording */
struct conditioned *conditioner_out(struct conditioner *);
/* Rows out for rows in, each stretch by itself; 1 and 1 when the rate stays. */
void conditioner_ratio(const struct conditioner *, int *up, int *down);
/* What resampling waits for, in rows of the input. */
int conditioner_delay(const struct conditioner *);
void conditioner_free(struct conditioner *);

#endif
