/* Filters, resampling and what joins them, against numbers of a second implementation
 * (tests/golden/filters.json, made by tests/reference/filters.py with SciPy) and against what they
 * promise. */
#include "check.h"

#include "base/error.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/rng.h"
#include "filter/preprocessor.h"
#include "filter/filter.h"
#include "filter/resample.h"
#include "format/layout.h"
#include "recording/recording.h"

#include <complex.h>
#include <stdlib.h>

/* --- against the second implementation */

enum { ROWS = 160, CHANNELS = 2 };

static const cJSON *current;

static double number(const char *key)
{
	return json_get(current, key)->valuedouble;
}

static void known_signal(double *x)
{
	for (int t = 0; t < ROWS; t++)
		for (int c = 0; c < CHANNELS; c++)
			x[t * CHANNELS + c] = ((t * 7919 + c * 104729) % 1009 - 504) / 8.0 + 1000.0 * (c + 1);
}

/* y [rows][CHANNELS] of the golden case: to 1e-9 of its largest value. */
static void compare(const double *y, int rows)
{
	const cJSON *want = json_get(current, "y");
	double size = 0, off = 0;
	CHECK(cJSON_GetArraySize(want) == rows);
	int t = 0;
	const cJSON *row;
	cJSON_ArrayForEach(row, want)
	{
		for (int c = 0; c < CHANNELS && t < rows; c++) {
			double v = cJSON_GetArrayItem(row, c)->valuedouble;
			size = fmax(size, fabs(v));
			off = fmax(off, fabs(v - y[t * CHANNELS + c]));
		}
		t++;
	}
	CHECK(size > 1);
	CHECK_NEAR(off / size, 0, 1e-9);
}

static int resampled(const double *x, int up, int down, double *y)
{
	struct resampler *r = resampler_new(up, down, CHANNELS);
	int n = 0;
	const double *row;
	resampler_begin(r, 0);
	for (int t = 0; t <= ROWS; t++) {
		if (t < ROWS)
			resampler_push(r, x + t * CHANNELS);
		else
			resampler_end(r);
		while (n < resample_row(ROWS, up, down) && (row = resampler_next(r, n)))
			memcpy(y + n++ * CHANNELS, row, CHANNELS * sizeof *y);
	}
	resampler_free(r);
	return n;
}

static void golden_case(void)
{
	double x[ROWS * CHANNELS], y[2 * ROWS * CHANNELS], rate = number("rate");
	struct biquad s[8];
	int n = 0, up = (int)number("up"), down = (int)number("down");
	const cJSON *hz;
	cJSON_ArrayForEach(hz, json_get(current, "notch")) s[n++] = filter_notch(hz->valuedouble, rate);
	if (number("low") > 0 || number("high") > 0)
		n += filter_butterworth(s + n, number("low"), number("high"), rate);
	struct filter *f = filter_new(s, n, CHANNELS);
	known_signal(x);
	filter_begin(f, x);
	filter_run(f, x, ROWS);
	filter_free(f);
	if (up == down)
		compare(x, ROWS);
	else
		compare(y, resampled(x, up, down, y));
}

static void golden(void)
{
	FILE *f = fopen("tests/golden/filters.json", "r");
	char *text = mem_new(1 << 20, 1);
	size_t n = f ? fread(text, 1, 1 << 20, f) : 0;
	cJSON *cases = json_parse(text, n, "tests/golden/filters.json");
	CHECK(cJSON_GetArraySize(cases) > 10);
	cJSON_ArrayForEach(current, cases)
	{
		char *name = mem_format("golden_%s", json_get(current, "name")->valuestring);
		check_case(name, golden_case);
		free(name);
	}
	cJSON_Delete(cases);
	free(text);
	if (f)
		fclose(f);
}

/* --- what filters promise */

static double response(const struct biquad *s, int n, double hz, double rate)
{
	double complex z = cexp(-2 * M_PI * I * hz / rate), h = 1;
	for (int i = 0; i < n; i++)
		h *= (s[i].b0 + s[i].b1 * z + s[i].b2 * z * z) / (1 + s[i].a1 * z + s[i].a2 * z * z);
	return cabs(h);
}

