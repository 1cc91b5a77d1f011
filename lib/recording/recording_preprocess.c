/* Preprocessing a recording whose rows have been read, and its lists of rows at another rate. */
#include "filter/preprocessor.h"
#include "filter/resample.h"
#include "recording/recording.h"

#include "base/error.h"

#include <math.h>

enum { ROWS = 4096 }; /* preprocessed between two writes */

/* What came out goes into the row file. */
static int write_out(struct preprocessor *c, struct row_file *s, int C)
{
	struct preprocessed *out = preprocessor_out(c);
	int e = out->n ? row_file_add(s, out->x, out->n, C) : 0;
	out->n = 0;
	return e;
}

/* Rows a .. b-1, all of them with values or none; x: of the whole recording. */
static int preprocess_rows(struct preprocessor *c, const float *x, const struct row_file *raw, bool invalid,
	int64_t a, int64_t b, struct row_file *s, int C)
{
	for (int64_t n; a < b; a += n) {
		n = b - a < ROWS ? b - a : ROWS;
		if (invalid)
			preprocessor_invalid(c, n);
		else
			preprocessor_rows(c, x + a * raw->C, n);
		if (write_out(c, s, C))
			return -1;
	}
	return 0;
}

static int preprocess_all(struct recording *r, struct preprocessor *c, bool mended, const float *x,
	const struct row_file *raw, struct row_file *s)
{
	int C = r->columns.channels.n;
	int64_t at = 0, invalid = 0, invalids = mended ? 0 : r->invalids;
	for (int64_t i = 0; i <= r->time.gaps; i++) {
		int64_t end = i < r->time.gaps ? r->time.gap[i].row : r->rows;
		while (at < end) {
			const struct segment *b = invalid < invalids ? &r->invalid[invalid] : NULL;
			bool within = b && at >= b->row;
			int64_t next = !b ? end : within ? b->row + b->rows : b->row;
			int64_t to = next < end ? next : end;
			if (preprocess_rows(c, x, raw, within, at, to, s, C))
				return -1;
			invalid += within && to == next;
			at = to;
		}
		preprocessor_gap(c);
		if (write_out(c, s, C))
			return -1;
	}
	return 0;
}

struct preprocessor *recording_preprocessor(struct recording *r, const char *file,
	const struct reading_options *o, const struct preprocessing *how)
{
	struct preprocessor_channels channels = {
		&r->columns.channels, &r->columns.extra, r->columns.from, o->missing == MISSING_ZERO};
	struct preprocessor *c =
		preprocessor_new(how, &channels, r->rate, file, o->like ? EX_DATAERR : EX_USAGE);
	if (!c)
		return NULL;
	preprocessor_ratio(c, &r->up, &r->down);
	r->delay = preprocessor_delay(c);
	return c;
}

int recording_preprocess(struct recording *r, const char *file, const struct reading_options *o,
	const struct preprocessing *how, const struct row_file *raw, struct row_file *s)
{
	if (r->rate <= 0) /* only when explaining: no filter can be designed */
		return 0;
	struct preprocessor *c = recording_preprocessor(r, file, o, how);
	if (!c)
		return -1;
	float *x = row_file_map(raw, false);
	r->first = s->rows;
	int e = x ? preprocess_all(r, c, o->value == VALUE_INTERP, x, raw, s) : -1;
	row_file_unmap(raw, x);
	preprocessor_free(c);
	return e;
}

/* --- lists of rows */

/* A segment without a gap: where it begins, as it was read and as it came out. */
struct place {
	int64_t gap, from, to;
};

/* Moves on to the segment of a row. */
static void follow_segment(const struct recording *r, struct place *p, int64_t row)
{
	for (; p->gap < r->time.gaps && r->time.gap[p->gap].recorded <= row; p->gap++) {
		p->from = r->time.gap[p->gap].recorded;
		p->to = r->time.gap[p->gap].row;
	}
}

static void move_gaps(struct recording *r)
{
	int64_t from = 0, to = 0;
	for (int64_t i = 0; i < r->time.gaps; i++) {
		struct gap *g = &r->time.gap[i];
		to += resample_row(g->recorded - from, r->up, r->down);
		from = g->recorded;
		g->row = to;
	}
	r->rows = to + resample_row(r->recorded - from, r->up, r->down);
}

/* A run without a row out goes, and those that it parted are one. */
static void move_runs(struct recording *r)
{
	struct place p = {0};
	int64_t n = 0;
	for (int64_t i = 0; i < r->runs; i++) {
		follow_segment(r, &p, r->run[i].row);
		int64_t row = p.to + resample_row(r->run[i].row - p.from, r->up, r->down);
		if (n && r->run[n - 1].row == row)
			n--;
		if (row < r->rows && !(n && r->run[n - 1].label == r->run[i].label))
			r->run[n++] = (struct label_run){row, r->run[i].label};
	}
	r->runs = n;
}

static void move_invalid(struct recording *r)
{
	struct place p = {0};
	for (int64_t i = 0; i < r->invalids; i++) {
		struct segment *b = &r->invalid[i];
		int64_t end = b->row + b->rows;
		follow_segment(r, &p, b->row);
		b->row = p.to + (b->row - p.from) * r->up / r->down;
		follow_segment(r, &p, end - 1);
		b->rows = p.to + resample_row(end - p.from, r->up, r->down) - b->row;
	}
}

void recording_resampled(struct recording *r)
{
	if (r->up == r->down)
		return;
	move_gaps(r);
	move_runs(r);
	move_invalid(r);
}

double recording_sample(const struct recording *r, double recorded)
{
	return r->up ? recorded * r->up / r->down : recorded;
}

double recording_samples(const struct recording *r, bool timed)
{
	double gaps = 0;
	for (int64_t i = 0; i < r->time.gaps && timed; i++)
		gaps += r->time.gap[i].seconds;
	return recording_sample(r, (double)r->recorded + gaps * r->rate);
}

int64_t recording_row_at(const struct recording *r, double sample, bool timed)
{
	double begins = 0, gaps = 0;
	int64_t first = 0;
	for (int64_t i = 0; i < r->time.gaps; i++) {
		const struct gap *g = &r->time.gap[i];
		int64_t row = first + llround(sample - begins);
		gaps += timed ? g->seconds : 0;
		begins = recording_sample(r, (double)g->recorded + gaps * r->rate);
		if (sample < begins)
			return row < g->row ? row : g->row;
		first = g->row;
	}
	return first + llround(sample - begins);
}
