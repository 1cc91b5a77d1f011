/* A reader of recordings as a newcomer adds it: one file with reader_NAME, one line in the table.
 * Its format is made up, and begins with the same bytes as EDF:
 *
 *     "0       " magic, i32 columns, i32 blocks, i32 annotations, f64 rate; of each column name and unit (8 bytes, blanks behind);
 *     of each block f64 samples missing before it, i32 rows, f32 [rows][columns]; of each annotation f64 onset, f64 duration, text (8)
 */
#include "check.h"

#include "base/error.h"
#include "base/json.h"
#include "base/mem.h"
#include "cut/live.h"
#include "predict/source.h"
#include "recording/reader.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* --- the reader: what would be lib/recording/reader/acme.c */

struct acme {
	int32_t columns, blocks, notes, at;
	float *x;
	bool whole; /* all blocks were read */
};

static int take(struct reader *r, void *to, size_t n)
{
	for (size_t got = 0; got < n;) {
		long k = input_read(r->in, (char *)to + got, n - got);
		if (k < 0)
			return -1;
		if (!k)
			return err_set(
				EX_DATAERR, "%s: this ACME recording is cut short; copy it again", r->file);
		got += (size_t)k;
	}
	return 0;
}

static int take_word(struct reader *r, char to[9])
{
	size_t n = 8;
	if (take(r, to, n))
		return -1;
	while (n && to[n - 1] == ' ')
		n--;
	to[n] = 0;
	return 0;
}

static bool acme_recognises(const unsigned char *first, size_t n)
{
	return n >= 64 && !memcmp(first, "0       ACME", 12);
}

static int acme_open(struct reader *r, const struct reading_options *o, struct header_info *f)
{
	struct acme *a = r->state = NEW(struct acme);
	char magic[12], word[9];
	(void)o;
	if (take(r, magic, sizeof magic) || take(r, &a->columns, 4) || take(r, &a->blocks, 4) ||
		take(r, &a->notes, 4) || take(r, &f->rate, 8))
		return -1;
	if (a->columns < 1 || a->columns > 64 || !(f->rate > 0))
		return err_set(EX_DATAERR, "%s: this ACME recording has a damaged header", r->file);
	f->rate_from = "header";
	for (int i = 0; i < a->columns; i++) {
		if (take_word(r, word))
			return -1;
		names_add(&r->names, word);
		if (take_word(r, word))
			return -1;
		names_add(&r->units, word);
	}
	header_info_begin(f, a->columns);
	int battery = names_find(&r->names, "power");
	header_info_role(f, battery, ROLE_IGNORED, "state of the battery");
	return 0;
}

static int acme_block(struct reader *r, struct reader_block *b)
{
	struct acme *a = r->state;
	int32_t rows;
	a->whole = a->at == a->blocks;
	if (a->whole)
		return 0;
	if (take(r, &b->lost, 8) || take(r, &rows, 4))
		return -1;
	if (rows < 1 || rows > 1 << 20)
		return err_set(
			EX_DATAERR, "%s: block %d of this ACME recording is damaged", r->file, a->at + 1);
	a->at++;
	GROW(a->x, (size_t)rows * (size_t)a->columns);
	b->x = a->x;
	b->rows = rows;
	return take(r, a->x, (size_t)rows * (size_t)a->columns * sizeof *a->x) ? -1 : 1;
}

static int acme_events(struct reader *r, struct annotations *to)
{
	struct acme *a = r->state;
	double time[2];
	char word[9];
	CHECK(a->whole);
	for (int i = 0; i < a->notes; i++) {
		if (take(r, time, sizeof time) || take_word(r, word))
			return -1;
		annotations_add(to, time[0], time[1], word);
	}
	return 0;
}

static void acme_close(struct reader *r)
{
	struct acme *a = r->state;
	if (a)
		free(a->x);
	free(a);
}

static const struct recording_reader reader_acme = {.name = "acme",
	.recognises = acme_recognises,
	.open = acme_open,
	.block = acme_block,
	.events = acme_events,
	.close = acme_close};

/* --- the table with one line more */

extern const struct recording_reader reader_csv;
const struct recording_reader *const reader_table[] = {&reader_csv, &reader_acme, NULL};