static void edges_lie_at_3_decibel_and_fall_by_order_4(void)
{
	struct biquad s[FILTER_MOST];
	int n = filter_butterworth(s, 1, 45, 256);
	CHECK(n == 4);
	CHECK_NEAR(response(s, n, 1, 256), sqrt(0.5), 1e-9);
	CHECK_NEAR(response(s, n, 45, 256), sqrt(0.5), 1e-9);
	CHECK_NEAR(response(s, n, 7, 256), 1, 1e-3);
	CHECK_NEAR(response(s, n, 0.1, 256) / response(s, n, 0.05, 256), 16, 0.1);
	CHECK(response(s, n, 0, 256) <= 0);
	for (int i = 1; i < n; i++)
		CHECK(s[i].a2 >= s[i - 1].a2);
	n = filter_butterworth(s, 0.01, 0, 1000);
	CHECK(n == 2);
	CHECK_NEAR(response(s, n, 0.01, 1000), sqrt(0.5), 1e-6);
	n = filter_butterworth(s, 0, 30, 250);
	CHECK_NEAR(response(s, n, 30, 250), sqrt(0.5), 1e-9);
	CHECK_NEAR(response(s, n, 0, 250), 1, 1e-12);
	s[0] = filter_notch(50, 250);
	CHECK_NEAR(response(s, 1, 50, 250), 0, 1e-12);
	CHECK_NEAR(response(s, 1, 0, 250), 1, 1e-12);
	CHECK(response(s, 1, 50 * (1 + 0.5 / 30), 250) > 0.69 &&
		response(s, 1, 50 * (1 + 0.5 / 30), 250) < 0.72);
}

static void a_constant_needs_no_time_to_settle(void)
{
	static const struct {
		double low, high, gain;
	} of[] = {{0.1, 0, 0}, {1, 45, 0}, {0, 20, 1}};
	for (size_t i = 0; i < sizeof of / sizeof *of; i++) {
		struct biquad s[FILTER_MOST + 1] = {filter_notch(50, 250)};
		int n = 1 + filter_butterworth(s + 1, of[i].low, of[i].high, 250);
		struct filter *f = filter_new(s, n, 3);
		double x[300], first[3] = {40000, -3, 0};
		for (int t = 0; t < 300; t++)
			x[t] = first[t % 3];
		filter_begin(f, first);
		filter_run(f, x, 100);
		for (int t = 0; t < 300; t++)
			CHECK_NEAR(x[t], of[i].gain * first[t % 3], 1e-5);
		filter_free(f);
	}
}

/* The amplitude, in the middle of 600 rows, of a sine after resampling. */
static double passed(double hz, int from, int to)
{
	struct preprocessing c = {.rate = to};
	struct names channel = {0}, none = {0};
	names_add(&channel, "Cz");
	struct preprocessor_channels in = {&channel, &none, (int[]){0}, false};
	struct preprocessor *r = preprocessor_new(&c, &in, from, "t", EX_USAGE);
	float x[600];
	double power = 0, n = 0;
	for (int t = 0; t < 600; t++)
		x[t] = (float)sin(2 * M_PI * hz * t / from);
	preprocessor_rows(r, x, 600);
	preprocessor_gap(r);
	const struct preprocessed *y = preprocessor_out(r);
	CHECK(y->n == (600 * to + from - 1) / from);
	for (int64_t t = y->n / 3; t < 2 * y->n / 3; t++, n++)
		power += (double)y->x[t] * (double)y->x[t];
	preprocessor_free(r);
	names_free(&channel);
	return sqrt(2 * power / n);
}

static void resampling_keeps_what_there_is_room_for_and_nothing_else(void)
{
	CHECK_NEAR(passed(48, 256, 128), 1, 0.01);
	CHECK(passed(65, 256, 128) < 1e-3 && passed(90, 256, 128) < 1e-3);
	CHECK_NEAR(passed(37, 125, 128), 1, 0.01);
	CHECK_NEAR(passed(30, 160, 100), 1, 0.01);
	CHECK(passed(55, 160, 100) < 1e-3);
	CHECK_NEAR(passed(20, 100, 200), 1, 0.01);
}

