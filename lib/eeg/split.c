#include "eeg/split.h"

#include "base/error.h"
#include "base/json.h"
#include "base/mem.h"
#include "eeg/quality.h"
#include "eeg/regions.h"
#include "eeg/split_state.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct split_options split_defaults(void)
{
	return (struct split_options){.window = {300, false},
		.experts = 4,
		.halo = 2,
		.max_row = 16u << 20,
		.max_columns = 16384,
		.max_classes = 1000};
}

struct split *split_new(const struct split_options *o)
{
	struct split *s = NEW(struct split);
	s->o = o;
	s->spool.fd = -1;
	const char *twice = names_duplicate(&o->channels);
	int r = 0;
	if (twice)
		r = err_set(EX_USAGE, "channel \"%s\" stands twice in --channels", twice);
	else if ((twice = names_duplicate(&o->classes)))
		r = err_set(EX_USAGE, "class \"%s\" stands twice in --classes", twice);
	names_copy(&s->labels, o->like ? &o->like->classes : &o->classes);
	if (!r && o->group) {
		int e = regcomp(&s->group, o->group, REG_EXTENDED);
		char why[128];
		s->has_group = !e;
		if (e) {
			regerror(e, &s->group, why, sizeof why);
			r = err_set(
				EX_USAGE, "--group: \"%s\" is not a regular expression: %s", o->group, why);
		}
	}
	if (!r)
		return s;
	split_free(s);
	return NULL;
}

void split_free(struct split *s)
{
	if (!s)
		return;
	if (s->has_group)
		regfree(&s->group);
	if (s->spool.fd >= 0)
		close(s->spool.fd);
	csv_table_free(s->begun);
	layout_free(&s->layout);
	names_free(&s->labels);
	names_free(&s->recordings);
	names_free(&s->groups);
	names_free(&s->notes);
	cut_free(&s->table);
	for (int i = 0; i < s->n; i++) {
		recording_free(&s->recording[i]);
		names_free(&s->suspicious[i]);
		names_free(&s->why[i]);
	}
	free(s->recording);
	free(s->suspicious);
	free(s->file);
	free(s->why);
	free(s);
}

const struct names *split_notes(const struct split *s)
{
	return &s->notes;
}

static void note(struct split *s, char *sentence)
{
	names_add(&s->notes, sentence);
	free(sentence);
}

/* --- names */

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash && slash[1] ? slash + 1 : path;
}

static char *group_of(const struct split *s, const char *name)
{
	if (s->o->group_name)
		return mem_text(s->o->group_name);
	if (!s->has_group) {
		size_t n = strcspn(name, "_.");
		return mem_text_n(name, n ? n : strlen(name));
	}
	regmatch_t m[2];
	if (regexec(&s->group, name, 2, m, 0)) {
		err_set(EX_DATAERR, "%s: --group \"%s\" does not match this name", name, s->o->group);
		return NULL;
	}
	int which = s->group.re_nsub > 0 && m[1].rm_so >= 0;
	return mem_text_n(name + m[which].rm_so, (size_t)(m[which].rm_eo - m[which].rm_so));
}

/* The name within its folder, or with the folder when another recording has the same. */
static char *recording_name(const struct split *s, const char *path)
{
	const char *name = base_name(path);
	if (names_find(&s->recordings, name) >= 0)
		name = path;
	if (names_find(&s->recordings, name) < 0 && json_utf8(name, strlen(name)))
		return mem_text(name);
	err_set(EX_USAGE,
		json_utf8(name, strlen(name)) ? "%s: this recording is given twice"
					      : "%s: the file's name is not UTF-8 text; rename it",
		path);
	return NULL;
}

/* Notes what recording i is read from; -1 when another recording is the same file under another name. */
static int note_file(struct split *s, struct input *in, int i)
{
	int fd;
	uint64_t size;
	struct stat *f = &s->file[i];
	memset(f, 0, sizeof *f);
	if (!input_is_file(in, &fd, &size) || fstat(fd, f))
		return 0;
	for (int j = 0; j < i; j++)
		if (s->file[j].st_ino == f->st_ino && s->file[j].st_dev == f->st_dev)
			return err_set(EX_USAGE,
				"%s: this recording is given twice (it is the same file as %s)",
				input_name(in), s->recording[j].name);
	return 0;
}

/* --- the layout */

static int samples(struct span w, double rate, const char *what, int *out)
{
	double n = w.seconds ? round(w.amount * rate) : w.amount;
	if (!(n >= 1 && n <= INT_MAX / 4))
		return err_set(EX_USAGE,
			"--%s: %g%s is %.0f samples at %g Hz; at least one is needed, and less than 2^29",
			what, w.amount, w.seconds ? "s" : "", n, rate);
	*out = (int)n;
	return 0;
}

