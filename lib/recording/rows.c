#include "recording/rows.h"

#include "base/error.h"
#include "base/json.h"
#include "base/mem.h"
#include "io/number.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A channel that is made up: the mean of others. */
struct made_up {
	int channel, n;
	int *of; /* [n] channels */
};

/* --- cells that are no plain numbers */

/* A cell for a message: short. */
static const char *shown(struct csv_cell c, char *to, size_t room)
{
	size_t n = (size_t)(c.end - c.s), k = n < room - 4 ? n : room - 4;
	memcpy(to, c.s, k);
	snprintf(to + k, 4, "%s", k < n ? "..." : "");
	return to;
}

static int bad_cell(const struct rows *r, int column, struct csv_cell c, const char *remedy)
{
	char s[48];
	const char *name = csv_table_names(r->table)->s[column];
	double x;
	bool commas = csv_table_decimal(r->table) == ',',
	     comma = !commas && number_parse_decimal(c.s, c.end, ',', &x),
	     point = commas && number_parse(c.s, c.end, &x);
	return err_set(EX_DATAERR, "%s:%lld: column \"%s\": \"%s\" is not a number%s", r->file,
		(long long)csv_table_line(r->table), name, shown(c, s, sizeof s),
		comma   ? "; decimal commas are read with --decimal ,"
		: point ? "; the decimal sign of this file is a comma (--decimal . says otherwise)"
			: remedy);
}

/* Neither a number nor small enough: a missing value, or an error. */
static int odd_cell(struct rows *r, int channel, struct csv_cell c, double x)
{
	int column = r->columns->from[channel];
	if (!number_missing(c.s, c.end)) {
		char s[48];
		if (isnan(x))
			return bad_cell(r, column, c, "; --drop leaves a column out");
		return err_set(EX_DATAERR, "%s:%lld: column \"%s\": %s is too large; is --unit right?",
			r->file, (long long)csv_table_line(r->table), csv_table_names(r->table)->s[column],
			shown(c, s, sizeof s));
	}
	if (r->o->value == SPLIT_VALUE_ERROR && !r->o->explain)
		return err_set(EX_DATAERR,
			"%s:%lld: column \"%s\": no value; --missing drop-window leaves out the windows it "
			"touches, "
			"--missing interp draws a line across it",
			r->file, (long long)csv_table_line(r->table), csv_table_names(r->table)->s[column]);
	r->hole[channel] = true;
	r->missing++;
	return 0;
}

static int odd_row(struct rows *r, const struct csv_cell *cell, const double *number, float *x)
{
	const int *from = r->columns->from;
	for (int c = 0; c < r->C; c++) {
		if (isfinite(x[c]))
			continue;
		if (odd_cell(r, c, cell[from[c]], number[from[c]]))
			return -1;
		x[c] = 0;
	}
	return 0;
}

/* A made-up channel: the mean of those that have a value in this row. */
static void fill_in(struct rows *r, const struct made_up *m, float *x)
{
	double sum = 0;
	int n = 0;
	for (int j = 0; j < m->n; j++) {
		if (r->hole[m->of[j]])
			continue;
		sum += (double)x[m->of[j]];
		n++;
	}
	x[m->channel] = n ? (float)(sum / n) : 0;
	if (!n) {
		r->hole[m->channel] = true;
		r->missing++;
	}
}

/* Channels side by side: a loop that vector units take. The number of values that are not finite. */
static int convert(const double *restrict number, const double *restrict scale, int C, float *restrict x)
{
	int odd = 0;
	for (int c = 0; c < C; c++) {
		x[c] = (float)(number[c] * scale[c]);
		odd += !(fabsf(x[c]) <= FLT_MAX);
	}
	return odd;
}

static int read_channels(struct rows *r, const struct csv_cell *cell, const double *number, float *x)
{
	const int *from = r->columns->from;
	int odd = 0;
	if (r->missing)
		memset(r->hole, 0, (size_t)r->C * sizeof *r->hole);
	r->missing = 0;
	if (r->straight)
		odd = convert(number + from[0], r->scale, r->C, x);
	for (int c = 0; c < r->C && !r->straight; c++) {
		x[c] = from[c] < 0 ? 0 : (float)(number[from[c]] * r->scale[c]);
		odd += !isfinite(x[c]);
	}
	if (odd && odd_row(r, cell, number, x))
		return -1;
	for (int i = 0; i < r->mades; i++)
		fill_in(r, &r->made[i], x);
	return 0;
}

/* --- labels and times */

/* The name of a label: whole numbers lose their point ("1.0" is 1), blanks are gone already. */
static char *label_name(struct csv_cell c)
{
	double x;
	if (number_parse(c.s, c.end, &x) && x == floor(x) && fabs(x) < 1e15)
		return mem_format("%.0f", x == 0 ? 0 : x);
	return mem_text_n(c.s, (size_t)(c.end - c.s));
}

bool rows_same_label(const char *a, const char *b)
{
	char *x = label_name((struct csv_cell){a, a + strlen(a)});
	char *y = label_name((struct csv_cell){b, b + strlen(b)});
	bool same = !strcmp(x, y);
	free(x);
	free(y);
	return same;
}

static bool ignored(const struct split_options *o, const char *name)
{
	for (int i = 0; i < o->ignore.n; i++)
		if (rows_same_label(o->ignore.s[i], name))
			return true;
	return false;
}

