#include "check.h"

#include "base/error.h"
#include "base/mem.h"
#include "recording/time_format.h"
#include "recording/counter.h"
#include "recording/dialect/dialect.h"
#include "recording/timeline.h"

#include <stdlib.h>

/* Which kind of time a text is, and that it is so many seconds. */
static enum time_format kind_of(const char *s, double *seconds)
{
	*seconds = -1;
	return time_format_parse(s, s + strlen(s), seconds);
}

static void times_as_text_are_read(void)
{
	static const struct {
		const char *text;
		enum time_format kind;
		double seconds;
	} time[] = {{"1970-01-01 00:00:00", TIME_FORMAT_DATE, 0},
		{"1970-01-02T00:00:01.5Z", TIME_FORMAT_DATE, 86401.5},
		{"2000-02-29 12:00:00", TIME_FORMAT_DATE, 951825600},
		{"2017-11-02 12:33:05.090", TIME_FORMAT_DATE, 1509625985.090},
		{"2017-11-02 12:33:05.090+01:00", TIME_FORMAT_DATE, 1509622385.090},
		{"2017/11/02 12:33:05,090-0130", TIME_FORMAT_DATE, 1509631385.090},
		{"02.11.2017 12:33:05", TIME_FORMAT_DATE, 1509625985},
		{"12:33:05.090", TIME_FORMAT_OF_DAY, 45185.090}, {"0:00.125", TIME_FORMAT_OF_DAY, 0.125},
		{"75:01", TIME_FORMAT_OF_DAY, 4501},
		{"[12:33:05.090 02/11/2017]", TIME_FORMAT_OF_DAY, 45185.090},
		{"0 days 00:00:00.004", TIME_FORMAT_DELTA, 0.004},
		{"1 day 00:00:01", TIME_FORMAT_DELTA, 86401},
		{"-1 days +23:59:59.996", TIME_FORMAT_DELTA, -0.004}, {"2 days", TIME_FORMAT_DELTA, 172800}};
	static const char *const none[] = {"", "12", "1.5", ":", "12:", "12:3x", "1:2:3:4", "12:33:61",
		"2017-13-01 00:00:00", "2017-11-02", "2017-11-02 12:33:05 noon", "12:33:05.", "days", "1 dog",
		"0,00", "-", "[]", "12:60:00"};
	double seconds;
	for (size_t i = 0; i < sizeof time / sizeof *time; i++) {
		CHECK(kind_of(time[i].text, &seconds) == time[i].kind);
		CHECK_NEAR(seconds, time[i].seconds, 1e-6);
	}
	for (size_t i = 0; i < sizeof none / sizeof *none; i++)
		CHECK(kind_of(none[i], &seconds) == TIME_FORMAT_NONE);
}

/* The rows that are missing before each value: "." none, a number, "?" nobody knows. */
static char *lost(const double *value, int n)
{
	struct counter c = {0};
	struct text t = {0};
	for (int i = 0; i < n; i++) {
		double x = counter_take(&c, value[i]);
		if (isnan(x))
			text_add(&t, "?");
		else if (x > 0)
			text_addf(&t, "%.0f", x);
		else
			text_add(&t, ".");
	}
	if (c.useless)
		text_add(&t, "!");
	return text_take(&t);
}
#define LOST(want, ...)                                                       \
	do {                                                                  \
		const double value[] = {__VA_ARGS__};                         \
		char *got = lost(value, (int)(sizeof value / sizeof *value)); \
		CHECK_TEXT(got, want);                                        \
		free(got);                                                    \
	} while (0)

static void counters_tell_what_is_missing(void)
{
	LOST("...2..", 7, 8, 9, 12, 13, 14);
	LOST("....", 254, 255, 0, 1);
	LOST("....3", 252, 254, 0, 2, 10); /* in twos */
	LOST("..1.", 253, 254, 0, 1);      /* one is missing at the turn */
	LOST("...", 127, 0, 1);
	LOST("....", 99, 100, 0, 1);
	LOST("...", 199, 200, 0);
	LOST("....", 128, 0, 1, 2);
	LOST("...?..", 308202, 308203, 308204, 5, 6, 7); /* another recording */
	LOST("..?.", 5, 6, 1, 2);
	LOST("...!", 3, 3, 3); /* stands still */
	LOST("..!", 1, (double)NAN);
	struct counter c = {0};
	for (int i = 0; i < 2000; i++)
		CHECK(counter_take(&c, (i + 100) % 256) == 0);
	CHECK(counter_round(&c) == 256);
	c = (struct counter){0};
	for (int i = 0; i < 2000; i++)
		CHECK(counter_take(&c, 2 * i % 256) == 0);
	CHECK(counter_round(&c) == 128);
}