/* Regions and lengths, once the channels and the rate of the first recording are known. */
static int fix_layout(struct split *s, const struct recording *r)
{
	const struct split_options *o = s->o;
	struct layout *l = &s->layout;
	if (o->like) {
		layout_copy(l, o->like);
		s->rate = l->rate;
		return 0;
	}
	names_copy(&l->channels, &r->columns.channels);
	l->unit = mem_text("uV");
	s->rate = l->rate = r->rate;
	s->doubt = r->time.doubt;
	if (o->regions ? regions_read(l, o->regions) : layout_index_regions(l, o->experts, o->halo))
		return -1;
	struct span stride = o->stride.amount > 0 ? o->stride : o->window;
	if (r->rate <= 0 && (o->window.seconds || stride.seconds))
		return 0; /* only when explaining: the length is not known */
	return samples(o->window, r->rate, "window", &l->length) ||
			       samples(stride, r->rate, "stride", &l->stride)
		       ? -1
		       : 0;
}

static void note_channels_without_region(struct split *s)
{
	const struct layout *l = &s->layout;
	for (int c = 0; c < l->channels.n; c++) {
		bool in = false;
		for (int k = 0; k < l->regions && !in; k++)
			for (int j = 0; j < l->region[k].width && !in; j++)
				in = l->region[k].channel[j] == c;
		if (!in)
			note(s, mem_format("channel %s is in no region: it is left out", l->channels.s[c]));
	}
}

static int check_rate(const struct split *s, const struct recording *r, const char *file)
{
	if (fabs(r->rate - s->rate) <= (1e-3 + r->time.doubt + s->doubt) * s->rate)
		return 0;
	return err_set(EX_DATAERR, "%s: %.10g Hz, but the recordings before it have %.10g Hz; resample it",
		file, r->rate, s->rate);
}

/* --- one recording */

static void note_made_up(struct split *s, const struct recording *r)
{
	for (int c = 0; c < r->columns.channels.n; c++)
		if (r->columns.from[c] < 0)
			note(s, mem_format("%s: channel %s is missing: %s", r->name, r->columns.channels.s[c],
					s->o->missing == SPLIT_MISSING_ZERO
						? "zeros stand in for it"
						: "the mean of its region stands in for it"));
}

void split_note_result(struct split *s, const struct recording *r, int64_t longest)
{
	const char *name = r->name;
	if (r->left_out)
		note(s, mem_format("%s: %lld windows left out, as %lld cells have no value", name,
				(long long)r->left_out, (long long)r->missing));
	if (r->missing && s->o->value == SPLIT_VALUE_INTERP)
		note(s, mem_format(
				"%s: %lld cells without a value interpolated", name, (long long)r->missing));
	if (!r->windows && !r->left_out && s->layout.length)
		note(s, mem_format("%s: no window: its longest stretch%s is %lld rows, a window takes %d",
				name,
				s->o->align == SPLIT_RUN ? " of one label without a gap" : " without a gap",
				(long long)longest, s->layout.length));
}

static int inspect(struct split *s, int i)
{
	const struct recording *r = &s->recording[i];
	float *map = spool_map(&s->spool, false);
	if (!map)
		return -1;
	quality_check(map + r->first * s->spool.C, r->rows, s->spool.C, &r->columns.channels,
		&s->suspicious[i], &s->why[i]);
	spool_unmap(&s->spool, map);
	return 0;
}

int split_settle(struct split *s, const struct recording *r, const char *file)
{
	if (s->n > 1)
		return check_rate(s, r, file);
	if (fix_layout(s, r))
		return -1;
	note_channels_without_region(s);
	return 0;
}

static int read_and_cut(struct split *s, struct recording *r, const char *file)
{
	const struct split_options *o = s->o;
	if (recording_read(r, file, s->begun, o, &s->labels, &s->spool) || split_settle(s, r, file))
		return -1;
	if (r->holes && o->value == SPLIT_VALUE_INTERP && recording_interpolate(r, file, &s->spool))
		return -1;
	int32_t group = names_intern(&s->groups, r->group);
	if (s->layout.length)
		cut_windows(&s->table, r, s->layout.length, s->layout.stride, o->align, o->rule,
			o->value != SPLIT_VALUE_INTERP, s->n - 1, group);
	bool none = !r->windows && !r->left_out;
	split_note_result(s, r, none ? cut_longest(r, o->align) : 0);
	return 0;
}

/* What is not needed any more once the windows are cut. */
void split_slim(struct recording *r)
{
	free(r->run);
	free(r->hole);
	free(r->bad);
	timeline_free(&r->time);
	r->run = NULL;
	r->hole = NULL;
	r->bad = NULL;
	r->runs = r->holes = r->bads = r->run_room = r->hole_room = r->bad_room = 0;
}

