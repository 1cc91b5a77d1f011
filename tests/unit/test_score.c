/* What moe-score is made of: chance limits, intervals, the bins of calibration, thresholds, cells of
 * tables. */
#include "check.h"

#include "base/error.h"
#include "base/text.h"
#include "score/resample.h"
#include "score/chance.h"
#include "score/metric.h"
#include "score/threshold.h"

#include <stdlib.h>

/* Published limits in per cent, and the quantiles of SciPy (binom.ppf) where they are a whole
 * number of answers. */
static void chance_limits_are_those_of_the_binomial(void)
{
	static const struct {
		int n, classes;
		double at95, at99;
	} known[] = {{45, 2, 62.2, 66.7}, {60, 2, 60.0, 65.0}, {144, 2, 56.9, 59.7}, {90, 4, 32.2, 35.6},
		{288, 4, 29.2, 30.9}};
	for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
		CHECK_NEAR(100 * chance_limit(known[i].n, 1.0 / known[i].classes, 0.95), known[i].at95, 0.05);
		CHECK_NEAR(100 * chance_limit(known[i].n, 1.0 / known[i].classes, 0.99), known[i].at99, 0.05);
	}
	CHECK_NEAR(chance_limit(100000, 0.5, 0.95) * 100000, 50260, 1e-6);
	CHECK_NEAR(chance_limit(1, 0.5, 0.95), 1, 0);
	CHECK_NEAR(chance_limit(1, 0.5, 0.5), 0, 0); /* none right in half of the tries */
	CHECK_NEAR(chance_limit(7, 1, 0.95), 1, 0);
	CHECK_NEAR(chance_limit(7, 0, 0.95), 0, 0);
}

static void an_interval_leaves_out_a_fortieth_on_either_side(void)
{
	enum { N = 41 };
	double draw[N + 2];
	for (int i = 0; i < N; i++)
		draw[i] = (double)((i * 17) % N); /* 0 .. 40 in another order */
	draw[N] = draw[N + 1] = NAN;
	struct interval x = resample_interval(draw, N + 2);
	CHECK_NEAR(x.low, 1, 0);
	CHECK_NEAR(x.high, 39, 0);
	double none[] = {NAN, NAN};
	CHECK(isnan(resample_interval(none, 2).low) && isnan(resample_interval(none, 0).high));
}

static void as_many_groups_are_drawn_as_there_are(void)
{
	enum { GROUPS = 7, DRAWS = 7000 };
	int times[GROUPS], again[GROUPS], sum[GROUPS] = {0};
	for (int i = 0; i < DRAWS; i++) {
		int all = 0;
		resample_groups(3, i, GROUPS, times);
		for (int g = 0; g < GROUPS; g++) {
			all += times[g];
			sum[g] += times[g];
		}
		CHECK(all == GROUPS);
	}
	for (int g = 0; g < GROUPS; g++)
		CHECK_NEAR(sum[g] / (double)DRAWS, 1, 0.06); /* five standard errors */
	resample_groups(3, DRAWS - 1, GROUPS, again);
	CHECK(!memcmp(times, again, sizeof again));
	resample_groups(4, DRAWS - 1, GROUPS, again);
	CHECK(memcmp(times, again, sizeof again));
}

static void calibration_goes_by_bins(void)
{
	/* .62 and .65 share the bin from .6 to .6667, of two one is right */
	double p[] = {0.62, 0.38, 0.65, 0.35, 0.9, 0.1, 1, 0};
	struct prediction_row row[] = {{.label = 0}, {.label = 1, .named = 0}, {.label = 0}, {.label = 0}};
	struct predictions a = {.n = 4, .windows = 4, .row = row, .p = p, .width = 2};
	double value[METRICS];
	int64_t confusion[4];
	CHECK(metric_values(&a, 0, 4, false, value, confusion) == 4);
	CHECK_NEAR(value[METRIC_CALIBRATION_ERROR], (fabs(1 - 1.27) + 0.1 + 0) / 4, 1e-12);
	CHECK_NEAR(value[METRIC_BRIER], 2 * (0.38 * 0.38 + 0.65 * 0.65 + 0.1 * 0.1) / 4, 1e-12);
	CHECK_NEAR(value[METRIC_LOG_LOSS], -(log(0.62) + log(0.35) + log(0.9)) / 4, 1e-12);
	p[7] = 1;
	p[6] = 0; /* certain and wrong: p counts as 1e-15 */
	row[3].best = row[3].named = 1;
	metric_values(&a, 3, 4, false, value, confusion);
	CHECK_NEAR(value[METRIC_LOG_LOSS], -log(1e-15), 1e-12);
	CHECK_NEAR(value[METRIC_CALIBRATION_ERROR], 1, 1e-12);
	CHECK(isnan(value[METRIC_AUROC]) && confusion[1] == 1);
}

