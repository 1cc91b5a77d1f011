#include "recording/recording.h"

#include "base/error.h"
#include "base/mem.h"
#include "io/output.h"
#include "recording/timestamp.h"
#include "recording/rows.h"
#include "recording/time_column.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

enum { BLOCK = 1 << 18 }; /* bytes gathered before they are written */

void recording_free_lists(struct recording *r)
{
	spill_free(&r->run_spill, r->run);
	spill_free(&r->missing_spill, r->missing_run);
	spill_free(&r->invalid_spill, r->invalid);
	spill_free(&r->jump_spill, r->jump);
	timeline_free(&r->time);
	r->run = NULL;
	r->missing_run = NULL;
	r->invalid = NULL;
	r->jump = NULL;
	r->runs = r->missing_runs = r->invalids = r->jumps = 0;
	r->run_room = r->missing_room = r->invalid_room = r->jump_room = 0;
}

void recording_free(struct recording *r)
{
	recording_free_lists(r);
	free(r->name);
	free(r->group);
	columns_free(&r->columns);
	header_info_free(&r->header);
	free(r->label_rows);
	free(r->trial);
	free(r->label_windows);
	*r = (struct recording){0};
}

/* --- reading */

struct reading {
	struct recording *r;
	const char *file;
	const struct reading_options *o;
	struct row_file *row_file;
	struct rows rows;
	float *block;       /* [block_rows][C] */
	int block_rows, at; /* rows there is room for, rows in it */
	double *time;       /* [block_rows] */
	int time_fd;
	int64_t *open_missing; /* [C] the last missing run of each channel, -1 = none */
};

static void note_missing(struct reading *d, int channel)
{
	struct recording *r = d->r;
	int64_t row = r->rows, last = d->open_missing[channel];
	r->missing++;
	if (last >= 0 && r->missing_run[last].row + r->missing_run[last].rows == row) {
		r->missing_run[last].rows++;
		return;
	}
	SPILL_ROOM_FOR_ONE(&r->missing_spill, r->missing_run, r->missing_runs, r->missing_room);
	d->open_missing[channel] = r->missing_runs;
	r->missing_run[r->missing_runs++] = (struct missing_run){row, 1, channel};
}

static void note_invalid_row(struct recording *r)
{
	struct segment *b = r->invalids ? &r->invalid[r->invalids - 1] : NULL;
	if (b && b->row + b->rows == r->rows) {
		b->rows++;
		return;
	}
	SPILL_ROOM_FOR_ONE(&r->invalid_spill, r->invalid, r->invalids, r->invalid_room);
	r->invalid[r->invalids++] = (struct segment){r->rows, 1};
}

static void note_label(struct recording *r, int32_t label)
{
	if (r->runs && r->run[r->runs - 1].label == label)
		return;
	SPILL_ROOM_FOR_ONE(&r->run_spill, r->run, r->runs, r->run_room);
	r->run[r->runs++] = (struct label_run){r->rows, label};
}

static void note_jump(struct recording *r, double lost)
{
	if (!(lost > 0) && !isnan(lost))
		return;
	SPILL_ROOM_FOR_ONE(&r->jump_spill, r->jump, r->jumps, r->jump_room);
	r->jump[r->jumps++] = (struct jump){r->rows, lost};
}

static int flush_block(struct reading *d)
{
	size_t rows = (size_t)d->at;
	d->at = 0;
	if (row_file_write(d->row_file->fd, d->block, rows * (size_t)d->rows.C * sizeof(float)))
		return -1;
	return d->time ? row_file_write(d->time_fd, d->time, rows * sizeof(double)) : 0;
}

static int read_rows(struct reading *d)
{
	struct recording *r = d->r;
	int more, C = d->rows.C;
	while ((more = rows_next(&d->rows, d->block + (size_t)d->at * (size_t)C)) == 1) {
		for (int c = 0; c < C && d->rows.missing; c++)
			if (d->rows.is_missing[c])
				note_missing(d, c);
		if (d->rows.missing)
			note_invalid_row(r);
		note_label(r, d->rows.label);
		note_jump(r, d->rows.lost);
		if (d->time)
			d->time[d->at] = d->rows.time;
		r->rows++;
		if (++d->at == d->block_rows && flush_block(d))
			return -1;
	}
	if (more < 0 || flush_block(d))
		return -1;
	if (!r->rows)
		return err_set(EX_DATAERR, "%s: there is a header but no rows of data", d->file);
	d->row_file->rows += r->rows;
	r->recorded = r->rows;
	r->form = d->rows.reader->form;
	r->time_format = d->rows.time_format;
	r->messages = d->rows.messages;
	r->marked = d->rows.marked;
	r->counted = r->columns.counter >= 0 && !d->rows.counter.useless;
	r->round = counter_round(&d->rows.counter);
	return 0;
}

/* --- the rate */

/* Recordings of any rate will do for a model whose recordings are resampled: its own is a guess
 * then. */
