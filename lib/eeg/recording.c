#include "eeg/recording.h"

#include "base/error.h"
#include "base/mem.h"
#include "eeg/moment.h"
#include "eeg/rows.h"
#include "io/output.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

enum { BLOCK = 1 << 18 }; /* bytes gathered before they are written */

void recording_slim(struct recording *r)
{
	shelf_free(&r->run_shelf, r->run);
	shelf_free(&r->hole_shelf, r->hole);
	shelf_free(&r->bad_shelf, r->bad);
	timeline_free(&r->time);
	r->run = NULL;
	r->hole = NULL;
	r->bad = NULL;
	r->runs = r->holes = r->bads = r->run_room = r->hole_room = r->bad_room = 0;
}

void recording_free(struct recording *r)
{
	recording_slim(r);
	free(r->name);
	free(r->group);
	columns_free(&r->columns);
	free(r->label_rows);
	free(r->trial);
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

static int open_spool(struct spool *s, int C)
{
	s->C = C;
	if (s->fd < 0)
		s->fd = output_spool();
	return s->fd < 0 ? -1 : 0;
}

int spool_rows(struct spool *s, const float *x, int64_t rows, int C)
{
	if (open_spool(s, C))
		return -1;
	s->rows += rows;
	return write_all(s->fd, x, (size_t)rows * (size_t)C * sizeof *x);
}

int spool_append(struct spool *s, const struct spool *from, int64_t *first)
{
	float *map = spool_map(from, false);
	*first = s->rows;
	int r = map ? spool_rows(s, map, from->rows, from->C) : -1;
	spool_unmap(from, map);
	return r;
}

/* --- reading */

struct reading {
	struct recording *r;
	const char *file;
	const struct split_options *o;
	struct spool *spool;
	struct rows rows;
	float *block;       /* [block_rows][C] */
	int block_rows, at; /* rows there is room for, rows in it */
	double *time;       /* [block_rows] */
	int time_fd;
	int64_t *open_hole; /* [C] the last hole of each channel, -1 */
};

static void note_hole(struct reading *d, int channel)
{
	struct recording *r = d->r;
	int64_t row = r->rows, last = d->open_hole[channel];
	r->missing++;
	if (last >= 0 && r->hole[last].row + r->hole[last].rows == row) {
		r->hole[last].rows++;
		return;
	}
	SHELF_ROOM_FOR_ONE(&r->hole_shelf, r->hole, r->holes, r->hole_room);
	d->open_hole[channel] = r->holes;
	r->hole[r->holes++] = (struct hole){row, 1, channel};
}

static void note_bad_row(struct recording *r)
{
	struct stretch *b = r->bads ? &r->bad[r->bads - 1] : NULL;
	if (b && b->row + b->rows == r->rows) {
		b->rows++;
		return;
	}
	SHELF_ROOM_FOR_ONE(&r->bad_shelf, r->bad, r->bads, r->bad_room);
	r->bad[r->bads++] = (struct stretch){r->rows, 1};
}

static void note_label(struct recording *r, int32_t label)
{
	if (r->runs && r->run[r->runs - 1].label == label)
		return;
	SHELF_ROOM_FOR_ONE(&r->run_shelf, r->run, r->runs, r->run_room);
	r->run[r->runs++] = (struct label_run){r->rows, label};
}

static int flush(struct reading *d)
{
	size_t rows = (size_t)d->at;
	d->at = 0;
	if (write_all(d->spool->fd, d->block, rows * (size_t)d->rows.C * sizeof(float)))
		return -1;
	return d->time ? write_all(d->time_fd, d->time, rows * sizeof(double)) : 0;
}

static int read_rows(struct reading *d)
{
	struct recording *r = d->r;
	int more, C = d->rows.C;
	while ((more = rows_next(&d->rows, d->block + (size_t)d->at * (size_t)C)) == 1) {
		for (int c = 0; c < C && d->rows.missing; c++)
			if (d->rows.hole[c])
				note_hole(d, c);
		if (d->rows.missing)
			note_bad_row(r);
		note_label(r, d->rows.label);
		if (d->time)
			d->time[d->at] = d->rows.time;
		r->rows++;
		if (++d->at == d->block_rows && flush(d))
			return -1;
	}
	if (more < 0 || flush(d))
		return -1;
	if (!r->rows)
		return err_set(EX_DATAERR, "%s: a header and no rows", d->file);
	d->spool->rows += r->rows;
	r->recorded = r->rows;
	return 0;
}

/* --- the rate */

/* Recordings of any rate will do for a model whose recordings are resampled: its own is a guess then. */
static bool any_rate(const struct split_options *o)
{
	return o->like && o->like->conditioning.rate > 0;
}

static double expected_rate(const struct split_options *o)
{
	if (o->rate > 0 || !o->like)
		return o->rate;
	return any_rate(o) ? o->like->conditioning.rate_before : o->like->rate;
}

static bool far_off(const struct recording *r, double expected)
{
	return fabs(r->rate - expected) > (1e-3 + r->time.doubt) * expected;
}

static const char *rate_by(const struct split_options *o)
{
	return o->rate_by ? o->rate_by : "--rate";
}

double recording_start(const struct recording *r)
{
	static const double scale[] = {[SPLIT_TIME_S] = 1, [SPLIT_TIME_MS] = 1e-3, [SPLIT_TIME_US] = 1e-6};
	double t = r->time.rate > 0 ? r->first_time * scale[r->time.unit] : 0;
	return moment_is_date(t) ? t : NAN;
}

static int solve_time(struct recording *r, const char *file, const char *column, const double *t, int64_t n,
	const struct split_options *o)
{
	double expected = expected_rate(o);
	r->first_time = t[0];
	enum split_time unit = SPLIT_TIME_AUTO;
	columns_is_time(column, &unit);
	if (o->time_unit != SPLIT_TIME_AUTO)
		unit = o->time_unit;
	int e = timeline_solve(&r->time, file, t, n, unit, expected);
	if (e && (!o->explain || expected > 0))
		return -1;
	if (e)
		timeline_free(&r->time); /* not known, then */
	r->rate = r->time.rate;
	r->rate_from = "time column";
	if (expected > 0 && far_off(r, expected) && (o->rate > 0 || !any_rate(o)))
		return err_set(EX_DATAERR, "%s: its time column says %.10g Hz, %s says %.10g Hz%s", file,
			r->rate, o->rate > 0 ? rate_by(o) : "the model", expected,
			o->rate > 0 ? "; --drop the time column if it is wrong"
				    : "; resample it, or use a model for this rate");
	return 0;
}

int recording_rate(struct recording *r, const char *file, const char *column, const double *t, int64_t n,
	const struct split_options *o)
{
	double expected = expected_rate(o);
	if (column && solve_time(r, file, column, t, n, o))
		return -1;
	if (!column && expected > 0)
		r->rate_from = o->rate > 0 ? rate_by(o) : "model";
	if (o->like && o->rate > 0 && !any_rate(o) && fabs(o->rate - o->like->rate) > 1e-3 * o->like->rate)
		return err_set(EX_DATAERR, "%s: %s says %.10g Hz, the model has %.10g Hz", file, rate_by(o),
			o->rate, o->like->rate);
	if (expected > 0 && (!column || !far_off(r, expected)))
		r->rate = expected;
	if (r->rate <= 0 && !o->explain)
		return err_set(EX_DATAERR, "%s: the sampling rate is not known: there is no time column; %s",
			file, o->like ? "cut it with moe-split --like MODEL --rate HZ" : "give --rate");
	return 0;
}

static int find_rate(struct reading *d)
{
	struct recording *r = d->r;
	if (!d->time)
		return recording_rate(r, d->file, NULL, NULL, 0, d->o);
	size_t bytes = (size_t)r->rows * sizeof(double);
	const double *t = mmap(NULL, bytes, PROT_READ, MAP_SHARED, d->time_fd, 0);
	if (t == MAP_FAILED)
		return err_errno(EX_IOERR, "temporary file: cannot map it");
	const char *column = csv_table_names(d->rows.table)->s[r->columns.time];
	int e = recording_rate(r, d->file, column, t, r->rows, d->o);
	munmap((void *)(uintptr_t)t, bytes);
	return e;
}

static int begin(struct reading *d, struct csv_table *table, struct names *labels)
{
	struct recording *r = d->r;
	if (rows_begin(&d->rows, d->file, table, &r->columns, d->o, labels))
		return -1;
	int C = d->rows.C;
	d->block_rows = BLOCK / (int)sizeof(float) / C + 1;
	d->block = NEW_ARRAY(float, (size_t)d->block_rows *(size_t)C);
	d->open_hole = NEW_ARRAY(int64_t, C);
	for (int c = 0; c < C; c++)
		d->open_hole[c] = -1;
	if (open_spool(d->spool, C))
		return -1;
	r->first = d->spool->rows;
	if (r->columns.time < 0)
		return 0;
	d->time = NEW_ARRAY(double, d->block_rows);
	d->time_fd = output_spool();
	return d->time_fd < 0 ? -1 : 0;
}

void recording_labels(struct recording *r, const int32_t *to, int labels)
{
	r->labels = labels;
	r->label_rows = NEW_ARRAY(int64_t, labels + 1);
	r->label_windows = NEW_ARRAY(int64_t, labels + 1);
	for (int64_t i = 0; i < r->runs; i++) {
		if (r->run[i].label < 0)
			continue;
		r->run[i].label = to[r->run[i].label];
		r->label_rows[r->run[i].label] +=
			(i + 1 < r->runs ? r->run[i + 1].row : r->rows) - r->run[i].row;
	}
}

int recording_read(struct recording *r, const char *file, struct csv_table *table,
	const struct split_options *o, struct names *labels, struct spool *spool)
{
	struct reading d = {.r = r, .file = file, .o = o, .spool = spool, .time_fd = -1};
	r->delim = csv_table_delim(table);
	r->header_rows = csv_table_header_rows(table);
	int e = begin(&d, table, labels) || read_rows(&d) || find_rate(&d) ? -1 : 0;
	rows_end(&d.rows);
	free(d.block);
	free(d.time);
	free(d.open_hole);
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
				columns_channel(&r->columns, h->channel), (long long)from + 1, (long long)to);
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