int rows_label(const struct split_options *o, const char *file, long long line, struct csv_cell c,
	struct names *labels, int32_t *label)
{
	*label = -1;
	if (number_missing(c.s, c.end))
		return 0;
	char *name = label_name(c);
	int e = 0;
	if (!json_utf8(name, strlen(name)))
		e = err_set(EX_DATAERR, "%s:%lld: the label is not UTF-8 text", file, line);
	else if (!ignored(o, name)) {
		*label = names_find(labels, name);
		if (*label < 0 && o->classes.n)
			e = err_set(EX_DATAERR,
				"%s:%lld: label \"%.60s\" is none of --classes; name it there, or "
				"--ignore-label it",
				file, line, name);
		else if (*label < 0 && labels->n == o->max_classes)
			e = err_set(EX_DATAERR,
				"%s:%lld: more than %d different labels: is this a label column? "
				"(--max-classes)",
				file, line, o->max_classes);
		else if (*label < 0)
			*label = names_add(labels, name);
	}
	free(name);
	return e;
}

static int new_label(struct rows *r, struct csv_cell c)
{
	r->cell.n = 0;
	text_add_n(&r->cell, c.s, (size_t)(c.end - c.s));
	return rows_label(r->o, r->file, (long long)csv_table_line(r->table), c, r->labels, &r->label);
}

static int read_label(struct rows *r, const struct csv_cell *cell)
{
	if (r->columns->label < 0)
		return 0;
	struct csv_cell c = cell[r->columns->label];
	size_t n = (size_t)(c.end - c.s);
	bool same = r->cell.s && n == r->cell.n && (!n || !memcmp(c.s, r->cell.s, n));
	return same ? 0 : new_label(r, c);
}

/* A time of day that falls by more than half a day has passed midnight. */
static double past_midnight(struct rows *r, double time)
{
	enum { DAY = 86400 };
	if (r->begun && time + r->midnights < r->time - DAY / 2)
		r->midnights += DAY;
	return time + r->midnights;
}

static int read_time(struct rows *r, const struct csv_cell *cell, const double *number)
{
	int column = r->columns->time;
	if (column < 0)
		return 0;
	double time = number[column];
	enum clock_kind kind = CLOCK_NONE;
	if (!isfinite(time))
		kind = clock_parse(cell[column].s, cell[column].end, &time);
	if (!r->begun)
		r->clock = kind;
	if (kind != r->clock || !isfinite(time))
		return bad_cell(r, column, cell[column],
			r->clock   ? " or a time like those before it; --drop the column and give --rate"
			: r->begun ? ", as the times before it are; --drop the column and give --rate"
				   : " or a time; --drop the column and give --rate");
	r->time = kind == CLOCK_DAY ? past_midnight(r, time) : time;
	r->begun = true;
	return 0;
}

static void read_counter(struct rows *r, const double *number)
{
	int column = r->columns->counter;
	double lost = column < 0 ? -1 : counter_take(&r->counter, number[column]);
	r->lost = r->counter.useless ? -1 : lost;
}

/* Samples the recorder says it has made up, or does not vouch for: holes, unless holes are refused, when they are counted. */
static void read_marks(struct rows *r, const double *number)
{
	const struct columns *k = r->columns;
	bool marked = (k->valid >= 0 && number[k->valid] == 0) || (k->made_up >= 0 && number[k->made_up] > 0);
	if (!marked)
		return;
	r->marked++;
	if (r->o->value == SPLIT_VALUE_ERROR)
		return;
	for (int c = 0; c < r->C; c++)
		r->hole[c] = true;
	r->missing = r->C;
}

/* A row with a message and no value at all. */
static bool is_message(const struct rows *r, const struct csv_cell *cell)
{
	const int *from = r->columns->from;
	int column = r->columns->message;
	if (column < 0 || cell[column].s == cell[column].end)
		return false;
	for (int c = 0; c < r->C; c++)
		if (from[c] >= 0 && cell[from[c]].s != cell[from[c]].end)
			return false;
	return true;
}

int rows_next(struct rows *r, float *x)
{
	const struct csv_cell *cell;
	const double *number;
	for (;;) {
		int more = csv_table_numbers(r->table, &cell, &number);
		if (more != 1)
			return more;
		if (!is_message(r, cell))
			break;
		r->messages++;
	}
	if (read_channels(r, cell, number, x) || read_label(r, cell) || read_time(r, cell, number))
		return -1;
	read_counter(r, number);
	read_marks(r, number);
	return 1;
}

/* --- channels that are not there */

static int make_up(struct rows *r, int channel)
{
	const struct layout *l = r->o->like;
	const int *from = r->columns->from;
	struct made_up m = {channel, 0, NEW_ARRAY(int, r->C)};
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
	GROW(r->made, r->mades + 1);
	r->made[r->mades++] = m;
	return m.n ? 0
		   : err_set(EX_DATAERR,
			     "%s: channel \"%s\" of the model is missing, and so is every other of its "
			     "region",
			     r->file, l->channels.s[channel]);
}

int rows_begin(struct rows *r, const char *file, struct csv_table *table, const struct columns *columns,
	const struct split_options *o, struct names *labels)
{
	*r = (struct rows){.table = table,
		.columns = columns,
		.o = o,
		.file = file,
		.labels = labels,
		.C = columns->channels.n + columns->extra.n,
		.straight = columns->from[0] >= 0,
		.scale = columns->scale,
		.label = -1};
	for (int c = 0; c < r->C; c++)
		r->straight &= columns->from[c] == columns->from[0] + c;
	r->hole = NEW_ARRAY(bool, r->C);
	for (int c = 0; c < r->C; c++)
		if (columns->from[c] < 0 && o->missing == SPLIT_MISSING_INTERP && make_up(r, c))
			return -1;
	return 0;
}

void rows_end(struct rows *r)
{
	for (int i = 0; i < r->mades; i++)
		free(r->made[i].of);
	free(r->made);
	free(r->hole);
	text_free(&r->cell);
}
