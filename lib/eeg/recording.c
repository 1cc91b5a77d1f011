#include "eeg/recording.h"

#include "base/error.h"
#include "base/json.h"
#include "base/mem.h"
#include "io/number.h"
#include "io/output.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { BLOCK = 1 << 18 }; /* bytes gathered before they are written */

void recording_free(struct recording *r)
{
	free(r->name);
	free(r->group);
	columns_free(&r->columns);
	timeline_free(&r->time);
	free(r->run);
	free(r->hole);
	free(r->bad);
	free(r->label_rows);
	free(r->label_windows);
	*r = (struct recording){0};
}

/* --- the spool */

static int write_all(int fd, const void *data, size_t n)
{
	const char *p = data;
	while (n) {
		ssize_t w = write(fd, p, n);
		if (w < 0 && errno != EINTR)
			return err_errno(
				EX_IOERR, "temporary file: cannot write (TMPDIR names another folder)");
		p += w > 0 ? w : 0;
		n -= w > 0 ? (size_t)w : 0;
	}
	return 0;
}

float *spool_map(const struct spool *s, bool writable)
{
	size_t bytes = (size_t)s->rows * (size_t)s->C * sizeof(float);
	void *p = mmap(NULL, bytes, writable ? PROT_READ | PROT_WRITE : PROT_READ, MAP_SHARED, s->fd, 0);
	if (p != MAP_FAILED)
		return p;
	err_errno(EX_IOERR, "temporary file: cannot map it");
	return NULL;
}

void spool_unmap(const struct spool *s, float *p)
{
	if (p)
		munmap(p, (size_t)s->rows * (size_t)s->C * sizeof(float));
}

/* --- reading */

/* A channel that is made up: the mean of others. */
struct made_up {
	int channel, n;
	int *of; /* [n] channels */
};

struct reading {
	struct recording *r;
	const char *file;
	struct csv_table *table;
	const struct split_options *o;
	struct names *labels;
	struct spool *spool;
	int C;
	double scale;       /* to microvolts */
	float *block;       /* [block_rows][C] */
	int block_rows, at; /* rows there is room for, rows in it */
	double *time;       /* [block_rows] */
	int time_fd;
	int64_t *open_hole;   /* [C] the last hole of each channel, -1 */
	struct made_up *made; /* [mades] */
	int mades;
	struct text label; /* the bytes of the last label cell, */
	int32_t last;      /* and what it meant */
};

/* A cell for a message: short, without control characters. */
static const char *shown(struct csv_cell c, char *to, size_t room)
{
	size_t n = (size_t)(c.end - c.s), k = n < room - 4 ? n : room - 4;
	for (size_t i = 0; i < k; i++)
		to[i] = iscntrl((unsigned char)c.s[i]) ? '?' : c.s[i];
	snprintf(to + k, 4, "%s", k < n ? "..." : "");
	return to;
}

static int bad_cell(const struct reading *d, int column, struct csv_cell c, const char *remedy)
{
	char s[48];
	const char *name = csv_table_names(d->table)->s[column];
	bool comma = c.end > c.s && memchr(c.s, ',', (size_t)(c.end - c.s));
	return err_set(EX_DATAERR, "%s:%lld: column \"%s\": \"%s\" is not a number%s", d->file,
		(long long)csv_table_line(d->table), name, shown(c, s, sizeof s),
		comma ? "; decimal commas are not read, write points" : remedy);
}

static void note_hole(struct reading *d, int channel)
{
	struct recording *r = d->r;
	int64_t row = r->rows, last = d->open_hole[channel];
	r->missing++;
	if (last >= 0 && r->hole[last].row + r->hole[last].rows == row) {
		r->hole[last].rows++;
	} else {
		ROOM_FOR_ONE(r->hole, r->holes, r->hole_room);
		d->open_hole[channel] = r->holes;
		r->hole[r->holes++] = (struct hole){row, 1, channel};
	}
	struct stretch *b = r->bads ? &r->bad[r->bads - 1] : NULL;
	if (b && b->row + b->rows > row)
		return;
	if (b && b->row + b->rows == row) {
		b->rows++;
		return;
	}
	ROOM_FOR_ONE(r->bad, r->bads, r->bad_room);
	r->bad[r->bads++] = (struct stretch){row, 1};
}

