/* What a column of times shows: the sampling rate, and where samples are missing. */
#ifndef RECORDING_TIMELINE_H
#define RECORDING_TIMELINE_H

#include "io/spill.h"
#include "recording/options.h"

struct gap {
	int64_t row;      /* the first row behind it */
	int64_t recorded; /* the same, also when `row` counts resampled rows */
	double seconds;   /* how much longer the step is than a sample; NaN = the times start again */
};

struct timeline {
	enum time_unit unit;
	double rate;
	double longest; /* step, in the column's unit; a longer one is a gap; 0 = steps show nothing */
	double usual;   /* step without a gap: a sample, or what lies between two bursts */
	double doubt; /* how far the rate may be off, as a fraction of it: rounded timestamps give it the better the more there are */
	double start; /* the first time */
	bool bursts;  /* rows arrive in bursts, so that only all timestamps together give the rate */
	struct gap *gap; /* [gaps] */
	int64_t gaps, room;
	struct spill spill;
};

/* What is known before the times are looked at. */
struct timeline_hint {
	enum time_unit unit;   /* of the times; TIME_UNIT_AUTO = find out */
	enum time_unit likely; /* of equal ones the unit to take; TIME_UNIT_AUTO = ask */
	double rate;           /* or 0 */
	double device;         /* rate the device has when its stamps come in bursts, or 0 */
};

/* t [n]: the column. Sets all but the gaps. The step is the median of the first ones, refined to
 * the mean of those that are no gap; a step of more than one and a half is a gap. Where stamps come
 * in bursts the rate is that of all rows, and a step of more than two and a half pauses between
 * bursts is a gap. Seconds or milliseconds: from the hint; else stamps since 1970 by their size;
 * else such that the rate comes out near the hint's; else steps up to 0.04 are seconds (25 Hz and
 * more), steps of 0.4 to 50 other than 1 are milliseconds (20 to 2500 Hz), and anything else is the
 * likely one, or an error that asks. */
int timeline_solve(
	struct timeline *, const char *file, const double *t, int64_t n, const struct timeline_hint *);

/* What lies between two rows. lost: rows that are missing according to a counter, NaN = it started
 * again; -1 = there is no counter, and the times decide. round: rows in one round of the counter,
 * which cannot tell 2 lost rows from 2 and a round; 0 = it never begins again, or that is not
 * known. Times that start again at the first one are another trial: a gap. */
enum timeline_step { STEP_ON, STEP_GAP, STEP_BACK };
enum timeline_step timeline_step(const struct timeline *, bool timed, double before, double now, double lost,
	double round, double *seconds);
void timeline_add_gap(struct timeline *, int64_t row, double seconds);

/* The error of a time that goes back before row (from 0). */
int timeline_goes_back(const char *file, int64_t row, double before, double now);
/* "seconds", "epoch milliseconds", ...: what the numbers of a column are. */
const char *timeline_kind(const struct timeline *);
void timeline_free(struct timeline *);

#endif
