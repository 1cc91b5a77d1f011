/* Tables of text, in the dialects of recorders. */
#include "base/error.h"
#include "base/mem.h"
#include "io/number.h"
#include "recording/dialect/dialect.h"
#include "recording/label.h"
#include "recording/reader.h"
#include "recording/rows.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static struct csv_table *table_of(const struct rows *r)
{
	return r->reader->state;
}

/* --- cells that are no plain numbers */

/* A cell for a message: short. */
static const char *shorten_cell(struct csv_cell c, char *to, size_t room)
{
	size_t n = (size_t)(c.end - c.s), k = n < room - 4 ? n : room - 4;
	memcpy(to, c.s, k);
	snprintf(to + k, 4, "%s", k < n ? "..." : "");
	return to;
}

static int bad_cell(const struct rows *r, int column, struct csv_cell c, const char *remedy)
{
	char s[48];
	const char *name = r->reader->names.s[column];
	double x;
	bool commas = csv_table_decimal(table_of(r)) == ',',
	     comma = !commas && number_parse_decimal(c.s, c.end, ',', &x),
	     point = commas && number_parse(c.s, c.end, &x);
	return err_set(EX_DATAERR, "%s:%lld: column \"%s\": \"%s\" is not a number%s", r->reader->file,
		(long long)csv_table_line(table_of(r)), name, shorten_cell(c, s, sizeof s),
		comma   ? "; decimal commas are read with --decimal ,"
		: point ? "; the decimal sign of this file was taken to be a comma (if it is a point, give "
			  "--decimal .)"
			: remedy);
}

/* Neither a number nor small enough: a missing value, or an error. */
static int odd_cell(struct rows *r, int channel, struct csv_cell c, double x)
{
	int column = r->columns->from[channel];
	if (!number_missing(c.s, c.end)) {
		char s[48];
		if (isnan(x))
			return bad_cell(r, column, c, "; --drop leaves the column out");
		return err_set(EX_DATAERR, "%s:%lld: column \"%s\": %s is too large; is --unit right?",
			r->reader->file, (long long)csv_table_line(table_of(r)), r->reader->names.s[column],
			shorten_cell(c, s, sizeof s));
	}
	if (r->o->value == VALUE_ERROR && !r->o->explain)
		return err_set(EX_DATAERR,
			"%s:%lld: column \"%s\" has no value; --missing drop-window leaves out the windows "
			"that contain such rows, --missing interp interpolates the value",
			r->reader->file, (long long)csv_table_line(table_of(r)), r->reader->names.s[column]);
	r->is_missing[channel] = true;
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

/* Channels side by side: a loop that vector units take. The number of values that are not
 * finite. */
static int scale_cells(const double *restrict number, const double *restrict scale, int C, float *restrict x)
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
		memset(r->is_missing, 0, (size_t)r->C * sizeof *r->is_missing);
	r->missing = 0;
	if (r->straight)
		odd = scale_cells(number + from[0], r->scale, r->C, x);
	for (int c = 0; c < r->C && !r->straight; c++) {
		x[c] = from[c] < 0 ? 0 : (float)(number[from[c]] * r->scale[c]);
		odd += !isfinite(x[c]);
	}
	if (odd && odd_row(r, cell, number, x))
		return -1;
	rows_impute(r, x);
	return 0;
}

/* --- labels and times */