/* Not a plain number: a missing value, or an error. */
static int odd_cell(struct reading *d, int channel, struct csv_cell c, double x, float *out)
{
	int column = d->r->columns.from[channel];
	if (!number_missing(c.s, c.end)) {
		char s[48];
		if (isfinite(x))
			return bad_cell(d, column, c, "; --drop leaves a column out");
		return err_set(EX_DATAERR, "%s:%lld: column \"%s\": %s is too large; is --unit right?",
			d->file, (long long)csv_table_line(d->table), csv_table_names(d->table)->s[column],
			shown(c, s, sizeof s));
	}
	if (d->o->value == SPLIT_VALUE_ERROR && !d->o->explain)
		return err_set(EX_DATAERR,
			"%s:%lld: column \"%s\": no value; --missing drop-window leaves out the windows it "
			"touches, "
			"--missing interp draws a line across it",
			d->file, (long long)csv_table_line(d->table), csv_table_names(d->table)->s[column]);
	note_hole(d, channel);
	*out = 0;
	return 0;
}

/* A made-up channel: the mean of those that have a value in this row. */
static void fill_in(struct reading *d, const struct made_up *m, float *out)
{
	double sum = 0;
	int n = 0;
	for (int j = 0; j < m->n; j++) {
		int64_t last = d->open_hole[m->of[j]];
		if (last >= 0 && d->r->hole[last].row + d->r->hole[last].rows > d->r->rows)
			continue;
		sum += (double)out[m->of[j]];
		n++;
	}
	out[m->channel] = n ? (float)(sum / n) : 0;
	if (!n)
		note_hole(d, m->channel);
}

static int read_channels(struct reading *d, const struct csv_cell *cell, float *out)
{
	const int *from = d->r->columns.from;
	for (int c = 0; c < d->C; c++) {
		if (from[c] < 0) {
			out[c] = 0;
			continue;
		}
		struct csv_cell x = cell[from[c]];
		double v = 0;
		bool number = number_parse(x.s, x.end, &v);
		out[c] = (float)(v * d->scale);
		if ((!number || !isfinite(out[c])) && odd_cell(d, c, x, number ? (double)out[c] : 0, &out[c]))
			return -1;
	}
	for (int i = 0; i < d->mades; i++)
		fill_in(d, &d->made[i], out);
	return 0;
}

/* The name of a label: whole numbers lose their point ("1.0" is 1), blanks are gone already. */
static char *label_name(struct csv_cell c)
{
	double x;
	if (number_parse(c.s, c.end, &x) && x == floor(x) && fabs(x) < 1e15)
		return mem_format("%.0f", x == 0 ? 0 : x);
	return mem_text_n(c.s, (size_t)(c.end - c.s));
}

static bool ignored(const struct split_options *o, const char *name)
{
	for (int i = 0; i < o->ignore.n; i++) {
		const char *s = o->ignore.s[i];
		char *same = label_name((struct csv_cell){s, s + strlen(s)});
		bool hit = !strcmp(same, name);
		free(same);
		if (hit)
			return true;
	}
	return false;
}

static int new_label(struct reading *d, struct csv_cell c)
{
	d->label.n = 0;
	text_add_n(&d->label, c.s, (size_t)(c.end - c.s));
	d->last = -1;
	if (number_missing(c.s, c.end))
		return 0;
	char *name = label_name(c);
	int r = 0;
	if (!json_utf8(name, strlen(name)))
		r = err_set(EX_DATAERR, "%s:%lld: the label is not UTF-8 text", d->file,
			(long long)csv_table_line(d->table));
	else if (!ignored(d->o, name)) {
		d->last = names_find(d->labels, name);
		if (d->last < 0 && d->o->classes.n)
			r = err_set(EX_DATAERR,
				"%s:%lld: label \"%.60s\" is none of --classes; name it there, or "
				"--ignore-label it",
				d->file, (long long)csv_table_line(d->table), name);
		else if (d->last < 0 && d->labels->n == d->o->max_classes)
			r = err_set(EX_DATAERR,
				"%s:%lld: more than %d different labels: is this a label column? "
				"(--max-classes)",
				d->file, (long long)csv_table_line(d->table), d->o->max_classes);
		else if (d->last < 0)
			d->last = names_add(d->labels, name);
	}
	free(name);
	return r;
}

static int read_label(struct reading *d, const struct csv_cell *cell)
{
	struct recording *r = d->r;
	int column = r->columns.label;
	if (column >= 0) {
		struct csv_cell c = cell[column];
		size_t n = (size_t)(c.end - c.s);
		bool same = d->label.s && n == d->label.n && (!n || !memcmp(c.s, d->label.s, n));
		if (!same && new_label(d, c))
			return -1;
	}
	if (r->runs && r->run[r->runs - 1].label == d->last)
		return 0;
	ROOM_FOR_ONE(r->run, r->runs, r->run_room);
	r->run[r->runs++] = (struct label_run){r->rows, d->last};
	return 0;
}

