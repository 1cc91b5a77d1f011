#include "cut/cut.h"

#include "base/mem.h"

#include <stdlib.h>

void cut_free(struct cut_table *t)
{
	shelf_free(&t->shelf[0], t->start);
	shelf_free(&t->shelf[1], t->sample);
	shelf_free(&t->shelf[2], t->label);
	shelf_free(&t->shelf[3], t->recording);
	shelf_free(&t->shelf[4], t->group);
	shelf_free(&t->shelf[5], t->valid);
	*t = (struct cut_table){0};
}

struct cutting {
	struct cut_table *table;
	struct recording *r;
	int length, stride;
	enum split_rule rule;
	bool drop_bad, keep_last;
	int32_t recording, group;
	int64_t bad,
		run;    /* the first bad stretch and label run that may still matter: windows come in order */
	int64_t *votes; /* [labels + 1] for the majority */
};

static int64_t run_end(const struct recording *r, int64_t i)
{
	return i + 1 < r->runs ? r->run[i + 1].row : r->rows;
}

static bool is_bad(struct cutting *c, int64_t from, int64_t length)
{
	const struct recording *r = c->r;
	while (c->bad < r->bads && r->bad[c->bad].row + r->bad[c->bad].rows <= from)
		c->bad++;
	return c->bad < r->bads && r->bad[c->bad].row < from + length;
}

static void add(struct cutting *c, int64_t from, int64_t length, int32_t label)
{
	struct cut_table *t = c->table;
	if (c->drop_bad && is_bad(c, from, length)) {
		c->r->left_out++;
		return;
	}
	if (t->n == t->room) {
		t->room = t->room ? 2 * t->room : 256;
		size_t wide = (size_t)t->room * sizeof *t->start, narrow = (size_t)t->room * sizeof *t->label;
		t->start = shelf_grow(&t->shelf[0], t->start, wide);
		t->sample = shelf_grow(&t->shelf[1], t->sample, wide);
		t->label = shelf_grow(&t->shelf[2], t->label, narrow);
		t->recording = shelf_grow(&t->shelf[3], t->recording, narrow);
		t->group = shelf_grow(&t->shelf[4], t->group, narrow);
		t->valid = shelf_grow(&t->shelf[5], t->valid, narrow);
	}
	t->start[t->n] = c->r->first + from;
	t->sample[t->n] = from;
	t->valid[t->n] = (int32_t)length;
	t->early |= length < c->length;
	t->label[t->n] = label;
	t->recording[t->n] = c->recording;
	t->group[t->n++] = c->group;
	c->r->windows++;
	if (label >= 0)
		c->r->label_windows[label]++;
}

/* The label of rows from .. to-1, by the rule. */
static int32_t decide(struct cutting *c, int64_t from, int64_t to)
{
	const struct recording *r = c->r;
	while (run_end(r, c->run) <= from)
		c->run++;
	int64_t last = c->run;
	while (run_end(r, last) < to)
		last++;
	if (c->rule == SPLIT_LAST || last == c->run)
		return r->run[last].label;
	if (c->rule == SPLIT_ALL)
		return -1;
	for (int64_t i = c->run; i <= last; i++) { /* the majority; of equals the one that comes first */
		int64_t a = r->run[i].row > from ? r->run[i].row : from,
			b = run_end(r, i) < to ? run_end(r, i) : to;
		c->votes[r->run[i].label + 1] += b - a;
	}
	int32_t best = r->run[c->run].label;
	for (int64_t i = c->run; i <= last; i++)
		if (c->votes[r->run[i].label + 1] > c->votes[best + 1])
			best = r->run[i].label;
	for (int64_t i = c->run; i <= last; i++)
		c->votes[r->run[i].label + 1] = 0;
	return best;
}

/* Samples of the window that would begin at `from` of a stretch that ends at `to`; 0: none. */
static int64_t length_at(const struct cutting *c, int64_t from, int64_t to)
{
	if (from + c->length <= to)
		return c->length;
	return c->keep_last && to - from >= (c->length + 1) / 2 ? to - from : 0;
}

/* Windows from one row to another, all of one label; how many there are now. */
static int cut_stretch(struct cutting *c, int64_t from, int64_t to, int32_t label)
{
	int64_t before = c->r->windows;
	for (int64_t n; (n = length_at(c, from, to)); from += c->stride) {
		add(c, from, n, label);
		if (n < c->length)
			break;
	}
	return (int)(c->r->windows - before);
}

/* One stretch without a gap: rows a .. b-1. */
static void cut_runs(struct cutting *c, int64_t a, int64_t b)
{
	const struct recording *r = c->r;
	while (run_end(r, c->run) <= a)
		c->run++;
	for (int64_t i = c->run; i < r->runs && r->run[i].row < b; i++) {
		int64_t from = r->run[i].row > a ? r->run[i].row : a,
			to = run_end(r, i) < b ? run_end(r, i) : b;
		cut_stretch(c, from, to, r->run[i].label);
	}
}

/* The trials, within a stretch without a gap. */
static void cut_trials(struct cutting *c, int64_t a, int64_t b)
{
	struct recording *r = c->r;
	for (int64_t i = 0; i < r->trials; i++) {
		struct trial *trial = &r->trial[i];
		int64_t from = trial->row > a ? trial->row : a, to = trial->row + trial->rows;
		trial->windows += cut_stretch(c, from, to < b ? to : b, trial->label);
	}
}

static void cut_grid(struct cutting *c, int64_t a, int64_t b)
{
	int64_t from = (a + c->stride - 1) / c->stride * c->stride;
	for (int64_t n; (n = length_at(c, from, b)); from += c->stride) {
		add(c, from, n, decide(c, from, from + n));
		if (n < c->length)
			break;
	}
}

void cut_windows(struct cut_table *t, struct recording *r, int length, int stride, enum split_align align,
	enum split_rule rule, bool drop_bad, bool keep_last, int32_t recording, int32_t group)
{
	struct cutting c = {t, r, length, stride, rule, drop_bad, keep_last, recording, group, 0, 0,
		NEW_ARRAY(int64_t, r->labels + 1)};
	for (int64_t i = 0; i <= r->time.gaps; i++) {
		int64_t a = i ? r->time.gap[i - 1].row : 0,
			b = i < r->time.gaps ? r->time.gap[i].row : r->rows;
		if (r->by_trials)
			cut_trials(&c, a, b);
		else if (align == SPLIT_RUN)
			cut_runs(&c, a, b);
		else
			cut_grid(&c, a, b);
	}
	free(c.votes);
}

int64_t cut_longest(const struct recording *r, enum split_align align)
{
	int64_t longest = 0;
	for (int64_t i = 0; i <= r->time.gaps; i++) {
		int64_t a = i ? r->time.gap[i - 1].row : 0,
			b = i < r->time.gaps ? r->time.gap[i].row : r->rows;
		for (int64_t k = 0; k < r->trials; k++) {
			int64_t from = r->trial[k].row > a ? r->trial[k].row : a;
			int64_t to = r->trial[k].row + r->trial[k].rows;
			if ((to < b ? to : b) - from > longest)
				longest = (to < b ? to : b) - from;
		}
		if (r->by_trials)
			continue;
		if (align == SPLIT_GRID && b - a > longest)
			longest = b - a;
		for (int64_t k = 0; k < r->runs && align == SPLIT_RUN; k++) {
			int64_t from = r->run[k].row > a ? r->run[k].row : a;
			int64_t to = run_end(r, k) < b ? run_end(r, k) : b;
			if (to - from > longest)
				longest = to - from;
		}
	}
	return longest;
}