static void rates_have_ratios(void)
{
	static const struct {
		double from, to;
		int up, down; /* 0: none */
	} of[] = {{256, 128, 1, 2}, {160, 128, 4, 5}, {125, 128, 128, 125}, {128, 128, 1, 1},
		{512, 100, 25, 128}, {250.5, 250, 500, 501}, {1000.0 / 3, 100, 3, 10}, {10000, 1, 1, 10000},
		{10001, 1, 0, 0}, {256.0001234, 128, 1, 2}, {256.021, 128, 0, 0}, {1e-3, 1e7, 0, 0}};
	for (size_t i = 0; i < sizeof of / sizeof *of; i++) {
		int up = 0, down = 0, r = resample_ratio(of[i].from, of[i].to, &up, &down);
		CHECK((r == 0) == (of[i].up > 0));
		CHECK(r || (up == of[i].up && down == of[i].down));
	}
}

/* --- the stream */

struct piece {
	int rows;
	char what; /* rows, bad rows, gap */
};

static struct preprocessor *made(const struct preprocessing *c, double rate)
{
	static const int from[] = {0, 1, 2, 3};
	static struct names channels, extra;
	if (!channels.n) {
		names_split(&channels, "a,b,EOG", ',');
		names_add(&extra, "A1");
	}
	struct preprocessor_channels in = {&channels, &extra, from, false};
	return preprocessor_new(c, &in, rate, "t", EX_USAGE);
}

static void feed(struct preprocessor *r, const struct piece *p, int n, const float *x, struct rng *cuts)
{
	for (int i = 0; i < n; i++) {
		if (p[i].what == 'g')
			preprocessor_gap(r);
		for (int left = p[i].rows; left > 0;) {
			int k = cuts ? 1 + (int)rng_below(cuts, 40) : left;
			k = k < left ? k : left;
			if (p[i].what == 'b')
				preprocessor_invalid(r, k);
			else
				preprocessor_rows(r, x, k);
			left -= k;
			x += 4 * k;
		}
	}
	preprocessor_gap(r);
}

static bool equal(const struct preprocessed *a, const struct preprocessed *b)
{
	bool same = a->n == b->n && !memcmp(a->x, b->x, (size_t)a->n * 3 * sizeof *a->x);
	for (int64_t i = 0; i < a->n && same; i++)
		same = a->from[i].row == b->from[i].row && a->from[i].invalid == b->from[i].invalid &&
		       a->from[i].begins == b->from[i].begins;
	return same;
}

static void rows_one_by_one_are_rows_at_once(void)
{
	static const double rate[] = {0, 128, 125, 300};
	struct rng r = rng_stream(5, "rows", 0, 0);
	float x[4 * 2000];
	for (int i = 0; i < 4 * 2000; i++)
		x[i] = (float)rng_below(&r, 20000) / 7 - 1000;
	for (size_t k = 0; k < sizeof rate / sizeof *rate; k++) {
		struct preprocessing c = {.notch = {50}, .notches = 1, .low = 1, .high = 45, .rate = rate[k]};
		names_split(&c.reference, "A1,b", ',');
		names_add(&c.except, "EOG");
		static const struct piece p[] = {{700, 'r'}, {1, 'b'}, {2, 'r'}, {3, 'b'}, {150, 'r'},
			{1, 'g'}, {1, 'g'}, {4, 'b'}, {0, 'g'}, {300, 'r'}, {5, 'b'}, {0, 'g'}, {90, 'r'}};
		struct preprocessor *a = made(&c, 250), *b = made(&c, 250);
		feed(a, p, sizeof p / sizeof *p, x, NULL);
		feed(b, p, sizeof p / sizeof *p, x, &r);
		CHECK(equal(preprocessor_out(a), preprocessor_out(b)));
		CHECK(preprocessor_out(a)->n > 600);
		preprocessor_free(a);
		preprocessor_free(b);
		preprocessing_free(&c);
	}
}

/* What comes after rows without a value, and after a gap, is what a recording that begins there
 * gives. */
