#include "score/resample.h"

#include "base/mem.h"
#include "base/rng.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void resample_groups(uint64_t seed, int i, int n, int *times)
{
	struct rng r = rng_stream(seed, "bootstrap", (uint64_t)i, 0);
	memset(times, 0, (size_t)n * sizeof *times);
	for (int j = 0; j < n; j++)
		times[rng_below(&r, (uint64_t)n)]++;
}

static int compare_numbers(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

struct interval resample_interval(double *draw, int n)
{
	int defined = 0;
	for (int i = 0; i < n; i++)
		if (!isnan(draw[i]))
			draw[defined++] = draw[i];
	if (!defined)
		return (struct interval){NAN, NAN};
	qsort(draw, (size_t)defined, sizeof *draw, compare_numbers);
	return (struct interval){
		draw[(int)floor(0.025 * (defined - 1) + 0.5)], draw[(int)floor(0.975 * (defined - 1) + 0.5)]};
}

struct interval resample_mean(const double *x, int n, int draws, uint64_t seed)
{
	draws = n > 1 ? draws : 0;
	int *times = NEW_ARRAY(int, n);
	double *draw = NEW_ARRAY(double, draws);
	for (int i = 0; i < draws; i++) {
		resample_groups(seed, i, n, times);
		for (int g = 0; g < n; g++)
			draw[i] += times[g] * x[g] / n;
	}
	struct interval interval = resample_interval(draw, draws);
	free(draw);
	free(times);
	return interval;
}
