#include "io/csv_parts.h"

#include "base/error.h"
#include "base/mem.h"
#include "io/number.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static int refuse_line(struct csv_table *t, const char *what)
{
	return err_set(EX_DATAERR, "%s:%lld: %s", t->name, (long long)t->line, what);
}

/* --- cells */

static void add_cell(struct csv_table *t, const char *s, const char *end)
{
	ROOM_FOR_ONE(t->cell, t->cells, t->cell_room);
	t->cell[t->cells++] = (struct csv_cell){s, end};
}

static bool is_blank(char c, char delim)
{
	return c == ' ' || (c == '\t' && delim != '\t');
}

/* Where the cell that starts at p ends: at the separator, or the end of the line. */
static const char *cell_end(const struct csv_table *t, const char *p, const char *end, bool spaced)
{
	char delim = t->form.delim;
	if (delim == ' ')
		while (p < end && *p != ' ' && *p != '\t')
			p++;
	else
		while (p < end && (*p != delim || (spaced && p + 1 < end && p[1] != ' ' && p[1] != '\t')))
			p++;
	return p;
}

static const char *past_blanks(const char *p, const char *end)
{
	while (p < end && (*p == ' ' || *p == '\t'))
		p++;
	return p;
}

static bool has_spaced(const char *s, size_t n)
{
	for (size_t i = 0; i + 1 < n; i++)
		if (s[i] == ',' && (s[i + 1] == ' ' || s[i + 1] == '\t'))
			return true;
	return false;
}

/* Commas are decimal signs and separators at once, without blanks that tell them apart: two pieces
 * are a number. */
static void pair_up(struct csv_table *t)
{
	double x;
	/* a first row is cut so when it has no names: whole numbers only */
	for (int i = 0; !t->width && i < t->cells; i++)
		if (!number_parse(t->cell[i].s, t->cell[i].end, &x))
			return;
	if (t->cells % 2 || (t->width && t->cells != 2 * t->width))
		return;
	t->cells /= 2;
	for (int i = 0; i < t->cells; i++)
		t->cell[i] = (struct csv_cell){t->cell[2 * i].s, t->cell[2 * i + 1].end};
}

int csv_cut(struct csv_table *t, const char *s, size_t n)
{
	const char *end = s + n, delim = t->form.delim;
	if (memchr(s, t->eol == '\r' ? '\n' : '\r', n))
		return refuse_line(t, "the lines end in two different ways; end all of them with LF (tr "
				      "'\\r' '\\n' < FILE)");
	bool commas = delim == ',' && t->form.decimal == ',', spaced = commas && has_spaced(s, n);
	t->cells = 0;
	if (delim == ' ') {
		s = past_blanks(s, end);
		while (end > s && (end[-1] == ' ' || end[-1] == '\t'))
			end--;
	}
	for (const char *p = s;; p++) {
		const char *a = p;
		p = cell_end(t, p, end, spaced);
		const char *b = p;
		while (a < b && is_blank(*a, delim))
			a++;
		while (b > a && is_blank(b[-1], delim))
			b--;
		if (t->cells == t->form.max_columns)
			return refuse_line(t, "there are more columns than --max-columns allows");
		add_cell(t, a, b);
		if (p == end)
			break;
		if (delim == ' ')
			p = past_blanks(p, end) - 1;
	}
	if (commas && !spaced)
		pair_up(t);
	return 0;
}

static void on_cell(void *s, size_t n, void *table)
{
	struct csv_table *t = table;
	if (s)
		text_add_n(&t->unquoted, s, n);
	ROOM_FOR_ONE(t->stop, t->cells, t->stop_room);
	t->stop[t->cells++] = t->unquoted.n;
}

static void on_row(int c, void *table)
{
	(void)c;
	((struct csv_table *)table)->row_done = true;
}

static int is_space(unsigned char c)
{
	return c == ' ';
}

static int is_space_or_tab(unsigned char c)
{
	return c == ' ' || c == '\t';
}

/* Only the end of line we add ourselves: a CR is an ordinary byte. */
static int is_line_end(unsigned char c)
{
	return c == '\n';
}

static void *grow_parser(void *old, size_t bytes)
{
	return mem_grow(old, bytes, 1);
}

static int open_parser(struct csv_table *t)
{
	if (csv_init(&t->parser, CSV_STRICT | CSV_STRICT_FINI | CSV_APPEND_NULL | CSV_EMPTY_IS_NULL))
		return err_set(EX_SOFTWARE, "%s: libcsv cannot start", t->name);
	csv_set_realloc_func(&t->parser, grow_parser);
	csv_set_delim(&t->parser, (unsigned char)t->form.delim);
	csv_set_quote(&t->parser, (unsigned char)t->quote);
	csv_set_space_func(&t->parser, t->form.delim == '\t' ? is_space : is_space_or_tab);
	csv_set_term_func(&t->parser, is_line_end);
	return 0;
}

