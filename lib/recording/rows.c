#include "recording/rows.h"

#include "base/error.h"
#include "base/mem.h"
#include "recording/label.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A channel that the recording does not have: the mean of others takes its place. */
struct imputed_channel {
	int channel, n;
	int *of; /* [n] channels */
};

/* An imputed channel: the mean of those that have a value in this row. */
static void impute_channel(struct rows *r, const struct imputed_channel *m, float *x)
{
	double sum = 0;
	int n = 0;
	for (int j = 0; j < m->n; j++) {
		if (r->is_missing[m->of[j]])
			continue;
		sum += (double)x[m->of[j]];
		n++;
	}
	x[m->channel] = n ? (float)(sum / n) : 0;
	if (!n) {
		r->is_missing[m->channel] = true;
		r->missing++;
	}
}

void rows_impute(struct rows *r, float *x)
{
	for (int i = 0; i < r->imputed_channels; i++)
		impute_channel(r, &r->imputed[i], x);
}

void rows_count(struct rows *r, double counter)
{
	double lost = r->columns->counter < 0 ? -1 : counter_take(&r->counter, counter);
	r->lost = r->counter.useless ? -1 : lost;
}

void rows_mark(struct rows *r, bool invalid, bool interpolated)
{
	if (!invalid && !interpolated)
		return;
	r->marked++;
	if (r->o->value == VALUE_ERROR)
		return;
	for (int c = 0; c < r->C; c++)
		r->is_missing[c] = true;
	r->missing = r->C;
}

/* --- rows of blocks */

static int note_missing_value(struct rows *r, int channel)
{
	if (r->o->value == VALUE_ERROR && !r->o->explain)
		return err_set(EX_DATAERR,
			"%s: row %lld: channel \"%s\" has no value; --missing drop-window leaves out the "
			"windows that contain such rows, --missing interp interpolates the value",
			r->reader->file, (long long)r->taken, columns_channel(r->columns, channel));
	r->is_missing[channel] = true;
	r->missing++;
	return 0;
}

static int scale_channels(struct rows *r, const float *number, float *x)
{
	const int *from = r->columns->from;
	if (r->missing)
		memset(r->is_missing, 0, (size_t)r->C * sizeof *r->is_missing);
	r->missing = 0;
	for (int c = 0; c < r->C; c++) {
		x[c] = from[c] < 0 ? 0 : (float)((double)number[from[c]] * r->scale[c]);
		if (isfinite(x[c]))
			continue;
		x[c] = 0;
		if (note_missing_value(r, c))
			return -1;
	}
	rows_impute(r, x);
	return 0;
}

/* A label that is a number; none: no label. */
static int number_label(struct rows *r, float label)
{
	char s[32];
	if (r->labelled && label == r->number)
		return 0;
	r->labelled = isfinite(label);
	r->number = label;
	int n = r->labelled ? snprintf(s, sizeof s, "%.9g", (double)label) : 0;
	return label_read(r->o, r->reader->file, (long long)r->taken, (struct csv_cell){s, s + n}, r->labels,
		&r->label);
}

static int next_block(struct rows *r)
{
	r->at = 0;
	r->block = (struct reader_block){0};
	int more = r->reader->format->block(r->reader, &r->block);
	return more == 1 && r->block.rows < 1 ? 0 : more;
}

static int row_of_block(struct rows *r, float *x)
{
	const struct columns *k = r->columns;
	int more = r->at < r->block.rows ? 1 : next_block(r);
	if (more != 1)
		return more;
	const float *number = r->block.x + r->at * r->reader->names.n;
	bool first = !r->at++;
	r->taken++;
	if (scale_channels(r, number, x) || (k->label >= 0 && number_label(r, number[k->label])))
		return -1;
	r->time = k->time < 0 ? 0 : (double)number[k->time];
	rows_count(r, k->counter < 0 ? 0 : (double)number[k->counter]);
	if (first && r->taken > 1 && (r->block.lost > 0 || isnan(r->block.lost)))
		r->lost = r->block.lost;
	rows_mark(r, k->valid >= 0 && number[k->valid] == 0,
		k->interpolated >= 0 && number[k->interpolated] > 0);
	return 1;
}

int rows_next(struct rows *r, float *x)
{
	return r->next(r, x);
}

bool rows_ready(const struct rows *r)
{
	return r->at < r->block.rows || reader_ready(r->reader);
}

/* --- channels that are not there */

static int find_sources(struct rows *r, int channel)
{
	const struct layout *l = r->o->like;
	const int *from = r->columns->from;
	struct imputed_channel m = {channel, 0, NEW_ARRAY(int, r->C)};
	for (int pass = 0; pass < 2 && !m.n; pass++) /* the region that owns it, then any it is in */
		for (int k = 0; k < l->regions && !m.n; k++) {
			const struct region *g = &l->region[k];
			bool in = false;
			for (int j = 0; j < g->width; j++)
				in |= g->channel[j] == channel && (pass || g->core[j]);
			for (int j = 0; j < g->width && in; j++)
				if (g->channel[j] >= 0 && from[g->channel[j]] >= 0)
					m.of[m.n++] = g->channel[j];
		}
	GROW(r->imputed, r->imputed_channels + 1);
	r->imputed[r->imputed_channels++] = m;
	return m.n ? 0
		   : err_set(EX_DATAERR,
			     "%s: channel \"%s\" of the model is missing, and so are all other channels of "
			     "its region, so that it cannot be imputed; use a recording that has some of "
			     "them",
			     r->reader->file, l->channels.s[channel]);
}

int rows_begin(struct rows *r, struct reader *reader, const struct columns *columns,
	const struct reading_options *o, struct names *labels)
{
	*r = (struct rows){.reader = reader,
		.next = reader->format->row ? reader->format->row : row_of_block,
		.columns = columns,
		.o = o,
		.labels = labels,
		.C = columns->channels.n + columns->extra.n,
		.straight = columns->from[0] >= 0,
		.scale = columns->scale,
		.label = -1};
	for (int c = 0; c < r->C; c++)
		r->straight &= columns->from[c] == columns->from[0] + c;
	r->is_missing = NEW_ARRAY(bool, r->C);
	for (int c = 0; c < r->C; c++)
		if (columns->from[c] < 0 && o->missing == MISSING_INTERP && find_sources(r, c))
			return -1;
	return 0;
}

void rows_end(struct rows *r)
{
	for (int i = 0; i < r->imputed_channels; i++)
		free(r->imputed[i].of);
	free(r->imputed);
	free(r->is_missing);
	text_free(&r->cell);
}
