#include "check.h"

#include "base/error.h"
#include "base/mem.h"
#include "cut/split.h"

#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

static struct input *input_of(const char *text, size_t n, const char *name)
{
	int fd = memfd_create("t", MFD_CLOEXEC);
	if (fd < 0 || write(fd, text, n) != (ssize_t)n || lseek(fd, 0, SEEK_SET))
		bug("memfd");
	return input_of_fd(fd, name);
}

static int add(struct split *s, const char *csv, const char *name)
{
	struct input *in = input_of(csv, strlen(csv), name);
	int r = split_add_input(s, in);
	input_close(in);
	return r;
}

/* A model over a, b, c, d: left owns a and b, right owns c and d and sees b. */
static struct layout model(void)
{
	static int32_t left[] = {0, 1, -1}, right[] = {1, 2, 3};
	static unsigned char left_core[] = {1, 1, 0}, right_core[] = {0, 1, 1};
	static struct region region[] = {{.name = "left", .width = 3, .channel = left, .core = left_core},
		{.name = "right", .width = 3, .channel = right, .core = right_core}};
	struct layout l = {.length = 2,
		.stride = 2,
		.halo = 1,
		.rate = 100,
		.unit = "uV",
		.regions = 2,
		.region = region};
	names_split(&l.channels, "a,b,c,d", ',');
	names_split(&l.classes, "go,stop", ',');
	return l;
}

static void model_done(struct layout *l)
{
	names_free(&l->channels);
	names_free(&l->classes);
}

static void a_recording_becomes_windows_like_a_model(void)
{
	struct layout l = model();
	struct reading_options o = split_defaults();
	o.like = &l;
	struct split *s = split_new(&o);
	CHECK(!add(s,
		"d,c,x,b,a,label\n4,3,9,2,1,stop\n8,7,9,6,5,stop\n12,11,9,10,9,wait\n16,15,9,14,13,wait\n",
		"S1_a.csv"));
	struct windows *w = split_finish(s);
	split_free(s);
	CHECK(w != NULL);
	if (w) {
		CHECK(w->n == 2 && w->samples == 4 && w->signal && !w->expert);
		for (int i = 0; i < 16; i++)
			CHECK(w->signal[i] == (float)(i + 1));
		CHECK(w->layout.length == 2 && w->layout.rate == 100 && w->layout.regions == 2);
		CHECK(w->layout.classes.n == 3 && !strcmp(w->layout.classes.s[2], "wait"));
		CHECK(w->label[0] == 1 && w->label[1] == 2 && w->start[1] == 2);
		CHECK_TEXT(w->recordings.s[0], "S1_a.csv");
		CHECK_TEXT(w->groups.s[0], "S1");
		CHECK_TEXT(w->layout.unit, "uV");
	}
	windows_free(w);
	model_done(&l);
}

static void absent_channels_are_refused_or_made_up(void)
{
	const char *csv = "a,c\n1,10\n2,20\n";
	struct layout l = model();
	struct reading_options o = split_defaults();
	o.like = &l;
	struct split *s = split_new(&o);
	CHECK(add(s, csv, "r.csv") && err_status() == EX_DATAERR);
	CHECK_TEXT(err_text(), "r.csv: channel \"b\" of the model is missing; its columns are: a, c");
	split_free(s);
	for (int zero = 0; zero < 2; zero++) {
		o.missing = zero ? MISSING_ZERO : MISSING_INTERP;
		s = split_new(&o);
		CHECK(!add(s, csv, "r.csv"));
		struct windows *w = split_finish(s);
		const float interp[] = {1, 1, 10, 10, 2, 2, 20, 20}, zeros[] = {1, 0, 10, 0, 2, 0, 20, 0};
		CHECK(w && !memcmp(w->signal, zero ? zeros : interp, sizeof zeros));
		CHECK(split_notes(s)->n == 2 && strstr(split_notes(s)->s[0], "channel b is missing"));
		windows_free(w);
		split_free(s);
	}
	o.missing = MISSING_INTERP;
	s = split_new(&o);
	CHECK(add(s, "a,b\n1,2\n2,3\n", "r.csv") == 0); /* the right region has b in its halo */
	split_free(s);
	s = split_new(&o);
	CHECK(add(s, "a\n1\n2\n", "r.csv") && strstr(err_text(), "all other channels of its region"));
	split_free(s);
	model_done(&l);
}

/* A missing value in the only source of an imputed channel is missing there as well, and is
 * interpolated like it. */
static void holes_and_made_up_channels_meet(void)
{
	struct layout l = model();
	struct reading_options o = split_defaults();
	o.like = &l;
	o.missing = MISSING_INTERP;
	o.value = VALUE_INTERP;
	struct split *s = split_new(&o);
	CHECK(!add(s, "a,c\n1,10\n,20\n3,\n4,40\n", "r.csv"));
	struct windows *w = split_finish(s);
	const float want[] = {1, 1, 10, 10, 2, 2, 20, 20, 3, 3, 30, 30, 4, 4, 40, 40};
	CHECK(w && !memcmp(w->signal, want, sizeof want));
	windows_free(w);
	split_free(s);
	model_done(&l);
}

