#include "cut/cut.h"

#include "base/mem.h"

#include <stdlib.h>

void cut_free(struct cut_table *t)
{
	spill_free(&t->spill[0], t->start);
	spill_free(&t->spill[1], t->sample);
	spill_free(&t->spill[2], t->label);
	spill_free(&t->spill[3], t->recording);
	spill_free(&t->spill[4], t->group);
	spill_free(&t->spill[5], t->valid);
	*t = (struct cut_table){0};
}

struct cutting {
	struct cutter cutter;
	struct cut_table *table;
	struct recording *r;
	bool drop_invalid;
	int32_t recording, group;
	int64_t invalid, run,
		at; /* the invalid segment and the label run of the row before `at`, or the next ones */
};

static int64_t run_end(const struct recording *r, int64_t i)
{
	return i + 1 < r->runs ? r->run[i + 1].row : r->rows;
}

static void add_window(void *context, int64_t from, int64_t length, int32_t label)
{
	struct cutting *c = context;
	struct cut_table *t = c->table;
	if (t->n == t->room) {
		t->room = t->room ? 2 * t->room : 256;
		size_t wide = (size_t)t->room * sizeof *t->start, narrow = (size_t)t->room * sizeof *t->label;
		t->start = spill_grow(&t->spill[0], t->start, wide);
		t->sample = spill_grow(&t->spill[1], t->sample, wide);
		t->label = spill_grow(&t->spill[2], t->label, narrow);
		t->recording = spill_grow(&t->spill[3], t->recording, narrow);
		t->group = spill_grow(&t->spill[4], t->group, narrow);
		t->valid = spill_grow(&t->spill[5], t->valid, narrow);
	}
	t->start[t->n] = c->r->first + from;
	t->sample[t->n] = from;
	t->valid[t->n] = (int32_t)length;
	t->partial |= length < c->cutter.length;
	t->label[t->n] = label;
	t->recording[t->n] = c->recording;
	t->group[t->n++] = c->group;
	if (label >= 0)
		c->r->label_windows[label]++;
}

static bool is_invalid(struct cutting *c, int64_t row)
{
	const struct recording *r = c->r;
	while (c->invalid < r->invalids && r->invalid[c->invalid].row + r->invalid[c->invalid].rows <= row)
		c->invalid++;
	return c->drop_invalid && c->invalid < r->invalids && r->invalid[c->invalid].row <= row;
}

static int32_t label_of(struct cutting *c, int64_t row)
{
	while (run_end(c->r, c->run) <= row)
		c->run++;
	return c->r->run[c->run].label;
}

/* Rows a .. b-1, without a gap; trial: they are its, or NULL. How many windows they give. */
static int cut_rows(struct cutting *c, int64_t a, int64_t b, const struct trial *trial)
{
	int64_t before = c->cutter.windows;
	if (a < c->at) /* trials may share a row */
		c->invalid = c->run = 0;
	c->at = b;
	cutter_begin(&c->cutter, a);
	for (int64_t row = a; row < b; row++)
		cutter_row(&c->cutter, trial ? trial->label : label_of(c, row), is_invalid(c, row), false);
	cutter_end(&c->cutter);
	return (int)(c->cutter.windows - before);
}

/* The trials, within a segment without a gap. */
static void cut_trials(struct cutting *c, int64_t a, int64_t b)
{
	struct recording *r = c->r;
	for (int64_t i = 0; i < r->trials; i++) {
		struct trial *trial = &r->trial[i];
		int64_t from = trial->row > a ? trial->row : a, to = trial->row + trial->rows;
		if (from < b && to > a)
			trial->windows += cut_rows(c, from, to < b ? to : b, trial);
	}
}

int64_t cut_windows(struct cut_table *t, struct recording *r, const struct cutter *how, bool drop_invalid,
	int32_t recording, int32_t group)
{
	struct cutting c = {.cutter = *how,
		.table = t,
		.r = r,
		.drop_invalid = drop_invalid,
		.recording = recording,
		.group = group};
	c.cutter.sink = add_window;
	c.cutter.context = &c;
	if (r->by_trials) /* each of one label, from its first row on */
		c.cutter.align = ALIGN_RUN;
	for (int64_t i = 0; i <= r->time.gaps; i++) {
		int64_t a = i ? r->time.gap[i - 1].row : 0,
			b = i < r->time.gaps ? r->time.gap[i].row : r->rows;
		if (r->by_trials)
			cut_trials(&c, a, b);
		else
			cut_rows(&c, a, b, NULL);
	}
	r->windows += c.cutter.windows;
	r->left_out += c.cutter.left_out;
	cutter_free(&c.cutter);
	return c.cutter.longest;
}
