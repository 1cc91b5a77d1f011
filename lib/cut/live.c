#include "cut/live.h"

#include "base/error.h"
#include "base/mem.h"
#include "cut/split_state.h"
#include "filter/preprocessor.h"
#include "recording/rows.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What is known of a row as it was read, apart from its samples. */
struct mark {
	double time, lost;
	int32_t label;
	bool invalid; /* holds a cell without a value */
};

/* And of a row that is cut. */
struct row {
	int32_t label;
	bool invalid, begins; /* begins: the first behind a gap */
};

struct live {
	struct split *s;
	struct input *in;
	struct recording *r;
	struct rows rows;
	int C; /* channels of the windows */
	/* rows read .. : raw_base .. raw_have-1 are kept; those before `taken` have been
	 * preprocessed */
	float *raw;        /* [raw_room][rows.C] */
	struct mark *mark; /* [raw_room] */
	int64_t raw_room, raw_base, raw_have, taken,
		needed;                    /* needed: its label may be, and those behind it */
	struct preprocessor *preprocessor; /* NULL: rows are cut as they are */
	/* .. and rows to cut: base .. have-1 are kept; those before cutter.row went through it */
	float *x;        /* [room][C] */
	struct row *row; /* [room] */
	int64_t room, base, have;
	bool settled; /* rate and lengths are known */
	bool ended, drained;
	double time;          /* of the row taken last */
	struct cutter cutter; /* base: no window needs what lies before it and before `from` */
	struct batch *batch;  /* where its windows go */
	/* an error that was met behind windows that are still to be handed out */
	int status;
	char *why;
};

/* Windows to be handed out. */
struct batch {
	int n, room, length, C;
	float *x; /* [n][length][C] */
	int64_t *start, *sample;
	int32_t *label, *recording, *group; /* [n] */
};

static const struct row *row_of(const struct live *l, int64_t row)
{
	return &l->row[row - l->base];
}

/* --- rows as they are read */

static void make_raw_room(struct live *l)
{
	if (l->raw_have - l->raw_base < l->raw_room)
		return;
	int64_t keep = l->taken < l->needed ? l->taken : l->needed;
	size_t C = (size_t)l->rows.C, n = (size_t)(l->raw_have - keep), gone = (size_t)(keep - l->raw_base);
	if (2 * n > (size_t)l->raw_room) {
		l->raw_room *= 2;
		GROW(l->raw, (size_t)l->raw_room * C);
		GROW(l->mark, l->raw_room);
	}
	memmove(l->raw, l->raw + gone * C, n * C * sizeof *l->raw);
	memmove(l->mark, l->mark + gone, n * sizeof *l->mark);
	l->raw_base = keep;
}

static int read_row(struct live *l)
{
	make_raw_room(l);
	int64_t at = l->raw_have - l->raw_base;
	int more = rows_next(&l->rows, l->raw + at * l->rows.C);
	if (more != 1)
		return more;
	l->mark[at] = (struct mark){l->rows.time, l->rows.lost, l->rows.label, l->rows.missing > 0};
	l->r->missing += l->rows.missing;
	l->raw_have++;
	return 1;
}

/* Rows from which the rate is found. A rate that is known already is only compared with them, which
 * must not delay the first window. */
static int rate_rows(const struct live *l)
{
	const struct reading_options *o = l->s->o;
	bool known = o->rate > 0 || (o->like && !(o->like->preprocessing.rate > 0));
	int length = o->like ? o->like->length : o->window.seconds ? 0 : (int)o->window.amount;
	if (l->r->columns.time < 0)
		return 1;
	return known && length && length < LIVE_RATE_ROWS ? (length > 2 ? length : 2) : LIVE_RATE_ROWS;
}

static int begin_preprocessing(struct live *l)
{
	if (!preprocessing_any(&l->s->preprocessing))
		return 0;
	l->preprocessor = recording_preprocessor(l->r, input_name(l->in), l->s->o, &l->s->preprocessing);
	return l->preprocessor ? 0 : -1;
}

/* Rate and lengths, from the rows that are there. */
static int settle_layout(struct live *l)
{
	const char *file = input_name(l->in), *column = NULL;
	int n = (int)(l->raw_have - l->raw_base);
	double *t = NEW_ARRAY(double, n);
	for (int i = 0; i < n; i++)
		t[i] = l->mark[i].time;
	l->r->time_format = l->rows.time_format;
	if (l->r->columns.time >= 0)
		column = l->rows.reader->names.s[l->r->columns.time];
	int e = recording_rate(l->r, file, column, t, n, l->s->o) || split_settle(l->s, l->r, file) ||
		begin_preprocessing(l);
	free(t);
	l->settled = !e;
	return e ? -1 : 0;
}

