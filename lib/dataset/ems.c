#include "dataset/ems.h"

#include "base/error.h"
#include "base/mem.h"
#include "io/spill.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Of a channel up to a row: the weighted sums of 1, x and d^2. */
struct running {
	double weight, sum, square;
};

/* Of a channel in the first block of a recording. */
struct first_block {
	double mean, deviation;
};

struct ems {
	struct ems_shape shape;
	int C;
	int64_t n, room;       /* windows */
	struct running *state; /* [n][C] before the first row of each */
	int64_t *left;         /* [n] rows from there on that belong to its recording's first block */
	int64_t *block;        /* [n] which one that is */
	int64_t blocks, block_room;
	struct first_block *first; /* [blocks][C] */
	struct spill spill[4];
};

struct ems *ems_new(const struct ems_shape *shape, int channels)
{
	struct ems *e = NEW(struct ems);
	e->shape = *shape;
	e->C = channels;
	return e;
}

void ems_clear(struct ems *e)
{
	e->n = e->blocks = 0;
}

void ems_free(struct ems *e)
{
	if (!e)
		return;
	spill_free(&e->spill[0], e->state);
	spill_free(&e->spill[1], e->left);
	spill_free(&e->spill[2], e->block);
	spill_free(&e->spill[3], e->first);
	free(e);
}

/* One sample further; returns it standardised. */
static double advance(const struct ems_shape *s, struct running *r, double x)
{
	double keep = 1 - s->factor;
	bool there = isfinite(x);
	r->weight = keep * r->weight + there;
	r->sum = keep * r->sum + (there ? x : 0);
	r->square *= keep;
	if (!there)
		return x;
	double d = x - r->sum / r->weight;
	r->square += d * d;
	double deviation = sqrt(r->square / r->weight);
	return d / (deviation > s->eps ? deviation : s->eps);
}

static struct first_block measure_block(const struct channel_column *c, int64_t from, int64_t to)
{
	struct first_block b = {0, 0};
	double n = 0, square = 0;
	for (int64_t t = from; t < to; t++) {
		double x = (double)c->base[t * c->step];
		n += isfinite(x);
		b.mean += isfinite(x) ? x : 0;
	}
	b.mean /= n > 0 ? n : 1;
	for (int64_t t = from; t < to; t++) {
		double d = (double)c->base[t * c->step] - b.mean;
		square += isfinite(d) ? d * d : 0;
	}
	b.deviation = sqrt(square / (n > 0 ? n : 1));
	return b;
}

static int64_t origin(const struct windows *w, int64_t i)
{
	return w->start[i] - w->sample[i];
}

/* That of a recording's windows is one, and there. */
static int check_origins(const struct windows *w)
{
	int64_t *of = NEW_ARRAY(int64_t, w->recordings.n);
	int r = 0;
	for (int i = 0; i < w->recordings.n; i++)
		of[i] = -1;
	for (int64_t i = 0; i < w->n && !r; i++) {
		int64_t at = origin(w, i), *mine = &of[w->recording[i]];
		if (at < 0 || (*mine >= 0 && *mine != at) ||
			(w->sample == w->start && w->recording[i] != w->recording[0]))
			r = err_set(EX_DATAERR,
				"%s: recording %s does not begin at its first sample, as train.scale=ems "
				"needs; give it as CSV, or cut it into a file with moe-split (a live stream "
				"contains windows only)",
				w->name, w->recordings.s[w->recording[i]]);
		*mine = at;
	}
	free(of);
	return r;
}

static int by_start(const void *a, const void *b, void *windows)
{
	const struct windows *w = windows;
	int64_t i = *(const int64_t *)a, j = *(const int64_t *)b, x = origin(w, i), y = origin(w, j);
	if (x != y)
		return x < y ? -1 : 1;
	return w->start[i] < w->start[j] ? -1 : w->start[i] > w->start[j];
}

/* Windows order[0 .. n-1] of one recording that begins at row `from` and ends before `to`. */
static void go_through(struct ems *e, const struct windows *w, const struct channel_column *column,
	const int64_t *order, int64_t n, int64_t from, int64_t to)
{
	int64_t init = to - from < e->shape.init ? to - from : e->shape.init;
	for (int c = 0; c < e->C; c++) {
		struct running r = {0};
		int64_t row = from;
		if (!column[c].base)
			continue;
		e->first[e->blocks * e->C + c] = measure_block(&column[c], from, from + init);
		for (int64_t i = 0; i < n; i++) {
			for (; row < w->start[order[i]]; row++)
				advance(&e->shape, &r, (double)column[c].base[row * column[c].step]);
			e->state[(e->n + order[i]) * e->C + c] = r;
		}
	}
	for (int64_t i = 0; i < n; i++) {
		e->block[e->n + order[i]] = e->blocks;
		e->left[e->n + order[i]] = from + init - w->start[order[i]];
	}
	e->blocks++;
}

int ems_add(struct ems *e, const struct windows *w, const struct channel_column *column)
{
	if (check_origins(w))
		return -1;
	size_t C = (size_t)e->C;
	if (e->n + w->n > e->room) {
		e->room = e->room > w->n ? 2 * e->room : e->n + w->n;
		size_t room = (size_t)e->room;
		e->state = spill_grow(&e->spill[0], e->state, room * C * sizeof *e->state);
		e->left = spill_grow(&e->spill[1], e->left, room * sizeof *e->left);
		e->block = spill_grow(&e->spill[2], e->block, room * sizeof *e->block);
	}
	struct spill spill = {0};
	int64_t *order = spill_grow(&spill, NULL, (size_t)w->n * sizeof *order);
	for (int64_t i = 0; i < w->n; i++)
		order[i] = i;
	qsort_r(order, (size_t)w->n, sizeof *order, by_start, (void *)(uintptr_t)w);
	for (int64_t i = 0, n; i < w->n; i += n) {
		int64_t from = origin(w, order[i]);
		for (n = 1; i + n < w->n && origin(w, order[i + n]) == from;)
			n++;
		if (e->blocks == e->block_room) {
			e->block_room = e->block_room ? 2 * e->block_room : 16;
			e->first = spill_grow(
				&e->spill[3], e->first, (size_t)e->block_room * C * sizeof *e->first);
		}
		go_through(e, w, column, order + i, n, from,
			i + n < w->n ? origin(w, order[i + n]) : w->samples);
	}
	spill_free(&spill, order);
	e->n += w->n;
	return 0;
}

void ems_fill(const struct ems *e, int64_t i, int c, const struct channel_column *from, int64_t start, int n,
	real *x, int step)
{
	struct running r = e->state[i * e->C + c];
	const struct first_block *b = &e->first[e->block[i] * e->C + c];
	double deviation = b->deviation > e->shape.eps ? b->deviation : e->shape.eps;
	for (int t = 0; t < n; t++) {
		double v = (double)from->base[(start + t) * from->step], y = advance(&e->shape, &r, v);
		x[(size_t)t * (size_t)step] = (real)(t < e->left[i] ? (v - b->mean) / deviation : y);
	}
}
