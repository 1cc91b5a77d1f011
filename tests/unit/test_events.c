/* What stands beside recordings, where the command line cannot see it: dates, names of files, rows
 * behind gaps. */
#include "check.h"

#include "cut/split.h"
#include "recording/timestamp.h"
#include "sidecar/path.h"
#include "sidecar/events.h"

#include <stdlib.h>

static double moment(const char *s)
{
	double x;
	return timestamp_parse(s, s + strlen(s), &x) ? x : NAN;
}

static void dates_become_seconds(void)
{
	/* date -u -d ... +%s */
	CHECK(moment("1970-01-01 00:00:00") == 0);
	CHECK_NEAR(moment("2002-12-03 19:01:11.720100"), 1038942071.7201, 1e-6);
	CHECK(moment("2000-02-29T23:59:59Z") == 951868799);
	CHECK(moment("1900-03-01 00:00") == -2203891200);
	CHECK(moment("2024-02-29 12:00:00+01:00") == 1709204400);
	CHECK(moment("2024-02-29 12:00:00 -0530") == 1709227800);
	CHECK(moment("2016-12-31  23:59:60") == 1483228800);
}

static void what_is_no_date_is_none(void)
{
	static const char *const bad[] = {"", "1.5", "2002-12-03", "2002-12-0319:01:11", "2002-13-03 19:01",
		"2002-02-29 10:00", "2002-12-03 24:00:00", "2002-12-03 19:60", "2002-12-03 19:01:11.",
		"2002-12-03 19:01:11 x", "2002-12-03 19:01:11+1", "2002-12-03 19:01:11+24:00",
		"02-12-03 19:01:11", "2002-1-3 19:01:11", "2002-12-00 19:01", "2002-12-03 19:01:"};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		CHECK(isnan(moment(bad[i])));
}

static bool named(const char *files, int i, const char *recording, const char *expected)
{
	struct names l = {0};
	names_split(&l, files, ',');
	char *path = sidecar_path(&l, i, recording);
	bool same = !strcmp(path, expected);
	free(path);
	names_free(&l);
	return same;
}

static void braces_are_the_recordings_stem(void)
{
	CHECK(named("{}_events.tsv", 3, "a.b/sub-01_task-x_eeg.csv", "a.b/sub-01_task-x_events.tsv"));
	CHECK(named("{}.tsv", 0, "S01.csv", "S01.tsv"));
	CHECK(named("{}.tsv", 0, "a.b/S01", "a.b/S01.tsv"));
	CHECK(named("{}.tsv", 0, "./.hidden", "./.hidden.tsv"));
	CHECK(named("x.tsv", 5, "S01.csv", "x.tsv"));
	CHECK(named("x.tsv,{}.tsv", 1, "S01.csv", "{}.tsv")); /* one of several is a name as it stands */
}

/* The rows of trials of one second each, of a recording at 10 Hz with two gaps: samples 10 to 14
 * and 20 to 29 are missing, so that row 10 is sample 15 and row 15 is sample 30. */
static void rows_are_found_behind_gaps(void)
{
	static const double onset[] = {0, 0.6, 1.2, 1.5, 2.5, 3.0};
	static const int64_t row[] = {0, 6, 10, 10, 15, 15}, rows[] = {10, 5, 5, 5, 5, 10};
	struct gap gap[] = {{10, 10, 0.5}, {15, 15, 1.0}};
	struct reading_options o = split_defaults();
	o.events.stop = (struct span){1, true};
	o.events.stop_given = true;
	for (size_t i = 0; i < sizeof onset / sizeof *onset; i++) {
		struct event v = {.onset = onset[i]};
		struct events e = {.file = "e", .event = &v, .n = 1, .origin = NAN};
		struct recording r = {
			.rows = 40, .recorded = 40, .rate = 10, .time = {.gap = gap, .gaps = 2}};
		names_add(&e.description, "x");
		CHECK(!events_place(&e, &r, "r", &o, 5));
		CHECK(r.trials == 1 && r.trial[0].row == row[i] && r.trial[0].rows == rows[i]);
		free(r.trial);
		names_free(&e.description);
	}
}

/* Of a recording at 20 Hz, brought to 10 Hz, two seconds are missing before its row 41, which is
 * row 21 then. */
static void events_follow_the_rate(void)
{
	static const struct {
		bool samples;
		double onset, duration;
		int64_t row, rows;
	} want[] = {
		{true, 20, 8, 10, 4},     /* samples count rows as they were read: 1 s is 10 rows now */
		{true, 41, 8, 21, 4},     /* the first one behind the gap */
		{true, 81, 19.4, 41, 10}, /* up to the end */
		{false, 1, 0.4, 10, 4},
		{false, 4.05, 0.4, 21, 4}, /* that is when the first row behind the gap was read */
		{false, 3, 2.05, 21, 10},  /* begins in the gap */
		{false, 1.5, 3.55, 15, 16}, {false, 5.05, 0.5, 31, 5},
		{false, 5.14, 0.5, 32,
			5}, /* rounded where the row is, not where a line without gaps had one */
	};
	struct gap gap[] = {{41, 41, 2.0}};
	struct reading_options o = split_defaults();
	for (size_t i = 0; i < sizeof want / sizeof *want; i++) {
		struct event v = {.onset = want[i].onset, .duration = want[i].duration};
		struct events e = {
			.file = "e", .event = &v, .n = 1, .samples = want[i].samples, .origin = NAN};
		struct recording r = {.rows = 100,
			.recorded = 100,
			.rate = 20,
			.up = 1,
			.down = 2,
			.time = {.gap = gap, .gaps = 1}};
		gap[0].row = 41;
		recording_resampled(&r);
		CHECK(gap[0].row == 21 && r.rows == 51);
		names_add(&e.description, "x");
		CHECK(!events_place(&e, &r, "r", &o, 5));
		CHECK(r.trials == 1 && r.trial[0].row == want[i].row && r.trial[0].rows == want[i].rows);
		free(r.trial);
		names_free(&e.description);
	}
}

int main(void)
{
	CASE(dates_become_seconds);
	CASE(what_is_no_date_is_none);
	CASE(braces_are_the_recordings_stem);
	CASE(rows_are_found_behind_gaps);
	CASE(events_follow_the_rate);
	return check_done();
}