/* --- rows to cut */

/* Room for one more row: what no window needs any more goes. */
static void make_room(struct live *l)
{
	if (l->have - l->base < l->room)
		return;
	int64_t keep = l->cutter.from < l->cutter.row ? l->cutter.from : l->cutter.row;
	if (keep > l->have)
		keep = l->have;
	size_t C = (size_t)l->C, n = (size_t)(l->have - keep), gone = (size_t)(keep - l->base);
	if (n) {
		memmove(l->x, l->x + gone * C, n * C * sizeof *l->x);
		memmove(l->row, l->row + gone, n * sizeof *l->row);
	}
	l->base = keep;
	if (2 * (int64_t)n >= l->room) {
		l->room = 2 * (int64_t)n + LIVE_RATE_ROWS;
		GROW(l->x, l->room * l->C);
		GROW(l->row, l->room);
	}
}

static void add_row(struct live *l, const float *x, struct row row)
{
	make_room(l);
	int64_t at = l->have - l->base;
	memcpy(l->x + at * l->C, x, (size_t)l->C * sizeof *x);
	l->row[at] = row;
	l->have++;
}

static void take_out(struct live *l)
{
	struct preprocessed *out = preprocessor_out(l->preprocessor);
	for (int64_t i = 0; i < out->n; i++) {
		const struct preprocessed_row *o = &out->from[i];
		add_row(l, out->x + i * l->C,
			(struct row){l->mark[o->row - l->raw_base].label, o->invalid, o->begins});
		l->needed = o->row;
	}
	out->n = 0;
}

/* The next row that was read becomes rows to cut. */
static int take_row(struct live *l)
{
	int64_t at = l->taken - l->raw_base;
	const float *x = l->raw + at * l->rows.C;
	const struct mark *m = &l->mark[at];
	bool timed = l->r->columns.time >= 0, first = !l->taken;
	double seconds;
	enum timeline_step step = STEP_ON;
	if (!first && (timed || m->lost >= 0 || isnan(m->lost)))
		step = timeline_step(&l->r->time, timed && l->r->time.usual > 0, l->time, m->time, m->lost,
			counter_round(&l->rows.counter), &seconds);
	if (step == STEP_BACK)
		return timeline_goes_back(input_name(l->in), l->taken, l->time, m->time);
	l->time = m->time;
	l->taken++;
	if (!l->preprocessor) {
		l->needed = l->taken;
		add_row(l, x, (struct row){m->label, m->invalid, step == STEP_GAP});
		return 0;
	}
	if (step == STEP_GAP)
		preprocessor_gap(l->preprocessor);
	if (m->invalid)
		preprocessor_invalid(l->preprocessor, 1);
	else
		preprocessor_rows(l->preprocessor, x, 1);
	take_out(l);
	return 0;
}

/* What the preprocessor holds back when no more rows come. */
static void drain_preprocessor(struct live *l)
{
	l->drained = true;
	if (!l->preprocessor)
		return;
	preprocessor_gap(l->preprocessor);
	take_out(l);
}

/* --- the cutter */

static void add_window(void *context, int64_t from, int64_t length, int32_t label)
{
	struct live *l = context;
	struct batch *b = l->batch;
	if (b->n == b->room) {
		b->room = b->room ? 2 * b->room : 1;
		GROW(b->x, (size_t)b->room * (size_t)b->length * (size_t)b->C);
		GROW(b->start, b->room);
		GROW(b->sample, b->room);
		GROW(b->label, b->room);
		GROW(b->recording, b->room);
		GROW(b->group, b->room);
	}
	size_t size = (size_t)length * (size_t)b->C;
	memcpy(b->x + (size_t)b->n * size, l->x + (from - l->base) * b->C, size * sizeof *b->x);
	b->start[b->n] = (int64_t)b->n * b->length;
	b->sample[b->n] = from;
	b->label[b->n] = label;
	b->recording[b->n] = b->group[b->n] = 0;
	b->n++;
	l->r->windows++;
}

/* Takes one more row into account. */
static void cut_row(struct live *l)
{
	const struct row *m = row_of(l, l->cutter.row);
	cutter_row(&l->cutter, m->label, m->invalid, m->begins);
}

