#include "io/csv.h"

#include "base/error.h"
#include "base/json.h"
#include "base/mem.h"
#include "io/number.h"

#include <csv.h>
#include <stdlib.h>
#include <string.h>

enum { CHUNK = 1 << 18, SNIFF_ROWS = 2 };

struct csv_table {
	struct input *in;
	const char *name;
	struct csv_form form;
	struct names columns;
	int header_rows;
	/* the lines: unread bytes are buffer[from .. from+n) */
	char *buffer;
	size_t room, from, n;
	bool end;
	int64_t lines, line; /* lines taken; line the row starts on */
	int64_t blank;       /* an empty line that was met after the first row, 0 = none */
	/* the row */
	struct csv_cell *cell;
	int cells, cell_room, width; /* width 0 = not known yet */
	/* rows with quotes */
	struct csv_parser parser;
	struct text unquoted; /* the cells, one after the other */
	size_t *stop;         /* [cells] where each ends in unquoted */
	int stop_room;
	bool row_done;
};

static int fault(struct csv_table *t, const char *what)
{
	return err_set(EX_DATAERR, "%s:%lld: %s", t->name, (long long)t->line, what);
}

/* --- lines */

static int row_too_long(const struct csv_table *t)
{
	return err_set(EX_DATAERR,
		"%s:%lld: a row longer than %zu bytes: not a table, or raise the limit with --max-row",
		t->name, (long long)t->line, t->form.max_row);
}

/* More bytes behind the unread ones; what was handed out before is overwritten. 0 also at the end. */
static int fill(struct csv_table *t)
{
	if (t->from) {
		memmove(t->buffer, t->buffer + t->from, t->n);
		t->from = 0;
	}
	if (t->n > t->form.max_row + CHUNK)
		return row_too_long(t);
	if (t->room - t->n < CHUNK) {
		t->room = 2 * t->room + CHUNK;
		GROW(t->buffer, t->room);
	}
	long r = input_read(t->in, t->buffer + t->n, t->room - t->n);
	if (r < 0)
		return -1;
	t->end = r == 0;
	t->n += (size_t)r;
	return 0;
}

/* The next line without its end: *s, *n, valid until the next call. 1, 0 at the end, -1. at: how far into the unread bytes
 * it starts (rows with quotes and sniffing look at several lines before they take any). *next: where the one after starts. */
static int peek_line(struct csv_table *t, size_t at, const char **s, size_t *n, size_t *next)
{
	size_t scanned = at;
	for (;;) {
		const char *nl =
			t->n > scanned ? memchr(t->buffer + t->from + scanned, '\n', t->n - scanned) : NULL;
		*s = t->buffer + t->from + at;
		if (nl || t->end) {
			*n = nl ? (size_t)(nl - *s) : t->n - at;
			*next = at + *n + (nl ? 1 : 0);
			break;
		}
		scanned = t->n;
		if (fill(t))
			return -1;
	}
	if (!*n && *next == at)
		return 0;
	if (*n > t->form.max_row)
		return row_too_long(t);
	if (*n && (*s)[*n - 1] == '\r')
		--*n;
	return 1;
}

static void take(struct csv_table *t, size_t bytes)
{
	t->from += bytes;
	t->n -= bytes;
	t->lines++;
}

static bool comment(const char *s, size_t n)
{
	return n && (*s == '#' || *s == '%');
}

static bool empty(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (s[i] != ' ' && s[i] != '\t')
			return false;
	return true;
}

/* --- cells */

static void add_cell(struct csv_table *t, const char *s, const char *end)
{
	ROOM_FOR_ONE(t->cell, t->cells, t->cell_room);
	t->cell[t->cells++] = (struct csv_cell){s, end};
}

static bool blank(char c, char delim)
{
	return c == ' ' || (c == '\t' && delim != '\t');
}