int split_begin(struct split *s, struct input *in)
{
	const struct split_options *o = s->o;
	const char *file = input_name(in);
	struct csv_form form = {o->delim, (enum csv_header)o->header, o->max_row, o->max_columns, false};
	char *name = recording_name(s, !strcmp(file, "standard input") ? "stdin" : file);
	if (!name)
		return -1;
	int room = s->room;
	ROOM_FOR_ONE(s->recording, s->n, s->room);
	if (s->room != room) {
		GROW(s->suspicious, s->room);
		GROW(s->why, s->room);
		GROW(s->file, s->room);
	}
	int i = s->n++;
	struct recording *r = &s->recording[i];
	*r = (struct recording){.name = name, .group = group_of(s, base_name(name))};
	s->suspicious[i] = s->why[i] = (struct names){0};
	if (!r->group || note_file(s, in, i))
		return -1;
	csv_table_free(s->begun);
	s->begun = csv_table_new(in, &form);
	if (!s->begun ||
		columns_plan(&r->columns, file, csv_table_names(s->begun), o, i ? &s->layout.channels : NULL))
		return -1;
	names_add(&s->recordings, name);
	note_made_up(s, r);
	return 0;
}

bool split_labelled(const struct split *s)
{
	return s->recording[s->n - 1].columns.label >= 0;
}

int split_rest(struct split *s, struct input *in)
{
	int i = s->n - 1, e = read_and_cut(s, &s->recording[i], input_name(in));
	csv_table_free(s->begun);
	s->begun = NULL;
	if (!e && s->o->explain)
		return inspect(s, i);
	split_slim(&s->recording[i]);
	return e;
}

int split_add_input(struct split *s, struct input *in)
{
	return split_begin(s, in) ? -1 : split_rest(s, in);
}

int split_add(struct split *s, const char *path)
{
	struct input *in = input_open(path);
	int r = in ? split_add_input(s, in) : -1;
	input_close(in);
	return r;
}

/* --- the result */

static bool all_whole(const struct names *l)
{
	long long v;
	for (int i = 0; i < l->n; i++)
		if (!text_to_long(l->s[i], &v))
			return false;
	return true;
}

static int by_number(const void *a, const void *b, void *names)
{
	const struct names *l = names;
	long long x = atoll(l->s[*(const int *)a]), y = atoll(l->s[*(const int *)b]);
	return x < y ? -1 : x > y;
}

static int by_bytes(const void *a, const void *b, void *names)
{
	const struct names *l = names;
	return strcmp(l->s[*(const int *)a], l->s[*(const int *)b]);
}

/* The classes in their final order: those given or of the model as they are, those found behind them sorted.
 * to [labels]: the final index of each label. */
static void order_classes(const struct split *s, struct names *classes, int *to)
{
	int fixed = s->o->like ? s->o->like->classes.n : s->o->classes.n, n = s->labels.n;
	int *order = NEW_ARRAY(int, n + 1);
	for (int i = 0; i < n; i++)
		order[i] = i;
	if (n > fixed)
		qsort_r(order + fixed, (size_t)(n - fixed), sizeof *order,
			all_whole(&s->labels) ? by_number : by_bytes, (void *)(uintptr_t)&s->labels);
	for (int i = 0; i < n; i++) {
		names_add(classes, s->labels.s[order[i]]);
		to[order[i]] = i;
	}
	free(order);
}

struct owned {
	struct cut_table table;
	struct spool spool;
	float *map;
};

static void release(struct windows *w)
{
	struct owned *o = w->owner;
	spool_unmap(&o->spool, o->map);
	close(o->spool.fd);
	cut_free(&o->table);
	free(o);
}

int split_check(const struct split *s)
{
	int64_t windows = 0, left_out = 0;
	for (int i = 0; i < s->n; i++) {
		windows += s->recording[i].windows;
		left_out += s->recording[i].left_out;
	}
	if (windows)
		return 0;
	if (!s->n)
		return err_set(EX_USAGE, "no recording");
	if (left_out)
		return err_set(EX_DATAERR,
			"no window: all %lld hold cells without a value; --missing interp fills them",
			(long long)left_out);
	return err_set(EX_DATAERR, "no window: %s; --window takes fewer samples",
		s->notes.n ? s->notes.s[s->notes.n - 1] : "the recordings are too short");
}

struct windows *split_finish(struct split *s)
{
	if (split_check(s))
		return NULL;
	float *map = spool_map(&s->spool, false);
	if (!map)
		return NULL;
	struct windows *w = NEW(struct windows);
	struct owned *own = NEW(struct owned);
	*own = (struct owned){s->table, s->spool, map};
	w->name = mem_text(s->recordings.n == 1 ? s->recordings.s[0] : "the recordings");
	layout_copy(&w->layout, &s->layout);
	names_free(&w->layout.classes);
	int *to = NEW_ARRAY(int, s->labels.n + 1);
	order_classes(s, &w->layout.classes, to);
	for (int64_t i = 0; i < own->table.n; i++)
		if (own->table.label[i] >= 0)
			own->table.label[i] = to[own->table.label[i]];
	free(to);
	names_copy(&w->recordings, &s->recordings);
	names_copy(&w->groups, &s->groups);
	w->samples = s->spool.rows;
	w->signal = map;
	w->n = own->table.n;
	w->start = own->table.start;
	w->sample = own->table.sample;
	w->label = own->table.label;
	w->recording = own->table.recording;
	w->group = own->table.group;
	w->release = release;
	w->owner = own;
	s->table = (struct cut_table){0}; /* theirs now */
	s->spool.fd = -1;
	return w;
}