static int quoted_lines(struct csv_table *t, const char *s, size_t n, size_t next)
{
	size_t whole = 0;
	for (;;) {
		bool stray = csv_parse(&t->parser, s, n, on_cell, on_row, t) != n ||
			     csv_parse(&t->parser, "\n", 1, on_cell, on_row, t) != 1;
		if (stray)
			return refuse_line(t, "there is a quote in the wrong place; a quoted cell starts and "
					      "ends with a quote, and quotes inside it are doubled");
		if (t->cells > t->form.max_columns)
			return refuse_line(t, "there are more columns than --max-columns allows");
		whole += next;
		csv_take(t, next);
		if (t->row_done)
			return 0;
		if (whole > t->form.max_row)
			return refuse_line(t, "a quote is opened and not closed within --max-row bytes");
		int r = csv_peek_line(t, 0, &s, &n, &next);
		if (r <= 0)
			return r < 0 ? -1 : refuse_line(t, "a quote is opened and never closed");
		if (memchr(s, 0, n))
			return refuse_line(t, "there is a NUL byte, so this is not a table of text");
	}
}

/* A row through libcsv, which may take several lines (a line end within quotes). */
static int parse_quoted(struct csv_table *t, const char *s, size_t n, size_t next)
{
	t->unquoted.n = 0;
	t->cells = 0;
	t->row_done = false;
	if (open_parser(t))
		return -1;
	int r = quoted_lines(t, s, n, next);
	csv_free(&t->parser);
	if (r)
		return -1;
	int cells = t->cells;
	const char *text = text_string(&t->unquoted);
	t->cells = 0;
	for (int i = 0; i < cells; i++)
		add_cell(t, text + (i ? t->stop[i - 1] : 0), text + t->stop[i]);
	return 0;
}

/* --- rows */

/* Keeps a comment above the first row, for those who look for header information in it. */
static void keep_comment(struct csv_table *t, const char *s, size_t n)
{
	enum { MOST = 256, LONGEST = 400 };
	if (t->width || t->comments.n == MOST || !n)
		return;
	char *line = mem_text_n(s, n < LONGEST ? n : LONGEST);
	names_add(&t->comments, line);
	free(line);
}

/* Passes over comments and empty lines: 1 and the line of the next row (not taken yet), 0, -1. */
static int seek_row(struct csv_table *t, const char **s, size_t *n, size_t *next)
{
	for (;;) {
		t->line = t->lines + 1;
		int r = csv_peek_line(t, 0, s, n, next);
		if (r <= 0)
			return r;
		if (memchr(*s, 0, *n))
			return refuse_line(t, "there is a NUL byte, so this is not a table of text");
		bool nothing = csv_is_empty(*s, *n) && t->form.delim != '\t';
		nothing |= !*n;
		bool comment = csv_is_comment(t, *s, *n) || (!t->width && csv_is_preface(*s, *n));
		if (!nothing && !comment)
			break;
		keep_comment(t, *s, *n);
		if (nothing && t->width && !t->blank)
			t->blank = t->line;
		csv_take(t, *next);
	}
	if (t->blank) {
		t->line = t->blank;
		return refuse_line(t, "there is an empty line between the rows; remove it, or write the "
				      "cells that are missing");
	}
	return 1;
}

/* The next line through the numeric path: 1; 0 when it is not for that path (nothing is taken
 * then), -1. */
static int number_row(struct csv_table *t)
{
	const char *s;
	size_t n, next;
	t->line = t->lines + 1;
	int r = csv_peek_line(t, 0, &s, &n, &next);
	if (r <= 0)
		return r;
	t->parsed = csv_cut_numbers(t, s, n);
	if (t->parsed)
		csv_take(t, next);
	return t->parsed;
}

static bool is_void(struct csv_cell c)
{
	return c.s == c.end;
}

static int refuse_ragged(struct csv_table *t, int want)
{
	double x;
	bool commas = t->form.delim == ',' && t->cells == 2 * t->width, semicolons = false;
	for (int i = 0; i < t->cells; i++) {
		const struct csv_cell *c = &t->cell[i];
		commas = commas && number_parse(c->s, c->end, &x) && x == floor(x);
		semicolons |= !is_void(*c) && memchr(c->s, ';', (size_t)(c->end - c->s));
	}
	const char *remedy = semicolons ? "; they contain semicolons: try --delim semicolon"
			     : commas   ? "; decimal commas are read with --decimal ,"
					: "; --ragged drop leaves such rows out, --ragged pad fills them up";
	return err_set(EX_DATAERR, "%s:%lld: %d cells, but the first row has %d%s", t->name,
		(long long)t->line, t->cells, want, t->form.strict ? "" : remedy);
}

