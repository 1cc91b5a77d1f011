#include "cut/cutter.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

void cutter_free(struct cutter *c)
{
	free(c->run);
	free(c->votes);
}

/* --- the label of a window */

static int64_t run_end(const struct cutter *c, int i, int64_t to)
{
	return i + 1 < c->runs && c->run[i + 1].row < to ? c->run[i + 1].row : to;
}

/* The label that most rows share; of equals the one that comes first. */
static int32_t majority_label(struct cutter *c, int64_t to)
{
	int32_t best = c->run[0].label;
	for (int i = 0; i < c->runs && c->run[i].row < to; i++) {
		int label = c->run[i].label + 1;
		if (label >= c->votes_room) {
			int before = c->votes_room;
			c->votes_room = label + 16;
			GROW(c->votes, c->votes_room);
			memset(c->votes + before, 0, (size_t)(c->votes_room - before) * sizeof *c->votes);
		}
		c->votes[label] += run_end(c, i, to) - (c->run[i].row > c->from ? c->run[i].row : c->from);
	}
	for (int i = 0; i < c->runs && c->run[i].row < to; i++)
		if (c->votes[c->run[i].label + 1] > c->votes[best + 1])
			best = c->run[i].label;
	for (int i = 0; i < c->runs && c->run[i].row < to; i++)
		c->votes[c->run[i].label + 1] = 0;
	return best;
}

/* Of the rows from `from` on, of which the last one has been seen last. */
static int32_t window_label(struct cutter *c)
{
	if (c->runs == 1 || c->rule == LABEL_OF_LAST)
		return c->run[c->runs - 1].label;
	return c->rule == LABEL_OF_ALL ? -1 : majority_label(c, c->row);
}

/* Runs that end before the next window begins are not needed any more. */
static void forget_runs(struct cutter *c)
{
	int gone = 0;
	while (gone + 1 < c->runs && c->run[gone + 1].row <= c->from)
		gone++;
	c->runs -= gone;
	if (gone)
		memmove(c->run, c->run + gone, (size_t)c->runs * sizeof *c->run);
}

/* --- windows */

/* The window from `from` to the row seen last. */
static void give_window(struct cutter *c)
{
	forget_runs(c);
	if (c->last_invalid >= c->from) {
		c->left_out++;
		return;
	}
	c->windows++;
	c->sink(c->context, c->from, c->row - c->from, window_label(c));
}

void cutter_end(struct cutter *c)
{
	if (!c->running)
		return;
	if (c->row - c->begin > c->longest)
		c->longest = c->row - c->begin;
	if (c->keep_last && c->row - c->from >= (c->length + 1) / 2)
		give_window(c);
	c->running = false;
}

void cutter_begin(struct cutter *c, int64_t row)
{
	cutter_end(c);
	c->row = row;
}

static void begin_segment(struct cutter *c)
{
	cutter_end(c);
	c->running = true;
	c->begin = c->from = c->row;
	if (c->align == ALIGN_GRID)
		c->from = (c->row + c->stride - 1) / c->stride * c->stride;
	c->last_invalid = -1;
	c->runs = 0;
}

void cutter_row(struct cutter *c, int32_t label, bool invalid, bool begins)
{
	bool turns = c->running && c->runs && c->run[c->runs - 1].label != label;
	if (!c->running || begins || (turns && c->align == ALIGN_RUN))
		begin_segment(c);
	if (!c->runs || turns) {
		if (c->runs == c->room)
			forget_runs(c);
		if (!c->runs || c->run[c->runs - 1].label != label) {
			ROOM_FOR_ONE(c->run, c->runs, c->room);
			c->run[c->runs++] = (struct cutter_run){c->row, label};
		}
	}
	if (invalid)
		c->last_invalid = c->row;
	if (++c->row < c->from + c->length)
		return;
	give_window(c);
	c->from += c->stride;
}