static int new_label(struct rows *r, struct csv_cell c)
{
	r->cell.n = 0;
	text_add_n(&r->cell, c.s, (size_t)(c.end - c.s));
	return label_read(
		r->o, r->reader->file, (long long)csv_table_line(table_of(r)), c, r->labels, &r->label);
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
	enum time_format kind = TIME_FORMAT_NONE;
	if (!isfinite(time))
		kind = time_format_parse(cell[column].s, cell[column].end, &time);
	if (!r->begun)
		r->time_format = kind;
	if (kind != r->time_format || !isfinite(time))
		return bad_cell(r, column, cell[column],
			r->time_format ? " or a time like those before it; --drop the column and give --rate"
			: r->begun     ? ", as the times before it are; --drop the column and give --rate"
				       : " or a time; --drop the column and give --rate");
	r->time = kind == TIME_FORMAT_OF_DAY ? past_midnight(r, time) : time;
	r->begun = true;
	return 0;
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

/* How the table was written, as far as it is known only after its last row. */
static void take_form(struct rows *r)
{
	struct text_form *form = &r->reader->form;
	form->decimal = csv_table_decimal(table_of(r));
	csv_table_uneven(table_of(r), &form->dropped, &form->padded, &form->cut);
}

static int next_row(struct rows *r, float *x)
{
	const struct columns *k = r->columns;
	const struct csv_cell *cell;
	const double *number;
	for (;;) {
		int more = csv_table_numbers(table_of(r), &cell, &number);
		if (more != 1) {
			take_form(r);
			return more;
		}
		if (!is_message(r, cell))
			break;
		r->messages++;
	}
	if (read_channels(r, cell, number, x) || read_label(r, cell) || read_time(r, cell, number))
		return -1;
	rows_count(r, k->counter < 0 ? 0 : number[k->counter]);
	rows_mark(r, k->valid >= 0 && number[k->valid] == 0,
		k->interpolated >= 0 && number[k->interpolated] > 0);
	return 1;
}

/* --- the header */

/* A word for a separator, or the character itself; 0 when it is none. */
static char parse_delimiter(const char *word)
{
	static const struct {
		const char *word;
		char delim;
	} known[] = {{"comma", ','}, {",", ','}, {"semicolon", ';'}, {";", ';'}, {"tab", '\t'}, {"\t", '\t'},
		{"\\t", '\t'}, {"blank", ' '}, {"space", ' '}, {" ", ' '}};
	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (!strcmp(word, known[i].word))
			return known[i].delim;
	return 0;
}

static int read_form(const struct reading_options *o, struct csv_form *form)
{
	static const enum csv_header header[] = {[HEADER_AUTO] = CSV_HEADER_AUTO,
		[HEADER_NONE] = CSV_HEADER_NO,
		[HEADER_NO] = CSV_HEADER_NO,
		[HEADER_ONE] = CSV_HEADER_YES,
		[HEADER_YES] = CSV_HEADER_YES,
		[HEADER_TWO] = CSV_HEADER_TWO};
	const struct reading_text *r = &o->reading;
	*form = (struct csv_form){.delim = r->delim ? parse_delimiter(r->delim) : 0,
		.decimal = r->decimal ? *r->decimal : 0,
		.header = header[r->header],
		.ragged = (enum csv_ragged)r->ragged,
		.max_row = o->max_row,
		.max_columns = o->max_columns};
	if (r->delim && !form->delim)
		return err_set(
			EX_USAGE, "--delim: \"%s\" is not one of comma, semicolon, tab, blank", r->delim);
	if (r->decimal && strcmp(r->decimal, ".") && strcmp(r->decimal, ","))
		return err_set(EX_USAGE, "--decimal: \"%s\" is neither . nor ,", r->decimal);
	return 0;
}

static int csv_open(struct reader *r, const struct reading_options *o, struct header_info *f)
{
	struct csv_form form;
	if (read_form(o, &form))
		return -1;
	struct csv_table *t = r->state = csv_table_new(r->in, &form);
	if (!t || dialect_find(f, r->file, t, &o->reading))
		return -1;
	names_copy(&r->names, csv_table_names(t));
	names_copy(&r->units, csv_table_units(t));
	r->form = (struct text_form){.delim = csv_table_delim(t),
		.decimal = csv_table_decimal(t),
		.header_rows = csv_table_header_rows(t)};
	return 0;
}

static bool csv_ready(struct reader *r)
{
	return csv_table_ready(r->state);
}

static void csv_close(struct reader *r)
{
	csv_table_free(r->state);
}

const struct recording_reader reader_csv = {
	.name = "text", .open = csv_open, .row = next_row, .ready = csv_ready, .close = csv_close};
