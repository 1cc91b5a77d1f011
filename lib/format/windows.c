#include "format/windows.h"

#include "base/error.h"
#include "base/json.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

void windows_free(struct windows *w)
{
	if (!w)
		return;
	if (w->release)
		w->release(w);
	layout_free(&w->layout);
	names_free(&w->recordings);
	names_free(&w->groups);
	names_free(&w->conditions);
	free(w->expert);
	free(w->own_start);
	free(w->own_rows);
	free(w->history);
	free(w->name);
	st_free(w->file);
	free(w);
}

int windows_samples(const struct windows *w, int64_t i)
{
	return w->valid ? w->valid[i] : w->layout.length;
}

static int names_meta(const struct st_file *f, const char *key, struct names *out)
{
	const char *s = st_meta(f, key);
	if (!s)
		return err_set(EX_DATAERR, "%s: metadata %s is missing", f->name, key);
	char *what = mem_format("%s: metadata %s", f->name, key);
	int r = json_names(s, out, what);
	free(what);
	return r;
}

static int check_rows(const struct windows *w)
{
	const char *name = w->name;
	for (int64_t i = 0; i < w->n; i++) {
		if (w->valid && (w->valid[i] < 1 || w->valid[i] > w->layout.length))
			return err_set(EX_DATAERR, "%s: tensor window.valid: window %lld: %d of %d samples",
				name, (long long)i, (int)w->valid[i], w->layout.length);
		if (w->start[i] < 0 || w->start[i] > w->samples - windows_samples(w, i))
			return err_set(EX_DATAERR,
				"%s: tensor window.start: window %lld starts at row %lld, of %lld rows of "
				"which it takes %d",
				name, (long long)i, (long long)w->start[i], (long long)w->samples,
				windows_samples(w, i));
		if (w->sample[i] < 0 || w->sample[i] > LAYOUT_SAMPLE_MOST)
			return err_set(EX_DATAERR,
				"%s: tensor window.sample: window %lld: %lld is outside 0 to %lld", name,
				(long long)i, (long long)w->sample[i], (long long)LAYOUT_SAMPLE_MOST);
		if (w->label[i] < -1 || w->label[i] >= w->layout.classes.n)
			return err_set(EX_DATAERR, "%s: tensor window.label: window %lld: %d of %d classes",
				name, (long long)i, (int)w->label[i], w->layout.classes.n);
		if (w->recording[i] < 0 || w->recording[i] >= w->recordings.n)
			return err_set(EX_DATAERR,
				"%s: tensor window.recording: window %lld: %d of %d recordings", name,
				(long long)i, (int)w->recording[i], w->recordings.n);
		if (w->group[i] < 0 || w->group[i] >= w->groups.n)
			return err_set(EX_DATAERR, "%s: tensor window.group: window %lld: %d of %d groups",
				name, (long long)i, (int)w->group[i], w->groups.n);
		if (w->condition && (w->condition[i] < -1 || w->condition[i] >= w->conditions.n))
			return err_set(EX_DATAERR,
				"%s: tensor window.condition: window %lld: %d of %d conditions", name,
				(long long)i, (int)w->condition[i], w->conditions.n);
	}
	return 0;
}

/* Samples of region k: [S][W_k], or [its own][W_k] with the first row of each window. */
static int read_region(struct windows *w, const struct st_file *f, int k)
{
	bool own = layout_own_input(&w->layout, k);
	char *name = mem_format("expert.%d", k), *start = mem_format("region.%d.start", k);
	int64_t shape[2] = {own ? -1 : w->samples, w->layout.region[k].width};
	w->expert[k] = st_need(f, name, ST_F32, 2, shape);
	if (!own) {
		w->samples = shape[0];
	} else if (w->expert[k]) {
		if (!w->own_start) {
			w->own_start = NEW_ARRAY(const int64_t *, w->layout.regions);
			w->own_rows = NEW_ARRAY(int64_t, w->layout.regions);
		}
		w->own_rows[k] = shape[0];
		w->own_start[k] = st_need(f, start, ST_I64, 1, &w->n);
	}
	free(name);
	free(start);
	return w->expert[k] && (!own || w->own_start[k]) ? 0 : -1;
}

