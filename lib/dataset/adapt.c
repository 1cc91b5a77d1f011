#include "dataset/adapt.h"

#include "base/mem.h"
#include "dataset/tokens.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

bool dataset_adapts(const struct model *m)
{
	return m->config.train.scale == SCALE_GROUP;
}

/* --- scalers of groups, for tokens of samples */

/* Mean and deviation of each channel, [rows][C], and which row an item has. */
struct group_scaler {
	struct moments *sum; /* [groups][C] */
	int groups, rows, room;
	float *mean, *std;
	struct spill spill;
	int *row; /* [items], room for more */
	int64_t items, item_room;
};

struct moments {
	double count, mean, square; /* square: sum of squares around the mean (Welford 1962) */
};

void group_scaler_free(struct group_scaler *s)
{
	if (!s)
		return;
	free(s->sum);
	free(s->mean);
	free(s->std);
	spill_free(&s->spill, s->row);
	free(s);
}

void group_scaler_forget(struct group_scaler *s)
{
	if (s)
		s->rows = 0, s->items = 0;
}

static void update_moments(struct group_scaler *s, const struct dataset *d, int64_t item)
{
	int C = d->target->channels.n, g = d->item[item].group, before = s->groups;
	if (g >= s->groups) {
		s->groups = g + 1;
		GROW(s->sum, (size_t)s->groups * (size_t)C);
		memset(s->sum + (size_t)before * (size_t)C, 0,
			(size_t)(s->groups - before) * (size_t)C * sizeof *s->sum);
	}
	struct raw_window w = dataset_raw(d, item);
	for (int c = 0; c < C; c++) {
		struct raw_channel x = raw_channel(&w, c);
		struct moments *m = &s->sum[(size_t)g * (size_t)C + (size_t)c];
		for (int t = 0; t < x.n; t++) {
			double v = (double)x.first[t * x.step], off = v - m->mean;
			m->count++;
			m->mean += off / m->count;
			m->square += off * (v - m->mean);
		}
	}
}

static int new_row(struct group_scaler *s, int C, int group)
{
	if (s->rows == s->room) {
		s->room = 2 * s->rows + 16;
		GROW(s->mean, (size_t)s->room * (size_t)C);
		GROW(s->std, (size_t)s->room * (size_t)C);
	}
	for (int c = 0; c < C; c++) {
		const struct moments *m = &s->sum[(size_t)group * (size_t)C + (size_t)c];
		size_t at = (size_t)s->rows * (size_t)C + (size_t)c;
		double var = m->count > 0 ? m->square / m->count : 0;
		s->mean[at] = (float)m->mean;
		s->std[at] = var > 1e-12 ? (float)sqrt(var) : 1;
	}
	return s->rows++;
}

static void scale_groups(struct dataset *d, const int64_t *items, int64_t n, enum adapt how)
{
	int C = d->target->channels.n;
	if (!d->scaler)
		d->scaler = NEW(struct group_scaler);
	struct group_scaler *s = d->scaler;
	if (d->n > s->item_room) {
		s->item_room = d->n;
		s->row = spill_grow(&s->spill, s->row, (size_t)d->n * sizeof *s->row);
	}
	for (; s->items < d->n; s->items++)
		s->row[s->items] = -1;
	for (int64_t i = 0; i < n; i++) {
		update_moments(s, d, items[i]);
		if (how == ADAPT_RUNNING)
			s->row[items[i]] = new_row(s, C, d->item[items[i]].group);
	}
	int *row = NEW_ARRAY(int, s->groups); /* 1 + that of a group */
	for (int64_t i = 0; i < n && how == ADAPT_WHOLE; i++) {
		int g = d->item[items[i]].group;
		if (!row[g])
			row[g] = 1 + new_row(s, C, g);
		s->row[items[i]] = row[g] - 1;
	}
	free(row);
	d->group_mean = s->mean;
	d->group_std = s->std;
	d->scaler_row = s->row;
}

void dataset_keep(
	struct dataset *d, const struct model *m, const int64_t *items, int64_t n, struct pool *pool)
{
	if (!tokens_any_fixed(m))
		return;
	if (!d->tokens)
		d->tokens = tokens_new(d, m);
	tokens_keep(d->tokens, items, n, pool);
}

void dataset_standardise(struct dataset *d, const int64_t *items, int64_t n)
{
	if (d->tokens)
		tokens_standardise(d->tokens, items, n);
}

void dataset_adapt(struct dataset *d, const struct model *m, const int64_t *items, int64_t n, enum adapt how,
	struct pool *pool)
{
	if (dataset_adapts(m) && !tokens_all_fixed(m))
		scale_groups(d, items, n, how);
	if (!tokens_any_fixed(m))
		return;
	dataset_keep(d, m, items, n, pool);
	tokens_finish(d->tokens, pool);
	if (dataset_adapts(m) && how == ADAPT_RUNNING)
		tokens_running_subject_means(d->tokens, items, n);
	else if (dataset_adapts(m))
		tokens_subject_means(d->tokens, items, n);
}

int dataset_update_statistics(
	struct dataset *d, const struct model *m, int64_t from, int64_t n, enum adapt how, struct pool *pool)
{
	if (!dataset_adapts(m))
		return 0;
	int64_t *item = NEW_ARRAY(int64_t, n);
	for (int64_t i = 0; i < n; i++)
		item[i] = from + i;
	int bad = dataset_check(d, m, item, n);
	if (!bad) {
		dataset_adapt(d, m, item, n, how, pool);
		dataset_standardise(d, item, n);
	}
	free(item);
	return bad;
}
