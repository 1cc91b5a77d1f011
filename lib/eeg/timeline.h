/* What a column of times says: the rate, and where samples are missing. */
#ifndef EEG_TIMELINE_H
#define EEG_TIMELINE_H

#include "eeg/split.h"
#include "io/shelf.h"

struct gap {
	int64_t row;      /* the first row behind it */
	int64_t recorded; /* the same, also when `row` counts resampled rows */
	double seconds;   /* how much longer the step is than a sample */
};

struct timeline {
	enum split_time unit;
	double rate;
	double longest; /* step, in the column's unit; what is longer is a gap */
	double doubt; /* how far the rate may be off, as a share: stamps that were rounded tell it the better the more there are */
	struct gap *gap; /* [gaps] */
	int64_t gaps, room;
	struct shelf shelf;
};

/* t [n]: the column. expected: a rate somebody named, or 0. The step is the median of the first ones, refined to the mean of
 * those that are no gap; a step of more than one and a half is a gap. Seconds or milliseconds: from `unit`; else such that
 * the rate comes out near the expected one; else steps up to 0.04 are seconds (25 Hz and more), steps of 0.4 to 50 other than
 * 1 are milliseconds (20 to 2500 Hz), and anything else is an error that asks. */
int timeline_solve(struct timeline *, const char *file, const double *t, int64_t n, enum split_time unit,
	double expected);
/* The error of a time that goes back before row (from 0). */
int timeline_goes_back(const char *file, int64_t row, double before, double now);
void timeline_free(struct timeline *);

#endif