static int read_time(struct reading *d, const struct csv_cell *cell)
{
	struct csv_cell c = cell[d->r->columns.time];
	double x;
	if (!number_parse(c.s, c.end, &x) || !isfinite(x))
		return bad_cell(d, d->r->columns.time, c,
			"; times are numbers of seconds or milliseconds here: --drop the column and give "
			"--rate");
	d->time[d->at] = x;
	return 0;
}

static int flush(struct reading *d)
{
	size_t rows = (size_t)d->at;
	d->at = 0;
	if (write_all(d->spool->fd, d->block, rows * (size_t)d->C * sizeof(float)))
		return -1;
	return d->time ? write_all(d->time_fd, d->time, rows * sizeof(double)) : 0;
}

static int read_rows(struct reading *d)
{
	const struct csv_cell *cell;
	int more;
	while ((more = csv_table_next(d->table, &cell)) == 1) {
		if (read_channels(d, cell, d->block + (size_t)d->at * (size_t)d->C) || read_label(d, cell) ||
			(d->time && read_time(d, cell)))
			return -1;
		d->r->rows++;
		if (++d->at == d->block_rows && flush(d))
			return -1;
	}
	if (more < 0 || flush(d))
		return -1;
	if (!d->r->rows)
		return err_set(EX_DATAERR, "%s: a header and no rows", d->file);
	d->spool->rows += d->r->rows;
	return 0;
}

/* --- the rate */

static int solve_time(struct reading *d, enum split_time unit, double expected)
{
	struct recording *r = d->r;
	size_t bytes = (size_t)r->rows * sizeof(double);
	const double *t = mmap(NULL, bytes, PROT_READ, MAP_SHARED, d->time_fd, 0);
	if (t == MAP_FAILED)
		return err_errno(EX_IOERR, "temporary file: cannot map it");
	int e = timeline_solve(&r->time, d->file, t, r->rows, unit, expected);
	munmap((void *)(uintptr_t)t, bytes);
	if (e && d->o->explain && expected <= 0) { /* not known, then */
		timeline_free(&r->time);
		return 0;
	}
	return e;
}

static int find_rate(struct reading *d)
{
	struct recording *r = d->r;
	const struct split_options *o = d->o;
	double expected = o->rate > 0 ? o->rate : o->like ? o->like->rate : 0;
	if (d->time) {
		enum split_time unit = SPLIT_TIME_AUTO;
		columns_is_time(csv_table_names(d->table)->s[r->columns.time], &unit);
		if (o->time_unit != SPLIT_TIME_AUTO)
			unit = o->time_unit;
		if (solve_time(d, unit, expected))
			return -1;
		r->rate = r->time.rate;
		r->rate_from = "time column";
	} else if (expected > 0) {
		r->rate = expected;
		r->rate_from = o->rate > 0 ? "--rate" : "model";
	}
	if (expected > 0 && fabs(r->rate - expected) > (1e-3 + r->time.doubt) * expected && d->time)
		return err_set(EX_DATAERR, "%s: its time column says %.10g Hz, %s says %.10g Hz%s", d->file,
			r->rate, o->rate > 0 ? "--rate" : "the model", expected,
			o->rate > 0 ? "; --drop the time column if it is wrong"
				    : "; resample it, or use a model for this rate");
	if (o->like && o->rate > 0 && fabs(o->rate - o->like->rate) > 1e-3 * o->like->rate)
		return err_set(EX_DATAERR, "%s: --rate says %.10g Hz, the model has %.10g Hz", d->file,
			o->rate, o->like->rate);
	if (r->rate <= 0 && !o->explain)
		return err_set(EX_DATAERR,
			"%s: the sampling rate is not known: there is no time column; give --rate", d->file);
	if (expected > 0)
		r->rate = expected;
	return 0;
}

/* --- channels that are not there */

static int make_up(struct reading *d, int channel)
{
	const struct layout *l = d->o->like;
	const int *from = d->r->columns.from;
	struct made_up m = {channel, 0, NEW_ARRAY(int, d->C)};
	for (int pass = 0; pass < 2 && !m.n; pass++) /* the region that owns it, then any it is in */
		for (int k = 0; k < l->regions && !m.n; k++) {
			const struct region *g = &l->region[k];
			bool in = false;
			for (int j = 0; j < g->width; j++)
				in |= g->channel[j] == channel && (pass || g->core[j]);
			for (int j = 0; j < g->width && in; j++)
				if (g->channel[j] >= 0 && from[g->channel[j]] >= 0)
					m.of[m.n++] = g->channel[j];
		}
	GROW(d->made, d->mades + 1);
	d->made[d->mades++] = m;
	return m.n ? 0
		   : err_set(EX_DATAERR,
			     "%s: channel \"%s\" of the model is missing, and so is every other of its "
			     "region",
			     d->file, l->channels.s[channel]);
}