static void state_begins_anew(void)
{
	float x[4 * 400];
	struct rng r = rng_stream(6, "rows", 0, 0);
	for (int i = 0; i < 4 * 400; i++)
		x[i] = (float)rng_below(&r, 20000) / 7 - 1000;
	for (int k = 0; k < 2; k++) {
		struct preprocessing c = {.low = 1, .high = 45, .rate = k ? 128 : 0};
		struct preprocessor *bad = made(&c, 256), *gap = made(&c, 256), *alone = made(&c, 256);
		feed(bad, (struct piece[]){{98, 'r'}, {2, 'b'}, {300, 'r'}}, 3, x, NULL);
		feed(gap, (struct piece[]){{100, 'r'}, {0, 'g'}, {300, 'r'}}, 3, x, NULL);
		feed(alone, (struct piece[]){{300, 'r'}}, 1, x + 4 * 100, NULL);
		const struct preprocessed *a = preprocessor_out(alone), *b = preprocessor_out(bad),
					  *g = preprocessor_out(gap);
		int64_t skip = k ? 50 : 100;
		CHECK(b->n == skip + a->n && g->n == skip + a->n);
		CHECK(!memcmp(a->x, b->x + 3 * skip, (size_t)a->n * 3 * sizeof *a->x));
		CHECK(!memcmp(a->x, g->x + 3 * skip, (size_t)a->n * 3 * sizeof *a->x));
		CHECK(b->from[skip - 1].invalid && !b->from[skip].invalid &&
			!b->from[skip - (k ? 2 : 3)].invalid);
		CHECK(g->from[skip].begins && !g->from[skip + 1].begins && g->from[skip].row == 100);
		preprocessor_free(bad);
		preprocessor_free(gap);
		preprocessor_free(alone);
	}
}

static void the_reference_is_a_mean(void)
{
	struct preprocessing c = {0};
	names_split(&c.reference, "A1,b", ',');
	names_add(&c.except, "EOG");
	struct preprocessor *r = made(&c, 100);
	preprocessor_rows(r, (float[]){10, 20, 30, 40, 1, 2, 3, 4}, 2);
	const float want[] = {-20, -10, 30, -2, -1, 3};
	for (int i = 0; i < 6; i++)
		CHECK_NEAR(preprocessor_out(r)->x[i], want[i], 0);
	preprocessor_free(r);
	preprocessing_free(&c);
}

/* Channels that are not there are no part of it; stood in for by zeros they stay that. */
static void channels_that_are_not_there(void)
{
	struct names channels = {0}, none = {0};
	struct preprocessing c = {0};
	names_split(&channels, "a,b,c", ',');
	names_split(&c.reference, "a,b,c", ',');
	for (int zero = 0; zero < 2; zero++) {
		struct preprocessor_channels in = {&channels, &none, (int[]){0, 1, -1}, zero};
		struct preprocessor *r = preprocessor_new(&c, &in, 100, "t", EX_DATAERR);
		preprocessor_rows(r, (float[]){10, 20, zero ? 0 : 15}, 1);
		const float want[] = {-5, 5, 0};
		for (int i = 0; i < 3; i++)
			CHECK_NEAR(preprocessor_out(r)->x[i], want[i], 0);
		preprocessor_free(r);
	}
	names_free(&channels);
	preprocessing_free(&c);
}

/* --- settings */

static void settings_survive_json(void)
{
	struct preprocessing a = {0}, b;
	struct text t = {0};
	CHECK(!preprocessing_reference(&a, "A1, \"x,y\"") && !preprocessing_notches(&a, "50,100.5") &&
		!preprocessing_band(&a, "0.5-40"));
	a.rate = 128;
	a.rate_before = 256;
	names_add(&a.except, "EOG");
	preprocessing_put(&a, &t);
	CHECK_TEXT(t.s, "{\"reference\":[\"A1\",\"x,y\"],\"except\":[\"EOG\"],\"notch\":[50,100.5],"
			"\"bandpass\":[0.5,40],\"resample\":128,\"rate_before\":256}");
	CHECK(!preprocessing_read(&b, t.s, "t"));
	CHECK(preprocessing_same(&a, &b));
	CHECK_NEAR(b.rate_before, 256, 0);
	char *words = preprocessing_words(&b);
	CHECK_TEXT(words,
		"reference A1 x,y but not for EOG, notch 50 Hz and 100.5 Hz, band pass 0.5-40 Hz, resampled "
		"to 128 Hz");
	free(words);
	b.rate_before = 0;
	CHECK(preprocessing_same(&a, &b));
	b.high = 45;
	CHECK(!preprocessing_same(&a, &b));
	preprocessing_free(&a);
	preprocessing_free(&b);
	text_free(&t);
}