static int check_own_starts(const struct windows *w)
{
	for (int k = 0; k < w->layout.regions && w->own_start; k++)
		for (int64_t i = 0; w->own_start[k] && i < w->n; i++) {
			int64_t at = w->own_start[k][i],
				n = layout_samples(&w->layout, k, windows_samples(w, i));
			if (at < 0 || at > w->own_rows[k] - n)
				return err_set(EX_DATAERR,
					"%s: tensor region.%d.start: window %lld starts at row %lld, of %lld "
					"rows of "
					"which it takes %lld",
					w->name, k, (long long)i, (long long)at, (long long)w->own_rows[k],
					(long long)n);
		}
	return 0;
}

static int fill(struct windows *w, const struct st_file *f)
{
	const char *format = st_meta(f, "moe.format"), *before = st_meta(f, "moe.history");
	if (!format || strcmp(format, "windows/1"))
		return err_set(EX_DATAERR,
			"%s: not a windows file (moe.format is %s, not windows/1); moe-split makes them",
			f->name, format ? format : "missing");
	w->name = mem_text(f->name);
	w->history = before ? mem_text(before) : NULL;
	if (layout_read(&w->layout, f, LAYOUT_WINDOWS) || names_meta(f, "moe.recordings", &w->recordings) ||
		names_meta(f, "moe.groups", &w->groups))
		return -1;
	w->expert = NEW_ARRAY(const float *, w->layout.regions);
	w->samples = w->n = -1;
	for (int k = 0; k < w->layout.regions; k++)
		if (read_region(w, f, k))
			return -1;
	if (w->samples < 0)
		return err_set(EX_DATAERR,
			"%s: metadata moe.region_inputs: every region has an input of its own, and one must "
			"have "
			"the common one",
			f->name);
	w->start = st_need(f, "window.start", ST_I64, 1, &w->n);
	w->sample = w->start;
	if (!w->start ||
		(st_find(f, "window.sample") &&
			!(w->sample = st_need(f, "window.sample", ST_I64, 1, &w->n))) ||
		(st_find(f, "window.valid") && !(w->valid = st_need(f, "window.valid", ST_I32, 1, &w->n))) ||
		!(w->label = st_need(f, "window.label", ST_I32, 1, &w->n)) ||
		!(w->recording = st_need(f, "window.recording", ST_I32, 1, &w->n)) ||
		!(w->group = st_need(f, "window.group", ST_I32, 1, &w->n)) ||
		(st_find(f, "window.condition") &&
			(!(w->condition = st_need(f, "window.condition", ST_I32, 1, &w->n)) ||
				names_meta(f, "moe.conditions", &w->conditions))))
		return -1;
	return check_rows(w) || check_own_starts(w) ? -1 : 0;
}

struct windows *windows_of(struct st_file *f)
{
	struct windows *w = NEW(struct windows);
	w->file = f;
	if (fill(w, f)) {
		windows_free(w);
		return NULL;
	}
	return w;
}

int windows_next(struct input *in, struct windows **w)
{
	struct st_file *f;
	int r = st_next(in, &f);
	if (r != 1)
		return r;
	*w = windows_of(f);
	return *w ? 1 : -1;
}

bool windows_column(const struct windows *w, int channel, struct channel_column *to)
{
	if (w->signal) {
		*to = (struct channel_column){w->signal + channel, w->layout.channels.n, w->start, 0};
		return true;
	}
	/* a region's own column before a halo's: they are equal, this is the shorter way */
	int k = layout_region_of(&w->layout, channel), at = -1;
	if (k < 0)
		return false;
	const struct region *r = &w->layout.region[k];
	for (int j = 0; j < r->width; j++)
		if (r->channel[j] == channel && (at < 0 || (r->core[j] && !r->core[at])))
			at = j;
	*to = (struct channel_column){
		w->expert[k] + at, r->width, w->own_start && w->own_start[k] ? w->own_start[k] : w->start, k};
	return true;
}

int windows_column_samples(const struct windows *w, const struct channel_column *c, int64_t i)
{
	return c->start == w->start ? windows_samples(w, i)
				    : layout_samples(&w->layout, c->region, windows_samples(w, i));
}