/* A timeline of n rows in bursts of `size` at a rate. */
static void solve_bursts_of(struct timeline *l, int n, int size, double rate, const struct timeline_hint *h)
{
	double *t = NEW_ARRAY(double, n);
	for (int i = 0; i < n; i++)
		t[i] = 1e9 + i / size * (size / rate);
	CHECK(!timeline_solve(l, "t.csv", t, n, h));
	free(t);
}

static void bursts_give_the_rate_of_all(void)
{
	struct timeline l;
	solve_bursts_of(&l, 6000, 12, 250, &(struct timeline_hint){0});
	CHECK(l.bursts && l.rate == 250 && l.unit == TIME_UNIT_S);
	CHECK_NEAR(l.longest, 2.5 * 12 / 250, 1e-6);
	solve_bursts_of(&l, 6000, 48, 256, &(struct timeline_hint){0});
	CHECK(l.rate == 256);
	solve_bursts_of(&l, 100, 48, 256, &(struct timeline_hint){.device = 256}); /* two bursts and a bit */
	CHECK(l.rate == 256);
	CHECK(l.longest >= 0.5);
	solve_bursts_of(&l, 4, 12, 250, &(struct timeline_hint){.rate = 250}); /* all equal */
	CHECK(l.rate == 250);
	solve_bursts_of(&l, 6000, 12, 250, &(struct timeline_hint){.rate = 125}); /* they contradict */
	CHECK_NEAR(l.rate, 250, 1);
	double same[5] = {0};
	CHECK(timeline_solve(&l, "t.csv", same, 5, &(struct timeline_hint){0}) &&
		strstr(err_text(), "all times are equal"));
}

static void a_step_is_judged_by_counter_first_and_time_second(void)
{
	struct timeline l = {.unit = TIME_UNIT_S, .rate = 250, .usual = 0.004, .longest = 0.006, .start = 5};
	double s = -1;
	CHECK(timeline_step(&l, true, 6, 6.004, -1, 0, &s) == STEP_ON);
	CHECK(timeline_step(&l, true, 6, 6.104, -1, 0, &s) == STEP_GAP);
	CHECK_NEAR(s, 0.1, 1e-9);
	CHECK(timeline_step(&l, true, 6, 6.104, 0, 256, &s) ==
		STEP_ON); /* nothing is missing: the stamp was late */
	CHECK(timeline_step(&l, true, 6, 6.004, 2, 256, &s) == STEP_GAP);
	CHECK_NEAR(s, 2 / 250.0, 1e-9);
	CHECK(timeline_step(&l, true, 6, 6 + 259 / 250.0, 2, 256, &s) == STEP_GAP);
	CHECK_NEAR(s, 258 / 250.0, 1e-9);
	CHECK(timeline_step(&l, true, 6, 6 + 257 / 250.0, 0, 256, &s) == STEP_GAP);
	CHECK_NEAR(s, 256 / 250.0, 1e-9);
	CHECK(timeline_step(&l, false, 0, 0, 2, 256, &s) == STEP_GAP);
	CHECK(timeline_step(&l, false, 0, 0, (double)NAN, 256, &s) == STEP_GAP && isnan(s));
	CHECK(timeline_step(&l, true, 6, 5.001, -1, 0, &s) == STEP_GAP && isnan(s)); /* another trial */
	CHECK(timeline_step(&l, true, 6, 5.5, -1, 0, &s) == STEP_BACK);
}

/* The choices of the option are the table's names: each that is asked for is what is told. */
static void every_dialect_can_be_asked_for(void)
{
	struct names choice = {0};
	names_split(&choice, DIALECT_CHOICES, '|');
	CHECK(choice.n > 10);
	for (int i = 1; i < choice.n; i++) {
		CHECK_TEXT(dialect_name(i), choice.s[i]);
	}
	CHECK(!dialect_name(choice.n));
	names_free(&choice);
}

int main(void)
{
	CASE(times_as_text_are_read);
	CASE(counters_tell_what_is_missing);
	CASE(bursts_give_the_rate_of_all);
	CASE(a_step_is_judged_by_counter_first_and_time_second);
	CASE(every_dialect_can_be_asked_for);
	return check_done();
}
