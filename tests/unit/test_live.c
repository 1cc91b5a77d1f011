#include "check.h"

#include "base/error.h"
#include "base/mem.h"
#include "base/rng.h"
#include "cut/live.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static struct input *input_of(const struct text *csv)
{
	int fd = memfd_create("t", MFD_CLOEXEC);
	if (fd < 0 || write(fd, csv->s, csv->n) != (ssize_t)csv->n || lseek(fd, 0, SEEK_SET))
		bug("memfd");
	return input_of_fd(fd, "S01_t.csv");
}

/* Windows as lines of text: sample, label, and every value. */
static void tell(const struct windows *w, struct text *out)
{
	int C = w->layout.channels.n;
	for (int64_t i = 0; i < w->n; i++) {
		text_addf(out, "%lld %s %s %s:", (long long)w->sample[i],
			w->label[i] < 0 ? "-" : w->layout.classes.s[w->label[i]],
			w->recordings.s[w->recording[i]], w->groups.s[w->group[i]]);
		for (int64_t j = w->start[i] * C; j < (w->start[i] + w->layout.length) * C; j++)
			text_addf(out, " %.9g", (double)w->signal[j]);
		text_add(out, "\n");
	}
}

static void failed(struct text *out)
{
	text_addf(out, "error %d: %s", err_status(), err_text());
}

static void at_once(const struct reading_options *o, const struct text *csv, struct text *out)
{
	struct split *s = split_new(o);
	struct input *in = input_of(csv);
	struct windows *w = split_add_input(s, in) ? NULL : split_finish(s);
	if (w)
		tell(w, out);
	else
		failed(out);
	windows_free(w);
	input_close(in);
	split_free(s);
}

static void live(const struct reading_options *o, const struct text *csv, int most, struct text *out)
{
	struct split *s = split_new(o);
	struct input *in = input_of(csv);
	struct live *l = split_begin(s, in) ? NULL : live_new(s, in);
	struct windows *w;
	int r = -1;
	while (l && (r = live_next(l, most, &w)) == 1) {
		CHECK(w->n >= 1 && w->n <= most);
		tell(w, out);
		windows_free(w);
	}
	if (r < 0 || split_check(s))
		failed(out);
	live_free(l);
	input_close(in);
	split_free(s);
}

/* Three channels at 100 Hz, with what the options need: labels in runs, gaps in the time column,
 * empty cells. */
static void random_table(struct rng *r, int rows, bool labels, bool times, bool holes, struct text *csv)
{
	long long tick = 100;
	int label = 0;
	text_addf(csv, "%sa,b,c%s\n", times ? "time_ms," : "", labels ? ",label" : "");
	for (int i = 0; i < rows; i++, tick++) {
		tick += times && i > LIVE_RATE_ROWS && !rng_below(r, 60) ? 3 : 0;
		if (!rng_below(r, 15))
			label = (int)rng_below(r, 4);
		if (times)
			text_addf(csv, "%lld,", 10 * tick);
		text_addf(csv, "%.2f,%s,%d", rng_normal(r), holes && !rng_below(r, 40) ? "" : "1.5", i);
		text_addf(csv, "%s%s\n", labels ? "," : "",
			!labels || !label ? ""
			: label == 1      ? "go"
					  : "no");
	}
}

static void any_preprocessing(struct rng *r, struct preprocessing *c)
{
	static const double rate[] = {0, 50, 64, 100, 128};
	c->low = rng_below(r, 2) ? 1 : 0;
	c->high = rng_below(r, 2) ? 30 : 0;
	c->rate = rate[rng_below(r, 5)];
	if (rng_below(r, 2))
		names_add(&c->reference, "b");
	if (rng_below(r, 2))
		CHECK(!preprocessing_notches(c, "20"));
}

static void windows_are_the_same(uint64_t seed, bool preprocessed)
{
	struct rng r = rng_stream(seed, "live", 0, 0);
	for (int i = 0; i < 400; i++) {
		struct reading_options o = split_defaults();
		struct text csv = {0}, whole = {0}, streamed = {0};
		bool times = rng_below(&r, 2), holes = rng_below(&r, 2);
		o.index_regions = 2;
		o.window.amount = 1 + (double)rng_below(&r, 30);
		o.stride.amount = (double)rng_below(&r, 40);
		o.align = rng_below(&r, 2) ? ALIGN_RUN : ALIGN_GRID;
		o.rule = (enum label_rule)rng_below(&r, 3);
		o.value = holes ? VALUE_DROP : VALUE_ERROR;
		o.rate = times ? 0 : 100;
		if (preprocessed)
			any_preprocessing(&r, &o.preprocessing);
		random_table(&r, 20 + (int)rng_below(&r, 600), rng_below(&r, 2), times, holes, &csv);
		at_once(&o, &csv, &whole);
		live(&o, &csv, 1 + (int)rng_below(&r, 5), &streamed);
		CHECK_TEXT(text_string(&streamed), text_string(&whole));
		text_free(&csv);
		text_free(&whole);
		text_free(&streamed);
		preprocessing_free(&o.preprocessing);
	}
}

