#include "recording/timeline.h"

#include "base/error.h"
#include "base/mem.h"

#include <math.h>
#include <stdlib.h>

enum {
	ENOUGH = 1 << 16, /* steps the median is taken of */
	FEW = 200,        /* steps that do not show how bursts come */
};

void timeline_free(struct timeline *l)
{
	spill_free(&l->spill, l->gap);
	*l = (struct timeline){0};
}

static int compare_doubles(const void *x, const void *y)
{
	double a = *(const double *)x, b = *(const double *)y;
	return a < b ? -1 : a > b;
}

/* The first steps, sorted; those back to another trial are left out. *k of them, to be freed. */
static double *sorted_steps(const double *t, int64_t n, int64_t *k)
{
	int64_t most = n - 1 < ENOUGH ? n - 1 : ENOUGH;
	double *step = NEW_ARRAY(double, most);
	*k = 0;
	for (int64_t i = 0; i < most; i++)
		if (t[i + 1] >= t[i])
			step[(*k)++] = t[i + 1] - t[i];
	qsort(step, (size_t)*k, sizeof *step, compare_doubles);
	return step;
}

/* Whether fewer than four in five steps are near the median. */
static bool in_bursts(const double *step, int64_t k)
{
	double median = step[k / 2];
	int64_t near = 0;
	for (int64_t i = 0; i < k; i++)
		near += step[i] >= 0.5 * median && step[i] <= 1.5 * median;
	return !(median > 0) || 5 * near < 4 * k;
}

static double in_seconds(enum time_unit unit)
{
	return unit == TIME_UNIT_US ? 1e-6 : unit == TIME_UNIT_MS ? 1e-3 : 1;
}

/* Times since 1970 are known by their size: 1e9 s are in 2001, and so are 1e12 ms. */
static enum time_unit epoch_unit(double t, double step)
{
	if (t >= 5e8 && t < 5e9)
		return TIME_UNIT_S;
	if (t >= 5e11 && t < 5e12 && step >= 0.01)
		return TIME_UNIT_MS;
	return t >= 5e14 && t < 5e15 && step >= 10 ? TIME_UNIT_US : TIME_UNIT_AUTO;
}

static int choose_unit(
	const char *file, double first, double step, const struct timeline_hint *h, enum time_unit *unit)
{
	static const enum time_unit all[] = {TIME_UNIT_S, TIME_UNIT_MS, TIME_UNIT_US};
	*unit = epoch_unit(first, step);
	if (*unit != TIME_UNIT_AUTO)
		return 0;
	double expected = h->rate > 0 ? h->rate : h->device;
	for (int i = 0; i < 3 && expected > 0; i++) {
		double ratio = step * in_seconds(all[i]) * expected;
		if (ratio > 0.5 && ratio < 2) {
			*unit = all[i];
			return 0;
		}
	}
	if (step <= 0.04)
		*unit = TIME_UNIT_S;
	else if (step >= 0.4 && step <= 50 && step != 1)
		*unit = TIME_UNIT_MS;
	else if (h->likely != TIME_UNIT_AUTO)
		*unit = h->likely;
	else
		return err_set(EX_DATAERR,
			"%s: the time column advances in steps of %.6g, which may be seconds or "
			"milliseconds; give --time-unit, or give --rate",
			file, step);
	return 0;
}

/* The mean of the steps up to a limit; *jitter: how far one is from the median, *sum: of all,
 * *count: how many. */
static double mean_step(
	const double *t, int64_t n, double median, double limit, double *jitter, double *sum, double *count)
{
	*count = *sum = *jitter = 0;
	for (int64_t i = 1; i < n; i++) {
		double step = t[i] - t[i - 1];
		if (step > limit || step < 0)
			continue;
		*sum += step;
		++*count;
		if (fabs(step - median) > *jitter)
			*jitter = fabs(step - median);
	}
	return *sum > 0 ? *sum / *count : median;
}

/* The step: first with room for stamps that were rounded, then without the gaps; a whole number of
 * Hz when the times are compatible with one. */
static double refine_step(const double *t, int64_t n, double median, double scale, double *doubt)
{
	double jitter, sum, count;
	double rough = mean_step(t, n, median, 3 * median, &jitter, &sum, &count);
	double step = mean_step(t, n, median, 1.5 * (rough > median ? rough : median), &jitter, &sum, &count);
	double rate = 1 / (step * scale), whole = round(rate);
	*doubt = 1e-4 + jitter / sum;
	return whole > 0 && fabs(rate - whole) <= *doubt * rate ? whole : rate;
}

/* A rate that recorders have, when it is within the doubt. */
static double common_rate(double rate, double doubt)
{
	static const double common[] = {
		100, 125, 128, 200, 220, 250, 256, 300, 400, 500, 512, 600, 1000, 1024, 1200, 2000, 2048};
	double best = rate;
	for (size_t i = 0; i < sizeof common / sizeof *common; i++)
		if (fabs(common[i] - rate) <= doubt * rate &&
			(best == rate || fabs(common[i] - rate) < fabs(best - rate)))
			best = common[i];
	return best;
}

