/* Another sampling rate, by a ratio up / down of whole numbers: a windowed sinc in polyphase form,
 * causal.
 *
 *     rows in     0   1   2   3   4   5   6 ...          up / down = 2 / 3: row m out stands at row 3 m / 2 in
 *     rows out    0     1     2     3     4 ...
 *
 * The kernel is a sinc times a Kaiser window (Kaiser, "Nonrecursive digital filter design using the
 * I0-sinh window function", 1974) of RESAMPLE_HALF samples of the slower rate to each side. From
 * half of the slower rate on it lets pass less than a thousandth (60 dB), up to 0.386 of that rate
 * everything. The weights of each phase sum to 1: a constant stays what it is. A row out is there
 * when the input has come half the kernel beyond its time (resampler_delay): its place is that of
 * its time, the delay is only when it is known.
 */
#ifndef FILTER_RESAMPLE_H
#define FILTER_RESAMPLE_H

#include <stdint.h>

enum { RESAMPLE_HALF = 16, RESAMPLE_MOST = 10000 };

/* The simplest ratio up / down that is to / from to one in a million, neither beyond RESAMPLE_MOST;
 * -1 when there is none. */
int resample_ratio(double from, double to, int *up, int *down);

/* The first row out that stands at row `row` in, or behind it. */
int64_t resample_row(int64_t row, int up, int down);

struct resampler;

struct resampler *resampler_new(int up, int down, int C);
/* The next rows are `row`, row + 1, ... of the input; before them stand others like the first. */
void resampler_begin(struct resampler *, int64_t row);
/* One row in, x [C]; then rows out, as long as resampler_next gives them. */
void resampler_push(struct resampler *, const double *x);
/* The input ends: others like the last row follow. Not without a row. */
void resampler_end(struct resampler *);
/* A row out [C], if all it takes is there, else NULL. Ascending, none left out. */
const double *resampler_next(struct resampler *, int64_t row);
/* Rows of the input that a row out waits for. */
int resampler_delay(const struct resampler *);
void resampler_free(struct resampler *);

#endif