/* Makes the row in hand as wide as the columns: 1, 0 when it is to be left out, -1. */
static int fit_row(struct csv_table *t)
{
	static const char nothing[1] = "";
	int want = t->width + t->tail;
	bool whole = t->cells == want && (t->tail != 1 || is_void(t->cell[want - 1]));
	whole |= t->most && t->cells >= t->least && t->cells <= t->most;
	if (!whole && t->form.ragged == CSV_RAGGED_ERROR)
		return refuse_ragged(t, want);
	if (!whole && t->form.ragged == CSV_RAGGED_DROP) {
		t->dropped++;
		return 0;
	}
	t->padded += !whole;
	t->cut += whole && t->cells > t->width && t->cells != want;
	while (t->cells < t->width)
		add_cell(t, nothing, nothing);
	t->cells = t->width;
	return 1;
}

static int next_row(struct csv_table *t)
{
	const char *s;
	size_t n, next;
	int r = t->as_numbers && t->width && !t->blank && !t->form.slow ? number_row(t) : 0;
	if (r)
		return r;
	r = seek_row(t, &s, &n, &next);
	if (r <= 0)
		return r;
	if (t->form.slow || memchr(s, t->quote, n)) {
		if (parse_quoted(t, s, n, next))
			return -1;
	} else {
		if (csv_cut(t, s, n))
			return -1;
		csv_take(t, next);
	}
	return 1;
}

int csv_next_row(struct csv_table *t)
{
	for (;;) {
		t->parsed = false;
		int r = next_row(t);
		if (r <= 0 || t->parsed)
			return r;
		if (!t->width) {
			t->width = t->cells;
			return 1;
		}
		r = fit_row(t);
		if (r)
			return r;
	}
}

int csv_table_next(struct csv_table *t, const struct csv_cell **cells)
{
	if (t->header_rows < 0) { /* no header: the first row was read for its names, and is data */
		t->header_rows = 0;
		*cells = t->cell;
		return 1;
	}
	int r = csv_next_row(t);
	*cells = t->cell;
	return r;
}

static int read_head(struct csv_table *t)
{
	static const char bom[] = "\xef\xbb\xbf";
	t->line = 1;
	int kind = input_kind(t->in);
	if (kind < 0)
		return -1;
	if (kind == INPUT_SAFETENSORS)
		return err_set(EX_DATAERR, "%s: this is a safetensors file (windows or a model), not a table",
			t->name);
	while (t->n < 3 && !t->end)
		if (csv_fill(t))
			return -1;
	if (t->n >= 3 && !memcmp(t->buffer + t->from, bom, 3)) {
		t->from += 3;
		t->n -= 3;
	}
	if (csv_find_line_ends(t) || csv_sniff_delim(t))
		return -1;
	return csv_read_header(t);
}

struct csv_table *csv_table_new(struct input *in, const struct csv_form *form)
{
	struct csv_table *t = NEW(struct csv_table);
	t->in = in;
	t->name = input_name(in);
	t->form = *form;
	t->fraction = 1;
	t->decimal = form->decimal;
	if (!t->form.max_row)
		t->form.max_row = CSV_MAX_ROW;
	if (!t->form.max_columns)
		t->form.max_columns = CSV_MAX_COLUMNS;
	if (!read_head(t))
		return t;
	csv_table_free(t);
	return NULL;
}

void csv_table_free(struct csv_table *t)
{
	if (!t)
		return;
	names_free(&t->columns);
	names_free(&t->units);
	names_free(&t->comments);
	free(t->buffer);
	free(t->cell);
	free(t->stop);
	free(t->at);
	free(t->number);
	free(t->sign);
	free(t->word);
	free(t->strange);
	text_free(&t->unquoted);
	free(t);
}

char csv_table_delim(const struct csv_table *t)
{
	return t->form.delim;
}

int csv_table_columns(const struct csv_table *t)
{
	return t->width;
}

int csv_table_header_rows(const struct csv_table *t)
{
	return t->header_rows > 0 ? t->header_rows : 0;
}

const struct names *csv_table_names(const struct csv_table *t)
{
	return &t->columns;
}

int64_t csv_table_line(const struct csv_table *t)
{
	return t->line;
}

char csv_table_decimal(const struct csv_table *t)
{
	return t->decimal ? t->decimal : '.';
}

bool csv_table_open_rows(const struct csv_table *t)
{
	return t->tail == 1;
}

const struct names *csv_table_units(const struct csv_table *t)
{
	return &t->units;
}

const struct names *csv_table_comments(const struct csv_table *t)
{
	return &t->comments;
}

void csv_table_uneven(const struct csv_table *t, int64_t *dropped, int64_t *padded, int64_t *cut)
{
	*dropped = t->dropped;
	*padded = t->padded;
	*cut = t->cut;
}

void csv_table_rename(struct csv_table *t, int column, const char *name)
{
	free(t->columns.s[column]);
	t->columns.s[column] = mem_text(name);
}

void csv_table_widths(struct csv_table *t, int least, int most)
{
	t->least = least;
	t->most = most;
}