/* The rate of bursts, mean being the mean step. */
static double rate_of_bursts(
	const struct timeline *l, double mean, double count, const struct timeline_hint *h)
{
	double rate = 1 / (mean * in_seconds(l->unit));
	bool near = h->rate > 0 && fabs(rate - h->rate) <= (0.2 + l->doubt) * h->rate;
	if (h->rate > 0)
		return near || count < 4 * h->rate ? h->rate : rate;
	if (h->device > 0 && rate > h->device / 2)
		return h->device;
	return common_rate(rate, l->doubt < 0.02 ? l->doubt : 0.02);
}

/* Rows in bunches: the pause between two is the median of the longest steps, one in fifty. A rate
 * that is stated is used until there are four seconds to count, and that of the device when at
 * least half as many rows arrive. */
static int solve_bursts(struct timeline *l, const char *file, const double *t, int64_t n, const double *step,
	int64_t k, const struct timeline_hint *h)
{
	double jitter, sum, count, known = h->rate > 0 ? h->rate : h->device;
	l->bursts = true;
	l->usual = step[k - 1 - k / 100];
	l->longest = 2.5 * l->usual;
	double mean = mean_step(t, n, l->usual, l->longest, &jitter, &sum, &count);
	if (!(mean > 0) && !(known > 0))
		return err_set(
			EX_DATAERR, "%s: all times are equal; --drop the time column and give --rate", file);
	if (l->unit == TIME_UNIT_AUTO && mean > 0 && choose_unit(file, t[0], mean, h, &l->unit))
		return -1;
	if (l->unit == TIME_UNIT_AUTO)
		l->unit = t[0] >= 5e11 ? TIME_UNIT_MS : TIME_UNIT_S;
	double scale = in_seconds(l->unit), half = 0.5 / scale;
	if (k < FEW && l->longest < half) /* the longest pause has perhaps not been seen */
		l->longest = half;
	l->doubt = mean > 0 ? 1e-3 + l->usual / sum : 0;
	l->rate = mean > 0 ? rate_of_bursts(l, mean, count, h) : known;
	if (!(l->usual > 0))
		l->usual = 1 / (l->rate * scale);
	return 0;
}

int timeline_goes_back(const char *file, int64_t row, double before, double now)
{
	return err_set(EX_DATAERR,
		"%s: row %lld of the data: the time goes back from %.10g to %.10g; sort the rows, or --drop "
		"the "
		"time column and give --rate",
		file, (long long)row + 1, before, now);
}

int timeline_solve(
	struct timeline *l, const char *file, const double *t, int64_t n, const struct timeline_hint *h)
{
	int64_t k = 0;
	*l = (struct timeline){.unit = h->unit, .start = t[0]};
	double *step = n < 2 ? NULL : sorted_steps(t, n, &k);
	int e = 0;
	if (!k && h->rate > 0) {
		l->rate = h->rate;
		l->unit = l->unit == TIME_UNIT_AUTO ? TIME_UNIT_S : l->unit;
	} else if (!k && n > 1) {
		e = timeline_goes_back(file, 1, t[0], t[1]);
	} else if (!k) {
		e = err_set(EX_DATAERR,
			"%s: there is only one row, so that the times give no rate; give --rate", file);
	} else if (in_bursts(step, k)) {
		e = solve_bursts(l, file, t, n, step, k, h);
	} else if (l->unit != TIME_UNIT_AUTO || !choose_unit(file, t[0], step[k / 2], h, &l->unit)) {
		double scale = in_seconds(l->unit);
		l->rate = refine_step(t, n, step[k / 2], scale, &l->doubt);
		l->usual = 1 / (l->rate * scale);
		l->longest = 1.5 * l->usual;
		if (l->longest < 1.5 * step[k / 2] * 0.9)
			l->longest = 1.5 * step[k / 2];
	} else {
		e = -1;
	}
	free(step);
	return e;
}

enum timeline_step timeline_step(const struct timeline *l, bool timed, double before, double now, double lost,
	double round_rows, double *seconds)
{
	double scale = in_seconds(l->unit), step = timed ? (now - before) * scale : 0;
	if (timed && now < before) {
		*seconds = (double)NAN;
		return fabs(now - l->start) * scale * l->rate < 0.5 ? STEP_GAP : STEP_BACK;
	}
	if (isnan(lost)) { /* the counter started again: only the times show how long that took */
		*seconds = timed ? step - 1 / l->rate : (double)NAN;
		return STEP_GAP;
	}
	if (lost < 0) {
		*seconds = step - l->usual * scale;
		return timed && l->longest > 0 && now - before > l->longest ? STEP_GAP : STEP_ON;
	}
	double rows = timed ? step * l->rate - 1 : 0;
	if (round_rows > 0 && rows - lost > 0.75 * round_rows)
		lost += round_rows * round((rows - lost) / round_rows);
	*seconds = lost / l->rate;
	return lost > 0 ? STEP_GAP : STEP_ON;
}

void timeline_add_gap(struct timeline *l, int64_t row, double seconds)
{
	SPILL_ROOM_FOR_ONE(&l->spill, l->gap, l->gaps, l->room);
	l->gap[l->gaps++] = (struct gap){row, row, seconds};
}

const char *timeline_kind(const struct timeline *l)
{
	if (l->unit == TIME_UNIT_US)
		return l->start >= 5e14 ? "epoch microseconds" : "microseconds";
	if (l->unit == TIME_UNIT_MS)
		return l->start >= 5e11 ? "epoch milliseconds" : "milliseconds";
	return l->start >= 5e8 ? "epoch seconds" : "seconds";
}