static void metrics_have_two_names(void)
{
	CHECK(metric_named("bacc") == METRIC_BALANCED_ACCURACY &&
		metric_named("balanced_accuracy") == METRIC_BALANCED_ACCURACY);
	CHECK(metric_named("loss") < 0 && err_status() == EX_USAGE && strstr(err_text(), "logloss"));
}

static void limits_are_met_at_the_limit_and_missed_where_a_metric_is_not_defined(void)
{
	struct score score = {
		.value = {[METRIC_ACCURACY] = 0.75, [METRIC_LOG_LOSS] = 0.5, [METRIC_AUROC] = NAN}};
	struct names below = {0}, above = {0}, wrong = {0};
	struct text misses = {0};
	names_split(&below, "acc=0.75", ',');
	names_split(&above, "logloss=0.5", ',');
	CHECK(!threshold_parse("fail-under", &below) && !threshold_parse("fail-over", &above));
	threshold_check(&below, true, &score, &misses);
	threshold_check(&above, false, &score, &misses);
	CHECK(!misses.n);
	names_split(&below, "acc=0.8,auroc=0", ',');
	threshold_check(&below, true, &score, &misses);
	CHECK_TEXT(text_string(&misses),
		"accuracy 0.75 is below 0.8; AUROC is not defined for these predictions");
	names_split(&wrong, "acc", ',');
	CHECK(threshold_parse("fail-under", &wrong) && err_status() == EX_USAGE);
	names_free(&below);
	names_free(&above);
	names_free(&wrong);
	text_free(&misses);
}

static void cells_are_quoted_where_they_must(void)
{
	struct text t = {0};
	text_cell(&t, "a,\"b\"", ',');
	text_number_cell(&t, 0.5, ',');
	text_number_cell(&t, NAN, ',');
	CHECK_TEXT(text_string(&t), "\"a,\"\"b\"\"\",0.5,");
	t.n = 0;
	text_cell(&t, "a,\tb\n", '\t');
	CHECK_TEXT(text_string(&t), "a, b ");
	text_free(&t);
}

/* Nearly normal: 1.96 standard errors to either side. */
static void the_interval_of_a_mean_is_as_wide_as_its_standard_error_says(void)
{
	enum { GROUPS = 40 };
	double x[GROUPS], mean = 0, square = 0;
	for (int g = 0; g < GROUPS; g++) {
		x[g] = g % 5 + 0.1 * (g % 7);
		mean += x[g] / GROUPS;
	}
	for (int g = 0; g < GROUPS; g++)
		square += (x[g] - mean) * (x[g] - mean) / GROUPS;
	double error = sqrt(square / GROUPS);
	struct interval i = resample_mean(x, GROUPS, 4000, 5);
	CHECK_NEAR((mean - i.low) / error, 1.96, 0.15);
	CHECK_NEAR((i.high - mean) / error, 1.96, 0.15);
	CHECK(isnan(resample_mean(x, 1, 100, 5).low));
}

int main(void)
{
	CASE(chance_limits_are_those_of_the_binomial);
	CASE(an_interval_leaves_out_a_fortieth_on_either_side);
	CASE(as_many_groups_are_drawn_as_there_are);
	CASE(the_interval_of_a_mean_is_as_wide_as_its_standard_error_says);
	CASE(calibration_goes_by_bins);
	CASE(metrics_have_two_names);
	CASE(limits_are_met_at_the_limit_and_missed_where_a_metric_is_not_defined);
	CASE(cells_are_quoted_where_they_must);
	return check_done();
}