void windows_put_table(const struct windows *w, struct st_writer *st)
{
	struct text t = {0};
	st_put(st, "window.start", ST_I64, 1, &w->n, w->start);
	st_put(st, "window.sample", ST_I64, 1, &w->n, w->sample);
	for (int k = 0; k < w->layout.regions && w->own_start; k++) {
		char *name = mem_format("region.%d.start", k);
		if (w->own_start[k])
			st_put(st, name, ST_I64, 1, &w->n, w->own_start[k]);
		free(name);
	}
	if (w->valid)
		st_put(st, "window.valid", ST_I32, 1, &w->n, w->valid);
	st_put(st, "window.label", ST_I32, 1, &w->n, w->label);
	st_put(st, "window.recording", ST_I32, 1, &w->n, w->recording);
	st_put(st, "window.group", ST_I32, 1, &w->n, w->group);
	layout_put(&w->layout, st, LAYOUT_WINDOWS);
	json_list(&t, &w->recordings);
	st_put_meta(st, "moe.recordings", t.s);
	t.n = 0;
	json_list(&t, &w->groups);
	st_put_meta(st, "moe.groups", t.s);
	if (w->condition) {
		t.n = 0;
		json_list(&t, &w->conditions);
		st_put_meta(st, "moe.conditions", t.s);
		st_put(st, "window.condition", ST_I32, 1, &w->n, w->condition);
	}
	text_free(&t);
}

enum { BLOCK = 1 << 15 }; /* floats gathered at a time: more than an output keeps back */

struct emitting {
	const struct windows *w;
	int region;
};

/* Columns of a region that are channels in a row. */
struct column_run {
	int column, channel, n;
};

static int segments(const struct region *r, struct column_run *out)
{
	int n = 0;
	for (int j = 0; j < r->width; j++) {
		struct column_run *last = n ? &out[n - 1] : NULL;
		if (r->channel[j] < 0)
			continue;
		if (last && last->column + last->n == j && last->channel + last->n == r->channel[j])
			last->n++;
		else
			out[n++] = (struct column_run){j, r->channel[j], 1};
	}
	return n;
}

static int64_t rows_of(const struct windows *w, int k)
{
	return layout_own_input(&w->layout, k) ? w->own_rows[k] : w->samples;
}

/* expert.<k> gathered from the signal, a block of rows at a time; padding stays 0. */
static int emit_region(void *context, struct output *o)
{
	const struct emitting *e = context;
	const struct windows *w = e->w;
	const struct region *r = &w->layout.region[e->region];
	size_t width = (size_t)r->width, C = (size_t)w->layout.channels.n;
	if (w->expert)
		return output_write(
			o, w->expert[e->region], (size_t)rows_of(w, e->region) * width * sizeof(float));
	struct column_run *part = NEW_ARRAY(struct column_run, width);
	int64_t rows = BLOCK / (int64_t)width + 1;
	float *block = NEW_ARRAY(float, (size_t)rows *width);
	int parts = segments(r, part), fail = 0;
	for (int64_t s = 0; s < w->samples && !fail; s += rows) {
		int64_t n = w->samples - s < rows ? w->samples - s : rows;
		for (int64_t i = 0; i < n; i++)
			for (int p = 0; p < parts; p++)
				memcpy(block + (size_t)i * width + part[p].column,
					w->signal + (size_t)(s + i) * C + part[p].channel,
					(size_t)part[p].n * sizeof(float));
		fail = output_write(o, block, (size_t)n * width * sizeof(float));
	}
	free(part);
	free(block);
	return fail;
}

int windows_write(const struct windows *w, struct output *o, const struct history *h)
{
	struct st_writer *st = st_writer_new();
	struct emitting *e = NEW_ARRAY(struct emitting, w->layout.regions);
	char *history = history_append(h, w->history);
	st_put_meta(st, "moe.format", "windows/1");
	windows_put_table(w, st);
	if (history)
		st_put_meta(st, "moe.history", history);
	for (int k = 0; k < w->layout.regions; k++) {
		char *name = mem_format("expert.%d", k);
		int64_t shape[2] = {rows_of(w, k), w->layout.region[k].width};
		e[k] = (struct emitting){w, k};
		st_put_emitter(st, name, ST_F32, 2, shape, emit_region, &e[k]);
		free(name);
	}
	int r = st_write(st, o);
	st_writer_free(st);
	free(e);
	free(history);
	return r;
}