/* --- the same recording in both formats: 200 rows of 50 Hz, four columns that are channels in mV,
 * labels, the battery */

enum { ROWS = 200, COLUMNS = 6, LABEL = 4 };
static const char *const column[COLUMNS] = {"Fz", "Cz", "Pz", "Oz", "label", "power"};

static float value(int row, int c)
{
	return c == LABEL ? (float)(row / 60) : (float)((row * 7 + c * 13) % 101) / 8;
}

static void add_word(struct text *t, const char *word)
{
	char s[8];
	memset(s, ' ', sizeof s);
	memcpy(s, word, strlen(word));
	text_add_n(t, s, sizeof s);
}

/* Of blocks of so many rows; hole: row whose Cz has no value; gap: row before which 25 samples are
 * missing; -1 = none. */
static void acme(struct text *t, int rows_of_block, int hole, int gap)
{
	int32_t n[3] = {COLUMNS, ROWS / rows_of_block, 3};
	double rate = 50, note[][2] = {{0.2, 1}, {2, 1}, {3, 0.5}};
	static const char *const said[] = {"left", "right", "pause"};
	text_add(t, "0       ACME");
	text_add_n(t, (char *)n, sizeof n);
	text_add_n(t, (char *)&rate, sizeof rate);
	for (int c = 0; c < COLUMNS; c++) {
		add_word(t, column[c]);
		add_word(t, c < LABEL ? "mV" : "");
	}
	for (int row = 0; row < ROWS; row++) {
		double lost = row && row == gap ? 25 : 0;
		int32_t rows = rows_of_block;
		if (row % rows_of_block == 0) {
			text_add_n(t, (char *)&lost, sizeof lost);
			text_add_n(t, (char *)&rows, sizeof rows);
		}
		for (int c = 0; c < COLUMNS; c++) {
			float x = row == hole && c == 1 ? NAN : value(row, c);
			text_add_n(t, (char *)&x, sizeof x);
		}
	}
	for (int i = 0; i < 3; i++) {
		text_add_n(t, (char *)note[i], sizeof note[i]);
		add_word(t, said[i]);
	}
}

static void csv(struct text *t, int hole, int gap)
{
	text_add(t, "time,Fz,Cz,Pz,Oz,label,battery\n,mV,mV,mV,mV,,\n");
	for (int row = 0; row < ROWS; row++) {
		text_addf(t, "%.2f", (double)(row + (gap >= 0 && row >= gap ? 25 : 0)) / 50);
		for (int c = 0; c < COLUMNS; c++)
			if (row == hole && c == 1)
				text_add(t, ",");
			else
				text_addf(t, ",%.9g", (double)value(row, c));
		text_add(t, "\n");
	}
}

/* --- reading it */

static struct input *input_of(const struct text *bytes, bool pipe_it)
{
	int fd = memfd_create("t", MFD_CLOEXEC), end[2];
	if (fd < 0 || write(fd, bytes->s, bytes->n) != (ssize_t)bytes->n || lseek(fd, 0, SEEK_SET))
		bug("memfd");
	if (!pipe_it)
		return input_of_fd(fd, "S01_t.rec");
	close(fd);
	if (pipe(end) || write(end[1], bytes->s, bytes->n) != (ssize_t)bytes->n)
		bug("pipe");
	close(end[1]);
	return input_of_fd(end[0], "S01_t.rec");
}

static void tell(const struct windows *w, struct text *out)
{
	int C = w->layout.channels.n;
	for (int64_t i = 0; i < w->n; i++) {
		text_addf(out, "%lld %s %.10g Hz:", (long long)w->sample[i],
			w->label[i] < 0 ? "-" : w->layout.classes.s[w->label[i]], w->layout.rate);
		for (int64_t j = w->start[i] * C; j < (w->start[i] + w->layout.length) * C; j++)
			text_addf(out, " %.9g", (double)w->signal[j]);
		text_add(out, "\n");
	}
}

static void cut_whole(const struct reading_options *o, const struct text *bytes, struct text *out)
{
	struct split *s = split_new(o);
	struct input *in = input_of(bytes, false);
	struct windows *w = split_add_input(s, in) ? NULL : split_finish(s);
	if (w)
		tell(w, out);
	else
		text_addf(out, "error %d: %s", err_status(), err_text());
	windows_free(w);
	input_close(in);
	split_free(s);
}