/* A line without quotes. */
static int cut(struct csv_table *t, const char *s, size_t n)
{
	const char *end = s + n, delim = t->form.delim;
	if (memchr(s, '\r', n))
		return fault(t, "a carriage return inside the line; end lines with LF or CRLF (tr '\\r' "
				"'\\n' < FILE)");
	t->cells = 0;
	for (const char *p = s;; p++) {
		const char *a = p;
		while (p < end && *p != delim)
			p++;
		const char *b = p;
		while (a < b && blank(*a, delim))
			a++;
		while (b > a && blank(b[-1], delim))
			b--;
		if (t->cells == t->form.max_columns)
			return fault(t, "more columns than --max-columns allows");
		add_cell(t, a, b);
		if (p == end)
			return 0;
	}
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

static int space(unsigned char c)
{
	return c == ' ';
}

static int space_or_tab(unsigned char c)
{
	return c == ' ' || c == '\t';
}

/* Only the end of line we add ourselves: a CR is an ordinary byte. */
static int line_end(unsigned char c)
{
	return c == '\n';
}

static int open_parser(struct csv_table *t)
{
	if (csv_init(&t->parser, CSV_STRICT | CSV_STRICT_FINI | CSV_APPEND_NULL | CSV_EMPTY_IS_NULL))
		return err_set(EX_SOFTWARE, "%s: libcsv cannot start", t->name);
	csv_set_delim(&t->parser, (unsigned char)t->form.delim);
	csv_set_space_func(&t->parser, t->form.delim == '\t' ? space : space_or_tab);
	csv_set_term_func(&t->parser, line_end);
	return 0;
}

static int quoted_lines(struct csv_table *t, const char *s, size_t n, size_t next)
{
	size_t whole = 0;
	for (;;) {
		bool stray = csv_parse(&t->parser, s, n, on_cell, on_row, t) != n ||
			     csv_parse(&t->parser, "\n", 1, on_cell, on_row, t) != 1;
		if (stray)
			return fault(t, "a quote in the wrong place; a cell with quotes starts and ends with "
					"one, and "
					"doubles those inside");
		if (t->cells > t->form.max_columns)
			return fault(t, "more columns than --max-columns allows");
		whole += next;
		take(t, next);
		if (t->row_done)
			return 0;
		if (whole > t->form.max_row)
			return fault(t, "a quote is opened and not closed within --max-row bytes");
		int r = peek_line(t, 0, &s, &n, &next);
		if (r <= 0)
			return r < 0 ? -1 : fault(t, "a quote is opened and never closed");
		if (memchr(s, 0, n))
			return fault(t, "a NUL byte: not a table of text");
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

/* Passes over comments and empty lines: 1 and the line of the next row (not taken yet), 0, -1. */
static int seek_row(struct csv_table *t, const char **s, size_t *n, size_t *next)
{
	for (;;) {
		t->line = t->lines + 1;
		int r = peek_line(t, 0, s, n, next);
		if (r <= 0)
			return r;
		if (memchr(*s, 0, *n))
			return fault(t, "a NUL byte: not a table of text");
		bool nothing = empty(*s, *n) && t->form.delim != '\t';
		nothing |= !*n;
		if (!nothing && !comment(*s, *n))
			break;
		if (nothing && t->width && !t->blank)
			t->blank = t->line;
		take(t, *next);
	}
	if (t->blank) {
		t->line = t->blank;
		return fault(
			t, "an empty line amid the rows; remove it, or write a cell for what is missing");
	}
	return 1;
}

static int next_row(struct csv_table *t)
{
	const char *s;
	size_t n, next;
	int r = seek_row(t, &s, &n, &next);
	if (r <= 0)
		return r;
	if (t->form.slow || memchr(s, '"', n)) {
		if (parse_quoted(t, s, n, next))
			return -1;
	} else {
		if (cut(t, s, n))
			return -1;
		take(t, next);
	}
	if (!t->width)
		t->width = t->cells;
	if (t->cells != t->width)
		return err_set(EX_DATAERR, "%s:%lld: %d cells, but the first row has %d", t->name,
			(long long)t->line, t->cells, t->width);
	return 1;
}

int csv_table_next(struct csv_table *t, const struct csv_cell **cells)
{
	if (t->header_rows < 0) { /* no header: the first row was read for its names, and is data */
		t->header_rows = 0;
		*cells = t->cell;
		return 1;
	}
	int r = next_row(t);
	*cells = t->cell;
	return r;
}

/* --- finding out */

static long count_outside_quotes(const char *s, size_t n, char c)
{
	long k = 0;
	bool quoted = false;
	for (size_t i = 0; i < n; i++) {
		quoted ^= s[i] == '"';
		k += !quoted && s[i] == c;
	}
	return k;
}

/* The separator that stands equally often in the first rows; tab before semicolon before comma. */
static int sniff_delim(struct csv_table *t)
{
	static const char candidate[] = "\t;,";
	long count[SNIFF_ROWS][3] = {{0}};
	int rows = 0;
	size_t at = 0, next, n;
	const char *s;
	for (t->line = 1; rows < SNIFF_ROWS; t->line++) {
		int r = peek_line(t, at, &s, &n, &next);
		if (r < 0)
			return -1;
		if (!r)
			break;
		if (!comment(s, n) && !empty(s, n)) {
			for (int i = 0; i < 3; i++)
				count[rows][i] = count_outside_quotes(s, n, candidate[i]);
			rows++;
		}
		at = next;
	}
	t->form.delim = ',';
	for (int i = 0; i < 3; i++)
		if (count[0][i] && (rows < 2 || count[0][i] == count[1][i])) {
			t->form.delim = candidate[i];
			return 0;
		}
	for (int i = 0; i < 3; i++)
		if (count[0][i]) {
			t->form.delim = candidate[i];
			return 0;
		}
	return 0;
}

static bool contains(struct csv_cell c, char x)
{
	return c.end > c.s && memchr(c.s, x, (size_t)(c.end - c.s));
}

/* A first row of names: a cell that is neither number nor missing, and all of them so, or standing over a number; or the
 * whole numbers 0, 1, 2, ... that programs write over columns without a name, when the row below has points. */
static bool names_above(const struct csv_cell *first, const struct csv_cell *second, int n)
{
	double x;
	int words = 0, over = 0, counting = 0, points = 0;
	for (int i = 0; i < n; i++) {
		bool number = number_parse(first[i].s, first[i].end, &x);
		counting += number && x == i && !contains(first[i], '.');
		points += second && contains(second[i], '.');
		if (number || number_missing(first[i].s, first[i].end))
			continue;
		words++;
		over += second && number_parse(second[i].s, second[i].end, &x);
	}
	return over || words == n || (words && !second) || (n > 2 && counting == n && points);
}

/* The names of a header, checked; or C0, C1, ... */
static int name_columns(struct csv_table *t, bool header, struct csv_cell *cell)
{
	for (int i = 0; i < t->width; i++) {
		size_t n = (size_t)(cell[i].end - cell[i].s);
		if (header && !json_utf8(cell[i].s, n))
			return err_set(EX_DATAERR, "%s:%lld: the name of column %d is not UTF-8 text",
				t->name, (long long)t->line, i + 1);
		char *name = header ? mem_text_n(cell[i].s, n) : mem_format("C%d", i);
		names_add(&t->columns, name);
		free(name);
	}
	struct names named = {0};
	for (int i = 0; i < t->columns.n; i++)
		if (*t->columns.s[i])
			names_add(&named, t->columns.s[i]);
	const char *twice = names_duplicate(&named);
	if (twice)
		err_set(EX_DATAERR, "%s:%lld: two columns are called \"%s\"; rename one", t->name,
			(long long)t->line, twice);
	names_free(&named);
	return twice ? -1 : 0;
}

/* A copy of the row's cells, one block. */
static struct csv_cell *keep_row(const struct csv_table *t)
{
	size_t bytes = 0, cells = (size_t)t->cells * sizeof(struct csv_cell);
	for (int i = 0; i < t->cells; i++)
		bytes += (size_t)(t->cell[i].end - t->cell[i].s);
	struct csv_cell *kept = mem_new(1, cells + bytes + 1);
	char *to = (char *)kept + cells;
	for (int i = 0; i < t->cells; i++) {
		size_t n = (size_t)(t->cell[i].end - t->cell[i].s);
		if (n)
			memcpy(to, t->cell[i].s, n);
		kept[i] = (struct csv_cell){to, to + n};
		to += n;
	}
	return kept;
}

/* The second row is looked at through a table of its own over the bytes that follow, and stays unread here. */
static bool peek_names_above(struct csv_table *t, const struct csv_cell *first)
{
	const char *s;
	size_t n, next, at = 0;
	int r;
	while ((r = peek_line(t, at, &s, &n, &next)) == 1 && (comment(s, n) || !n))
		at = next;
	struct csv_table second = {.name = t->name, .form = t->form};
	bool usable = r == 1 && !memchr(s, 0, n) && !memchr(s, '"', n) && !cut(&second, s, n) &&
		      second.cells == t->width;
	bool above = names_above(first, usable ? second.cell : NULL, t->width);
	free(second.cell);
	return above;
}

static int read_header(struct csv_table *t)
{
	int r = next_row(t);
	if (r <= 0)
		return r < 0 ? -1 : err_set(EX_DATAERR, "%s: no rows, only comments or empty lines", t->name);
	struct csv_cell *first = keep_row(t); /* looking ahead moves the buffer */
	bool header = t->form.header == CSV_HEADER_YES ||
		      (t->form.header == CSV_HEADER_AUTO && peek_names_above(t, first));
	r = name_columns(t, header, first);
	if (header || r) {
		free(first);
		t->header_rows = 1;
		return r;
	}
	/* hand the row out again as the first of the data, from memory that lasts */
	free(t->cell);
	t->cell = first;
	t->cell_room = t->width;
	t->header_rows = -1;
	return 0;
}

static int begin(struct csv_table *t)
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
		if (fill(t))
			return -1;
	if (t->n >= 3 && !memcmp(t->buffer + t->from, bom, 3)) {
		t->from += 3;
		t->n -= 3;
	}
	if (!t->form.delim && sniff_delim(t))
		return -1;
	return read_header(t);
}

struct csv_table *csv_table_new(struct input *in, const struct csv_form *form)
{
	struct csv_table *t = NEW(struct csv_table);
	t->in = in;
	t->name = input_name(in);
	t->form = *form;
	if (!t->form.max_row)
		t->form.max_row = 16u << 20;
	if (!t->form.max_columns)
		t->form.max_columns = 16384;
	if (!begin(t))
		return t;
	csv_table_free(t);
	return NULL;
}

void csv_table_free(struct csv_table *t)
{
	if (!t)
		return;
	names_free(&t->columns);
	free(t->buffer);
	free(t->cell);
	free(t->stop);
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
	return t->header_rows > 0;
}

const struct names *csv_table_names(const struct csv_table *t)
{
	return &t->columns;
}

int64_t csv_table_line(const struct csv_table *t)
{
	return t->line;
}