static int begin(struct reading *d)
{
	static const double factor[] = {[SPLIT_UV] = 1, [SPLIT_MV] = 1e3, [SPLIT_V] = 1e6, [SPLIT_NV] = 1e-3};
	struct recording *r = d->r;
	d->C = r->columns.channels.n;
	d->scale = factor[d->o->unit];
	d->last = -1;
	d->block_rows = BLOCK / (int)sizeof(float) / d->C + 1;
	d->block = NEW_ARRAY(float, (size_t)d->block_rows *(size_t)d->C);
	d->open_hole = NEW_ARRAY(int64_t, d->C);
	for (int c = 0; c < d->C; c++)
		d->open_hole[c] = -1;
	for (int c = 0; c < d->C; c++)
		if (r->columns.from[c] < 0 && d->o->missing == SPLIT_MISSING_INTERP && make_up(d, c))
			return -1;
	if (d->spool->fd < 0) {
		d->spool->C = d->C;
		d->spool->fd = output_spool();
		if (d->spool->fd < 0)
			return -1;
	}
	r->first = d->spool->rows;
	if (r->columns.time < 0)
		return 0;
	d->time = NEW_ARRAY(double, d->block_rows);
	d->time_fd = output_spool();
	return d->time_fd < 0 ? -1 : 0;
}

static void count_labels(struct recording *r, int labels)
{
	r->labels = labels;
	r->label_rows = NEW_ARRAY(int64_t, labels + 1);
	r->label_windows = NEW_ARRAY(int64_t, labels + 1);
	for (int64_t i = 0; i < r->runs; i++)
		if (r->run[i].label >= 0)
			r->label_rows[r->run[i].label] +=
				(i + 1 < r->runs ? r->run[i + 1].row : r->rows) - r->run[i].row;
}

int recording_read(struct recording *r, const char *file, struct csv_table *table,
	const struct split_options *o, struct names *labels, struct spool *spool)
{
	struct reading d = {r, file, table, o, labels, spool, .time_fd = -1};
	r->delim = csv_table_delim(table);
	r->header_rows = csv_table_header_rows(table);
	int e = begin(&d) || read_rows(&d) || find_rate(&d) ? -1 : 0;
	if (!e)
		count_labels(r, labels->n);
	free(d.block);
	free(d.time);
	free(d.open_hole);
	text_free(&d.label);
	for (int i = 0; i < d.mades; i++)
		free(d.made[i].of);
	free(d.made);
	if (d.time_fd >= 0)
		close(d.time_fd);
	return e;
}

/* --- lines through holes */

/* The part of the recording without gaps around a row: *from .. *to-1. */
static void around(const struct recording *r, int64_t row, int64_t *from, int64_t *to)
{
	*from = 0;
	*to = r->rows;
	for (int64_t i = 0; i < r->time.gaps; i++) {
		if (r->time.gap[i].row <= row)
			*from = r->time.gap[i].row;
		else {
			*to = r->time.gap[i].row;
			return;
		}
	}
}

static int mend(const struct recording *r, const char *file, const struct hole *h, float *x, int C)
{
	int64_t end = h->row + h->rows;
	for (int64_t at = h->row, from, to; at < end; at = to) { /* a gap within a hole cuts it */
		around(r, at, &from, &to);
		int64_t stop = end < to ? end : to;
		bool left = at > from, right = stop < to;
		if (!left && !right)
			return err_set(EX_DATAERR,
				"%s: channel \"%s\" has no value from row %lld to %lld; --drop it", file,
				r->columns.channels.s[h->channel], (long long)from + 1, (long long)to);
		double a = (double)x[(left ? at - 1 : stop) * C + h->channel];
		double b = (double)x[(right ? stop : at - 1) * C + h->channel];
		double steps = (double)(stop - at + 1);
		for (int64_t i = at; i < stop; i++)
			x[i * C + h->channel] = (float)(a + (b - a) * (double)(i - at + 1) / steps);
		to = stop;
	}
	return 0;
}

int recording_interpolate(const struct recording *r, const char *file, const struct spool *s)
{
	float *map = spool_map(s, true);
	int e = map ? 0 : -1;
	for (int64_t i = 0; i < r->holes && !e; i++)
		e = mend(r, file, &r->hole[i], map + r->first * s->C, s->C);
	spool_unmap(s, map);
	return e;
}