static void cut_live(const struct reading_options *o, const struct text *bytes, struct text *out)
{
	struct split *s = split_new(o);
	struct input *in = input_of(bytes, true);
	struct live *l = split_begin(s, in) ? NULL : live_new(s, in);
	struct windows *w;
	int r = -1;
	while (l && (r = live_next(l, 3, &w)) == 1) {
		tell(w, out);
		windows_free(w);
	}
	if (r < 0)
		text_addf(out, "error %d: %s", err_status(), err_text());
	live_free(l);
	input_close(in);
	split_free(s);
}

static struct reading_options options(void)
{
	struct reading_options o = split_defaults();
	o.index_regions = 2;
	o.halo = 1;
	o.window.amount = 20;
	o.stride.amount = 10;
	names_add(&o.ignore, "0");
	return o;
}

static void gives_the_windows_of_the_same_recording_as_text(void)
{
	static const struct {
		int hole, gap, block;
	} kind[] = {{-1, -1, 40}, {57, -1, 1}, {-1, 80, 40}, {121, 100, 50}};
	for (size_t i = 0; i < sizeof kind / sizeof *kind; i++) {
		struct reading_options o = options();
		struct text own = {0}, table = {0}, a = {0}, b = {0}, c = {0};
		o.value = VALUE_DROP;
		o.preprocessing.high = i % 2 ? 20 : 0;
		acme(&own, kind[i].block, kind[i].hole, kind[i].gap);
		csv(&table, kind[i].hole, kind[i].gap);
		cut_whole(&o, &own, &a);
		cut_whole(&o, &table, &b);
		CHECK(strlen(text_string(&a)) > 1000);
		CHECK(!strcmp(text_string(&a), text_string(&b)));
		o.classes = (struct names){0};
		names_split(&o.classes, "1,2,3", ',');
		cut_live(&o, &own, &c);
		CHECK(!strcmp(text_string(&c), text_string(&b)));
		names_free(&o.ignore);
		names_free(&o.classes);
		text_free(&own);
		text_free(&table);
		text_free(&a);
		text_free(&b);
		text_free(&c);
	}
}

/* Annotations: left in rows 10 to 59, right in 100 to 149, and a pause that is no class. */
static void its_annotations_are_events(void)
{
	struct reading_options o = options();
	struct text own = {0}, a = {0}, table = {0}, b = {0};
	o.events.own = true;
	names_split(&o.events.from, "left,right", ',');
	names_split(&o.events.to, "L,R", ',');
	acme(&own, 20, -1, -1);
	struct split *s = split_new(&o);
	struct input *in = input_of(&own, false);
	must(!split_add_input(s, in));
	struct windows *w = split_finish(s);
	CHECK(w && w->n == 8 && w->sample[0] == 10 && w->sample[3] == 40 && w->sample[4] == 100);
	for (int i = 0; i < w->n; i++)
		CHECK_TEXT(w->layout.classes.s[w->label[i]], i < 4 ? "L" : "R");
	windows_free(w);
	input_close(in);
	split_free(s);
	csv(&table, -1, -1); /* text has none */
	cut_whole(&o, &table, &b);
	CHECK_TEXT(text_string(&b), "error 65: S01_t.rec: recordings as text contain no events; give a file "
				    "of events with --events");
	names_free(&o.ignore);
	names_free(&o.events.from);
	names_free(&o.events.to);
	text_free(&own);
	text_free(&table);
	text_free(&a);
	text_free(&b);
}

static void is_explained(void)
{
	struct reading_options o = options();
	struct text own = {0}, json = {0}, words = {0};
	o.explain = true;
	acme(&own, 40, 57, 80);
	struct split *s = split_new(&o);
	struct input *in = input_of(&own, false);
	must(!split_add_input(s, in));
	split_explain(s, &json);
	split_explain_words(s, &words);
	const char *said[] = {"\"dialect\":\"acme\",\"delimiter\":null,\"decimal\":null,\"header_rows\":0",
		"\"rate\":50,\"rate_from\":\"header\",\"unit\":\"mV\",\"rows\":200,"
		"\"channels\":[\"Fz\",\"Cz\",\"Pz\",\"Oz\"]",
		"{\"name\":\"label\",\"why\":\"holds the labels\"},"
		"{\"name\":\"power\",\"why\":\"state of the battery\"}",
		"\"time\":null,\"gaps\":[{\"row\":80,\"seconds\":0.5}]", "\"missing\":1,"};
	for (size_t i = 0; i < sizeof said / sizeof *said; i++)
		CHECK(strstr(text_string(&json), said[i]));
	CHECK(strstr(text_string(&words), "format       acme\n"));
	input_close(in);
	split_free(s);
	names_free(&o.ignore);
	text_free(&own);
	text_free(&json);
	text_free(&words);
}

