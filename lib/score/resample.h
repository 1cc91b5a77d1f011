/* Confidence intervals by bootstrap over groups (percentiles, Efron 1979): the windows of a subject
 * are not independent of each other, subjects are.
 *
 *     for i < resamples: resample_groups(seed, i, n, times); draw[i] = the metric with group g counted times[g] times
 *     resample_interval(draw, resamples)
 */
#ifndef SCORE_RESAMPLE_H
#define SCORE_RESAMPLE_H

#include <stdint.h>

struct interval {
	double low, high; /* NAN: not defined */
};

/* times [n]: how often each of n groups is drawn when n are drawn with replacement, the i-th
 * time. */
void resample_groups(uint64_t seed, int i, int n, int *times);
/* The 2.5th and the 97.5th percentile of draw [n], which gets sorted; draws that are NAN do not
 * count. */
struct interval resample_interval(double *draw, int n);
/* Of the mean of x [n], one number for each group, over so many draws of the groups; NAN of one
 * group. */
struct interval resample_mean(const double *x, int n, int draws, uint64_t seed);

#endif