/* What goes out and is read again is what was cut, by the region's columns. */
static void windows_survive_the_file(void)
{
	struct reading_options o = split_defaults();
	o.rate = 128;
	o.window.amount = 3;
	o.index_regions = 2;
	struct split *s = split_new(&o);
	struct text csv = {0};
	text_add(&csv, "a,b,c\n");
	for (int i = 0; i < 300; i++)
		text_addf(&csv, "%d,%d.5,%d\n", i, -i, i * i);
	CHECK(!add(s, csv.s, "r.csv"));
	struct windows *w = split_finish(s), *back = NULL;
	split_free(s);
	char path[] = "/tmp/moe-test-XXXXXX";
	close(mkstemp(path));
	struct history h = {"test", 0, NULL, NULL, 1};
	struct output *out = output_open(path, OUTPUT_BINARY);
	CHECK(w && out && !windows_write(w, out, &h) && !output_commit(out));
	struct input *in = input_open(path);
	CHECK(in && windows_next(in, &back) == 1);
	for (int c = 0; c < 3 && back; c++) {
		struct channel_column x, y;
		CHECK(windows_column(w, c, &x) && windows_column(back, c, &y));
		for (int64_t i = 0; i < 300; i++)
			CHECK(x.base[i * x.step] == y.base[i * y.step]);
	}
	CHECK(back && back->n == 100 && !memcmp(back->start, w->start, 100 * sizeof *w->start));
	CHECK(back && names_equal(&back->layout.channels, &w->layout.channels) && back->layout.rate == 128);
	windows_free(back);
	windows_free(w);
	input_close(in);
	unlink(path);
	text_free(&csv);
}

/* Private memory that is not backed by a file, in kB. */
static long anonymous(void)
{
	FILE *f = fopen("/proc/self/smaps_rollup", "r");
	char line[200];
	long kB = -1;
	while (f && fgets(line, sizeof line, f))
		if (sscanf(line, "Anonymous: %ld kB", &kB) == 1)
			break;
	if (f)
		fclose(f);
	return kB;
}

/* Twenty times as many rows: the recording needs 25 MB, the process must not. */
static void memory_does_not_grow_with_the_recording(void)
{
	struct text csv = {0};
	text_add(&csv, "time,a,b,c,d,e,f,g,h,label\n");
	int rows = 800000;
	for (int i = 0; i < rows; i++)
		text_addf(&csv, "%d.%02d,1,2,3,4,5,6,7,%d,%d\n", i / 100, i % 100, i % 10, i / 1000 % 2);
	struct input *in = input_of(csv.s, csv.n, "r.csv");
	text_free(&csv);
	struct reading_options o = split_defaults();
	struct split *s = split_new(&o);
	long before = anonymous();
	CHECK(!split_add_input(s, in));
	struct windows *w = split_finish(s);
	long after = anonymous();
	CHECK(w && w->samples == rows && w->n == rows / 1000 * 3);
	CHECK(before > 0 && after - before < 4000);
	windows_free(w);
	split_free(s);
	input_close(in);
}

static void options_that_contradict_are_refused(void)
{
	struct reading_options o = split_defaults();
	o.naming.group = "(";
	CHECK(!split_new(&o) && err_status() == EX_USAGE);
	o = split_defaults();
	names_split(&o.channels, "a,b,a", ',');
	CHECK(!split_new(&o) && err_status() == EX_USAGE);
	names_free(&o.channels);
	o = split_defaults();
	struct split *s = split_new(&o);
	CHECK(!split_finish(s) && err_status() == EX_USAGE);
	split_free(s);
}

/* A split that failed is freed like any other. */
static void failure_leaves_nothing_behind(void)
{
	const char *bad[] = {
		"a,b\n1\n", "a\n", "a,b\n1,x\n", "time,a\n0,1\n0,2\n0,3\n", "a,b\n1,\n", "x\n\"1\n"};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct reading_options o = split_defaults();
		o.window.amount = 1;
		o.index_regions = 1;
		o.rate = 100;
		struct split *s = split_new(&o);
		CHECK(!add(s, "a,b\n1,2\n", "good.csv"));
		CHECK(add(s, bad[i], "bad.csv") && strstr(err_text(), "bad.csv"));
		split_free(s);
	}
}

int main(void)
{
	CASE(a_recording_becomes_windows_like_a_model);
	CASE(absent_channels_are_refused_or_made_up);
	CASE(holes_and_made_up_channels_meet);
	CASE(windows_survive_the_file);
	CASE(memory_does_not_grow_with_the_recording);
	CASE(options_that_contradict_are_refused);
	CASE(failure_leaves_nothing_behind);
	return check_done();
}