static void refused(const struct reading_options *o, const struct text *bytes, const char *why)
{
	struct text a = {0};
	cut_whole(o, bytes, &a);
	CHECK_TEXT(text_string(&a), why);
	text_free(&a);
}

static void what_is_damaged_is_refused(void)
{
	struct reading_options o = options();
	struct text whole = {0}, hole = {0};
	acme(&whole, 40, -1, -1);
	acme(&hole, 40, 57, -1);
	struct text cut = {.s = whole.s, .n = 3000}, head = {.s = whole.s, .n = 100};
	refused(&o, &cut, "error 65: S01_t.rec: this ACME recording is cut short; copy it again");
	refused(&o, &head, "error 65: S01_t.rec: this ACME recording is cut short; copy it again");
	refused(&o, &hole,
		"error 65: S01_t.rec: row 58: channel \"Cz\" has no value; --missing drop-window leaves out "
		"the windows that contain such rows, --missing interp interpolates the value");
	o.reading.delim = "tab";
	refused(&o, &whole,
		"error 64: S01_t.rec: --delim applies only to recordings as text, and this one is acme; "
		"leave it out");
	o.reading.delim = NULL;
	memset(whole.s + 12, 0, 4); /* no columns */
	refused(&o, &whole, "error 65: S01_t.rec: this ACME recording has a damaged header");
	memcpy(whole.s, "1       ", 8); /* nobody's */
	refused(&o, &whole,
		"error 65: S01_t.rec: binary data (a NUL byte near the start), not a table of text");
	memcpy(whole.s, "0       EDF!", 12); /* EDF still is what it was */
	refused(&o, &whole, "error 65: S01_t.rec: this is an EDF recording; export it as CSV");
	names_free(&o.ignore);
	text_free(&whole);
	text_free(&hole);
}

/* As moe-predict reads operands: the layout of a model cuts the recording. */
static void a_model_cuts_it(void)
{
	struct reading_options o = options();
	struct text own = {0}, expected = {0}, found = {0};
	char path[] = "/tmp/S01_XXXXXX";
	int fd = mkstemp(path), r;
	acme(&own, 40, -1, -1);
	must(fd >= 0 && write(fd, own.s, own.n) == (ssize_t)own.n);
	close(fd);
	struct split *s = split_new(&o);
	struct input *in = input_of(&own, false);
	must(!split_add_input(s, in));
	struct windows *w = split_finish(s), *next;
	struct layout like = {0};
	layout_copy(&like, &w->layout);
	names_free(&like.classes); /* label 0 counts here */
	names_split(&like.classes, "0,1,2,3", ',');
	windows_free(w);
	split_free(s);
	input_close(in);
	struct reading_options with = split_defaults();
	with.like = &like;
	cut_whole(&with, &own, &expected);
	struct names operand = {0};
	names_add(&operand, path);
	struct source *source = source_new(&operand, &like, MISSING_ERROR, NULL, NULL, 0);
	while ((r = source_next(source, &next)) == 1) {
		tell(next, &found);
		windows_free(next);
	}
	CHECK(!r);
	CHECK(strlen(text_string(&found)) > 1000 && !strcmp(text_string(&found), text_string(&expected)));
	source_free(source);
	unlink(path);
	names_free(&operand);
	names_free(&o.ignore);
	layout_free(&like);
	text_free(&own);
	text_free(&expected);
	text_free(&found);
}

int main(void)
{
	CASE(gives_the_windows_of_the_same_recording_as_text);
	CASE(its_annotations_are_events);
	CASE(is_explained);
	CASE(what_is_damaged_is_refused);
	CASE(a_model_cuts_it);
	return check_done();
}