static void a_live_recording_gives_the_windows_of_the_whole(void)
{
	windows_are_the_same(5, false);
}

static void and_so_it_does_when_it_is_conditioned(void)
{
	windows_are_the_same(6, true);
}

/* What is damaged ends the stream behind the windows before it, however many are asked for at a
 * time. */
static void windows_before_the_damage_are_handed_out(void)
{
	static const struct {
		const char *row, *message;
	} damage[] = {{"1,2", "2 cells"}, {"1,x,3", "\"x\" is not a number"}, {"1,,3", "no value"}};
	for (size_t i = 0; i < sizeof damage / sizeof *damage; i++) {
		struct reading_options o = split_defaults();
		struct text csv = {0}, out = {0};
		o.index_regions = 1;
		o.window.amount = 4;
		o.rate = 100;
		text_add(&csv, "a,b,c\n");
		for (int row = 0; row < 10; row++)
			text_addf(&csv, "%d,2,3\n", row);
		text_addf(&csv, "%s\n4,5,6\n", damage[i].row);
		live(&o, &csv, 100, &out);
		CHECK(strstr(out.s, "4 - S01_t.csv S01: 4 2 3 5 2 3 6 2 3 7 2 3\nerror 65: S01_t.csv:12: "));
		CHECK(strstr(out.s, damage[i].message));
		text_free(&csv);
		text_free(&out);
	}
}

static void a_time_that_goes_back_is_an_error(void)
{
	struct reading_options o = split_defaults();
	struct text csv = {0}, whole = {0}, streamed = {0};
	o.index_regions = 1;
	text_add(&csv, "time,a\n");
	for (int row = 0; row < 500; row++)
		text_addf(&csv, "%.3f,%d\n", (row == 450 ? 3 : row) / 250.0, row);
	at_once(&o, &csv, &whole);
	live(&o, &csv, 8, &streamed);
	CHECK(strstr(whole.s, "row 451 of the data: the time goes back"));
	CHECK_TEXT(strstr(streamed.s, "error"), whole.s);
	text_free(&csv);
	text_free(&whole);
	text_free(&streamed);
}

/* A pipe whose writer waits: windows come when their last row is there, and what is ready comes
 * together. */
static void nothing_is_waited_for(void)
{
	int fd[2];
	struct reading_options o = split_defaults();
	struct text csv = {0};
	o.index_regions = 1;
	o.window.amount = 10;
	o.rate = 100;
	text_add(&csv, "a,b\n");
	for (int row = 0; row < 35; row++)
		text_addf(&csv, "%d,1\n", row);
	text_add(&csv, "35,"); /* a row that is not whole */
	CHECK(!pipe(fd) && write(fd[1], csv.s, csv.n) == (ssize_t)csv.n);
	struct input *in = input_of_fd(fd[0], "pipe.csv");
	struct split *s = split_new(&o);
	struct live *l = split_begin(s, in) ? NULL : live_new(s, in);
	struct windows *w;
	CHECK(live_next(l, 2, &w) == 1 && w->n == 2 && w->sample[1] == 10);
	windows_free(w);
	CHECK(live_next(l, 9, &w) == 1 && w->n == 1 && w->sample[0] == 20);
	windows_free(w);
	CHECK(write(fd[1], "1\n36,1\n37,1\n38,1\n39,1\n", 22) == 22);
	CHECK(live_next(l, 9, &w) == 1 && w->n == 1 && w->sample[0] == 30);
	windows_free(w);
	close(fd[1]);
	CHECK(live_next(l, 9, &w) == 0 && !split_check(s));
	live_free(l);
	split_free(s);
	input_close(in);
	text_free(&csv);
}

int main(void)
{
	CASE(a_live_recording_gives_the_windows_of_the_whole);
	CASE(and_so_it_does_when_it_is_conditioned);
	CASE(windows_before_the_damage_are_handed_out);
	CASE(a_time_that_goes_back_is_an_error);
	CASE(nothing_is_waited_for);
	return check_done();
}