static bool any_rate(const struct reading_options *o)
{
	return o->like && o->like->preprocessing.rate > 0;
}

/* The rate that is stated: by the user, in the recording, or by the model. */
static double expected_rate(const struct recording *r, const struct reading_options *o)
{
	if (o->rate > 0 || r->header.rate > 0 || !o->like)
		return o->rate > 0 ? o->rate : r->header.rate;
	return any_rate(o) ? o->like->preprocessing.rate_before : o->like->rate;
}

static bool rate_is_guess(const struct recording *r, const struct reading_options *o)
{
	return any_rate(o) && !(o->rate > 0) && !(r->header.rate > 0);
}

static bool rate_differs(const struct recording *r, double rate, double tolerance)
{
	return fabs(r->rate - rate) > (tolerance + r->time.doubt) * rate;
}

static const char *rate_by(const struct reading_options *o)
{
	return o->rate_by ? o->rate_by : "--rate";
}

static int refuse_rate(
	const struct recording *r, const char *file, const struct reading_options *o, double expected)
{
	if (o->rate > 0)
		return err_set(EX_DATAERR,
			"%s: the time column gives %.10g Hz, but %s gives %.10g Hz; --drop the time column "
			"if it is wrong",
			file, r->rate, rate_by(o), expected);
	if (r->header.rate > 0)
		return err_set(EX_DATAERR,
			"%s: the time column gives %.10g Hz, but the %s gives %.10g Hz; give the correct one "
			"with --rate, and --drop the time column if it is wrong",
			file, r->rate, r->header.rate_from, expected);
	return err_set(EX_DATAERR,
		"%s: the time column gives %.10g Hz, but the model expects %.10g Hz; resample the recording, "
		"or use a model for this rate",
		file, r->rate, expected);
}

double recording_start(const struct recording *r)
{
	static const double scale[] = {[TIME_UNIT_S] = 1, [TIME_UNIT_MS] = 1e-3, [TIME_UNIT_US] = 1e-6};
	double t = r->time.rate > 0 ? r->time.start * scale[r->time.unit] : 0;
	return timestamp_is_date(t) ? t : NAN;
}

static int solve_time(struct recording *r, const char *file, const char *column, const double *t, int64_t n,
	const struct reading_options *o)
{
	double expected = expected_rate(r, o);
	bool said = !(o->rate > 0) && r->header.rate > 0;
	struct timeline_hint h = {
		.rate = expected, .device = r->header.device_rate, .likely = r->header.likely_unit};
	time_column_named(column, &h.unit);
	if (r->columns.time_unit != TIME_UNIT_AUTO)
		h.unit = r->columns.time_unit;
	if (r->time_format != TIME_FORMAT_NONE)
		h.unit = TIME_UNIT_S;
	int e = timeline_solve(&r->time, file, t, n, &h);
	if (e && (!o->explain || o->rate > 0 || o->like))
		return -1;
	if (e)
		timeline_free(&r->time); /* not known, then */
	r->rate = r->time.rate;
	r->rate_from = said                                                 ? r->header.rate_from
		       : r->time.bursts && r->rate == r->header.device_rate ? "dialect"
									    : "time column";
	if (expected > 0 && !e && !rate_is_guess(r, o) && rate_differs(r, expected, said ? 0.05 : 1e-3))
		return refuse_rate(r, file, o, expected);
	return 0;
}

int recording_rate(struct recording *r, const char *file, const char *column, const double *t, int64_t n,
	const struct reading_options *o)
{
	double expected = expected_rate(r, o);
	if (column && solve_time(r, file, column, t, n, o))
		return -1;
	if (!column && expected > 0)
		r->rate_from = o->rate > 0 ? rate_by(o) : r->header.rate > 0 ? r->header.rate_from : "model";
	if (o->like && o->rate > 0 && !any_rate(o) && fabs(o->rate - o->like->rate) > 1e-3 * o->like->rate)
		return err_set(EX_DATAERR,
			"%s: %s gives %.10g Hz, but the model expects %.10g Hz; resample the recording, or "
			"use a model for this rate",
			file, rate_by(o), o->rate, o->like->rate);
	if (expected > 0 && !(column && rate_is_guess(r, o) && rate_differs(r, expected, 1e-3)))
		r->rate = r->time.rate = expected;
	if (o->like && !any_rate(o) && rate_differs(r, o->like->rate, 1e-3))
		return err_set(EX_DATAERR,
			"%s: the %s gives %.10g Hz, but the model expects %.10g Hz; resample the recording, "
			"or use a model for this rate",
			file, r->rate_from, r->rate, o->like->rate);
	if (r->rate <= 0 && !o->explain)
		return err_set(EX_DATAERR, "%s: the sampling rate is not known: there is no time column; %s",
			file, o->like ? "cut it with moe-split --like MODEL --rate HZ" : "give --rate");
	return 0;
}

/* --- gaps */