/* Reads one more row, or finds the end. */
static int read_more(struct live *l, struct batch *b)
{
	int more = read_row(l);
	if (more < 0)
		return -1;
	l->ended = !more;
	if (l->ended && !l->raw_have)
		return err_set(EX_DATAERR, "%s: there is a header but no rows of data", input_name(l->in));
	if (!l->settled && (l->ended || l->raw_have == rate_rows(l))) {
		if (settle_layout(l))
			return -1;
		b->length = l->s->layout.length;
		l->cutter = split_cutter(l->s);
		l->cutter.keep_last = false; /* the end is not known */
		l->cutter.sink = add_window;
		l->cutter.context = l;
	}
	return 0;
}

/* Reads and cuts until there are windows and waiting would be next, or `most` of them. */
static int fill_batch(struct live *l, int most, struct batch *b)
{
	l->batch = b;
	for (;;) {
		while (l->cutter.row < l->have && b->n < most)
			cut_row(l);
		if (b->n == most)
			return 0;
		if (l->settled && l->taken < l->raw_have) {
			if (take_row(l))
				return -1;
		} else if (l->ended) {
			if (l->drained)
				return 0;
			drain_preprocessor(l);
		} else if (b->n && !rows_ready(&l->rows)) {
			return 0;
		} else if (read_more(l, b)) {
			return -1;
		}
	}
}

/* --- handing out */

static void free_batch(struct batch *b)
{
	free(b->x);
	free(b->start);
	free(b->sample);
	free(b->label);
	free(b->recording);
	free(b->group);
	free(b);
}

static void release_batch(struct windows *w)
{
	free_batch(w->owner);
}

static struct windows *hand_out(struct live *l, struct batch *b)
{
	struct windows *w = NEW(struct windows);
	w->name = mem_text(l->r->name);
	layout_copy(&w->layout, &l->s->layout);
	names_free(&w->layout.classes);
	names_copy(&w->layout.classes, &l->s->labels);
	names_add(&w->recordings, l->r->name);
	names_add(&w->groups, l->r->group);
	w->samples = (int64_t)b->n * b->length;
	w->signal = b->x;
	w->n = b->n;
	w->start = b->start;
	w->sample = b->sample;
	w->label = b->label;
	w->recording = b->recording;
	w->group = b->group;
	if (l->s->conditions.n) {
		names_add(&w->conditions, l->s->conditions.s[l->s->conditions.n - 1]);
		w->condition = b->group; /* there is one of each */
	}
	w->release = release_batch;
	w->owner = b;
	return w;
}

static void finish_recording(struct live *l)
{
	l->r->messages = l->rows.messages;
	l->r->marked = l->rows.marked;
	l->r->form = l->rows.reader->form;
	cutter_end(&l->cutter);
	l->r->left_out = l->cutter.left_out;
	split_count(l->s, l->r, l->cutter.longest);
}

int live_next(struct live *l, int most, struct windows **w)
{
	if (l->why)
		return err_set(l->status, "%s", l->why);
	struct batch *b = NEW(struct batch);
	b->C = l->C;
	b->length = l->s->layout.length;
	int e = fill_batch(l, most, b);
	if (e && b->n) {
		l->status = err_status();
		l->why = mem_text(err_text());
	}
	if (b->n) {
		*w = hand_out(l, b);
		return 1;
	}
	free_batch(b);
	if (!e)
		finish_recording(l);
	return e;
}

struct live *live_new(struct split *s, struct input *in)
{
	struct live *l = NEW(struct live);
	l->s = s;
	l->in = in;
	l->r = &s->now.r;
	l->raw_room = LIVE_RATE_ROWS;
	l->C = l->r->columns.channels.n;
	if (rows_begin(&l->rows, &s->now.reader, &l->r->columns, s->o, &s->labels)) {
		live_free(l);
		return NULL;
	}
	l->raw = NEW_ARRAY(float, l->raw_room * l->rows.C);
	l->mark = NEW_ARRAY(struct mark, l->raw_room);
	split_note_imputed(s, l->r);
	return l;
}

void live_free(struct live *l)
{
	if (!l)
		return;
	rows_end(&l->rows);
	preprocessor_free(l->preprocessor);
	free(l->raw);
	free(l->mark);
	free(l->x);
	free(l->row);
	cutter_free(&l->cutter);
	free(l->why);
	free(l);
}
