#include "eeg/timeline.h"

#include "base/error.h"
#include "base/mem.h"

#include <math.h>
#include <stdlib.h>

enum { ENOUGH = 1 << 16 }; /* steps the median is taken of */

void timeline_free(struct timeline *l)
{
	shelf_free(&l->shelf, l->gap);
	*l = (struct timeline){0};
}

static int ascending(const void *x, const void *y)
{
	double a = *(const double *)x, b = *(const double *)y;
	return a < b ? -1 : a > b;
}

static double median_step(const double *t, int64_t n)
{
	int64_t k = n - 1 < ENOUGH ? n - 1 : ENOUGH;
	double *step = NEW_ARRAY(double, k);
	for (int64_t i = 0; i < k; i++)
		step[i] = t[i + 1] - t[i];
	qsort(step, (size_t)k, sizeof *step, ascending);
	double m = step[k / 2];
	free(step);
	return m;
}

static double in_seconds(enum split_time unit)
{
	return unit == SPLIT_TIME_US ? 1e-6 : unit == SPLIT_TIME_MS ? 1e-3 : 1;
}

static int choose_unit(const char *file, double step, double expected, enum split_time *unit)
{
	static const enum split_time all[] = {SPLIT_TIME_S, SPLIT_TIME_MS, SPLIT_TIME_US};
	for (int i = 0; i < 3 && expected > 0; i++) {
		double ratio = step * in_seconds(all[i]) * expected;
		if (ratio > 0.5 && ratio < 2) {
			*unit = all[i];
			return 0;
		}
	}
	if (step <= 0.04)
		*unit = SPLIT_TIME_S;
	else if (step >= 0.4 && step <= 50 && step != 1)
		*unit = SPLIT_TIME_MS;
	else
		return err_set(EX_DATAERR,
			"%s: the time column moves in steps of %.6g: seconds or milliseconds? Say so with "
			"--time-unit, or "
			"give --rate",
			file, step);
	return 0;
}

/* The mean of the steps up to a limit; *jitter: how far one is from the median, *sum: of all. */
static double mean_step(const double *t, int64_t n, double median, double limit, double *jitter, double *sum)
{
	double count = 0;
	*sum = *jitter = 0;
	for (int64_t i = 1; i < n; i++) {
		double step = t[i] - t[i - 1];
		if (step > limit)
			continue;
		*sum += step;
		count++;
		if (fabs(step - median) > *jitter)
			*jitter = fabs(step - median);
	}
	return *sum > 0 ? *sum / count : median;
}

/* The step: first with room for stamps that were rounded, then without the gaps; a whole number of Hz when the times cannot
 * tell it from one. */
static double refine(const double *t, int64_t n, double median, double scale, double *doubt)
{
	double jitter, sum;
	double rough = mean_step(t, n, median, 3 * median, &jitter, &sum);
	double step = mean_step(t, n, median, 1.5 * (rough > median ? rough : median), &jitter, &sum);
	double rate = 1 / (step * scale), whole = round(rate);
	*doubt = 1e-4 + jitter / sum;
	return whole > 0 && fabs(rate - whole) <= *doubt * rate ? whole : rate;
}

int timeline_goes_back(const char *file, int64_t row, double before, double now)
{
	return err_set(EX_DATAERR,
		"%s: row %lld of the data: the time goes back from %.10g to %.10g; sort the rows, or --drop "
		"the "
		"time column and give --rate",
		file, (long long)row + 1, before, now);
}

int timeline_solve(struct timeline *l, const char *file, const double *t, int64_t n, enum split_time unit,
	double expected)
{
	*l = (struct timeline){.unit = unit};
	if (n < 2)
		return err_set(EX_DATAERR, "%s: one row only: its times give no rate; give --rate", file);
	for (int64_t i = 1; i < n; i++)
		if (t[i] < t[i - 1])
			return timeline_goes_back(file, i, t[i - 1], t[i]);
	double median = median_step(t, n);
	if (!(median > 0))
		return err_set(EX_DATAERR,
			"%s: most times are equal to the one before; --drop the time column and give --rate",
			file);
	if (unit == SPLIT_TIME_AUTO && choose_unit(file, median, expected, &l->unit))
		return -1;
	double scale = in_seconds(l->unit);
	l->rate = refine(t, n, median, scale, &l->doubt);
	l->longest = 1.5 / (l->rate * scale);
	if (l->longest < 1.5 * median * 0.9)
		l->longest = 1.5 * median;
	for (int64_t i = 1; i < n; i++)
		if (t[i] - t[i - 1] > l->longest) {
			SHELF_ROOM_FOR_ONE(&l->shelf, l->gap, l->gaps, l->room);
			l->gap[l->gaps++] = (struct gap){i, i, (t[i] - t[i - 1]) * scale - 1 / l->rate};
		}
	return 0;
}