/* t [rows], or NULL. */
static int find_gaps(struct recording *r, const char *file, const double *t)
{
	double seconds;
	if (r->rate <= 0)
		return 0;
	if (r->time.usual <= 0) /* the times show no steps */
		t = NULL;
	for (int64_t i = 1, jump = 0; i < r->rows; i++) {
		double lost = r->counted ? 0 : -1;
		if (jump < r->jumps && r->jump[jump].row == i)
			lost = r->jump[jump++].lost;
		else if (!t)
			continue;
		double before = t ? t[i - 1] : 0, now = t ? t[i] : 0;
		switch (timeline_step(&r->time, t, before, now, lost, r->round, &seconds)) {
		case STEP_ON:
			break;
		case STEP_GAP:
			timeline_add_gap(&r->time, i, seconds);
			break;
		case STEP_BACK:
			return timeline_goes_back(file, i, before, now);
		}
	}
	return 0;
}

void recording_remarks(const struct recording *r, struct names *to)
{
	const struct {
		const char *sentence;
		int64_t rows;
	} said[] = {{"rows that contain only a message, skipped", r->messages},
		{"rows with too few or too many cells, left out", r->form.dropped},
		{"rows with too few or too many cells, filled up or cut off", r->form.padded},
		{"rows with more cells than the header, whose extra cells are ignored", r->form.cut},
		{"samples that the recorder marks as lost or interpolated (--missing drop-window leaves out "
		 "the windows that contain them)",
			r->marked}};
	for (size_t i = 0; i < sizeof said / sizeof *said; i++) {
		char *s = said[i].rows ? mem_format("%s: %lld", said[i].sentence, (long long)said[i].rows)
				       : NULL;
		if (s)
			names_add(to, s);
		free(s);
	}
	if (r->header.device_rate > 0 && r->rate > 0 && r->rate < r->header.device_rate / 10) {
		char *s = mem_format("%.3g rows per second from a device that records %g samples per second: "
				     "this is not the whole signal",
			r->rate, r->header.device_rate);
		names_add(to, s);
		free(s);
	}
}

static int find_rate(struct reading *d)
{
	struct recording *r = d->r;
	if (!d->time)
		return recording_rate(r, d->file, NULL, NULL, 0, d->o) || find_gaps(r, d->file, NULL) ? -1
												      : 0;
	size_t bytes = (size_t)r->rows * sizeof(double);
	const double *t = mmap(NULL, bytes, PROT_READ, MAP_SHARED, d->time_fd, 0);
	if (t == MAP_FAILED)
		return err_errno(EX_IOERR, "temporary file: cannot map it");
	const char *column = d->rows.reader->names.s[r->columns.time];
	int e = recording_rate(r, d->file, column, t, r->rows, d->o) || find_gaps(r, d->file, t) ? -1 : 0;
	munmap((void *)(uintptr_t)t, bytes);
	return e;
}

static int begin_reading(struct reading *d, struct reader *reader, struct names *labels)
{
	struct recording *r = d->r;
	if (rows_begin(&d->rows, reader, &r->columns, d->o, labels))
		return -1;
	int C = d->rows.C;
	d->block_rows = BLOCK / (int)sizeof(float) / C + 1;
	d->block = NEW_ARRAY(float, (size_t)d->block_rows *(size_t)C);
	d->open_missing = NEW_ARRAY(int64_t, C);
	for (int c = 0; c < C; c++)
		d->open_missing[c] = -1;
	if (row_file_open(d->row_file, C))
		return -1;
	r->first = d->row_file->rows;
	if (r->columns.time < 0)
		return 0;
	d->time = NEW_ARRAY(double, d->block_rows);
	d->time_fd = output_temporary();
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

int recording_read(struct recording *r, struct reader *reader, const struct reading_options *o,
	struct names *labels, struct row_file *row_file)
{
	struct reading d = {.r = r, .file = reader->file, .o = o, .row_file = row_file, .time_fd = -1};
	int e = begin_reading(&d, reader, labels) || read_rows(&d) || find_rate(&d) ? -1 : 0;
	rows_end(&d.rows);
	free(d.block);
	free(d.time);
	free(d.open_missing);
	if (d.time_fd >= 0)
		close(d.time_fd);
	return e;
}

/* --- interpolation */

/* The part of the recording without gaps around a row: *from .. *to-1. */
static void segment_around(const struct recording *r, int64_t row, int64_t *from, int64_t *to)
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

static int interpolate_run(
	const struct recording *r, const char *file, const struct missing_run *h, float *x, int C)
{
	int64_t end = h->row + h->rows;
	for (int64_t at = h->row, from, to; at < end; at = to) { /* a gap divides a missing run */
		segment_around(r, at, &from, &to);
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

int recording_interpolate(const struct recording *r, const char *file, const struct row_file *s)
{
	float *map = row_file_map(s, true);
	int e = map ? 0 : -1;
	for (int64_t i = 0; i < r->missing_runs && !e; i++)
		e = interpolate_run(r, file, &r->missing_run[i], map + r->first * s->C, s->C);
	row_file_unmap(s, map);
	return e;
}