static void what_is_not_known_is_refused(void)
{
	static const char *const bad[] = {"[]", "{\"x\":1}", "{\"notch\":50}", "{\"notch\":[0]}",
		"{\"notch\":[50,50]}", "{\"bandpass\":[1]}", "{\"bandpass\":[null,null]}",
		"{\"bandpass\":[45,1]}", "{\"bandpass\":[1,45,50]}", "{\"resample\":null}",
		"{\"resample\":-1}", "{\"reference\":[]}", "{\"reference\":[1]}",
		"{\"reference\":[\"a\",\"a\"]}", "{\"resample\":128,\"rate_before\":\"x\"}", "{"};
	struct preprocessing c;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		CHECK(preprocessing_read(&c, bad[i], "t") && err_status() == EX_DATAERR);
		CHECK(!preprocessing_any(&c));
	}
	static const char *const band[] = {
		"", "-", "45-1", "1-1", "1", "a-b", "1-2-3", "0-45", "-0", "1-45Hz"};
	for (size_t i = 0; i < sizeof band / sizeof *band; i++) {
		c = (struct preprocessing){0};
		CHECK(preprocessing_band(&c, band[i]) && err_status() == EX_USAGE);
	}
	static const char *const notch[] = {
		"", "0", "50,50", "-50", "50;60", "1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17"};
	for (size_t i = 0; i < sizeof notch / sizeof *notch; i++) {
		c = (struct preprocessing){0};
		CHECK(preprocessing_notches(&c, notch[i]) && err_status() == EX_USAGE);
	}
}

/* --- times */

/* Row 100 of 200 Hz, half a second behind the start, comes two seconds late; brought to 100 Hz it
 * is row 50. */
static void times_have_rows(void)
{
	struct gap gap[] = {{50, 100, 2.0}};
	struct recording r = {.rate = 200, .rows = 100, .recorded = 200, .up = 1, .down = 2};
	CHECK(recording_row_at(&r, 0, true) == 0 && recording_row_at(&r, 25, true) == 25 &&
		recording_row_at(&r, 25.7, true) == 26);
	CHECK(recording_row_at(&r, 500, true) == 500 && recording_samples(&r, true) == 100);
	r.time.gap = gap;
	r.time.gaps = 1;
	CHECK(recording_row_at(&r, 25, true) == 25 && recording_row_at(&r, 49.99, true) == 50);
	CHECK(recording_row_at(&r, 170, true) == 50 && recording_row_at(&r, 250, true) == 50 &&
		recording_row_at(&r, 260, true) == 60);
	CHECK(recording_row_at(&r, 60, false) == 60); /* rows alone: they know no gap */
	CHECK(recording_samples(&r, true) == 300 && recording_samples(&r, false) == 100);
	r = (struct recording){.rate = 200, .rows = 100, .recorded = 100};
	CHECK(recording_row_at(&r, 50, true) == 50 && recording_sample(&r, 50) == 50);
}

int main(void)
{
	golden();
	CASE(edges_lie_at_3_decibel_and_fall_by_order_4);
	CASE(a_constant_needs_no_time_to_settle);
	CASE(resampling_keeps_what_there_is_room_for_and_nothing_else);
	CASE(rates_have_ratios);
	CASE(rows_one_by_one_are_rows_at_once);
	CASE(state_begins_anew);
	CASE(the_reference_is_a_mean);
	CASE(channels_that_are_not_there);
	CASE(settings_survive_json);
	CASE(what_is_not_known_is_refused);
	CASE(times_have_rows);
	return check_done();
}
