/* What the first rows show: the names of the columns and their units, and how rows end. */
#include "io/csv_parts.h"

#include "base/error.h"
#include "base/json.h"
#include "base/mem.h"
#include "io/number.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* --- rows that are still to come */

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

/* Takes the quotes off a line's cells, for looking ahead: each in quotes whole or not at all, and
 * no line end within. */
static bool cut_quoted(struct csv_table *t, const char *s, size_t n)
{
	char *plain = mem_text_n(s, n); /* separators within quotes do not separate */
	bool quoted = false;
	for (size_t i = 0; i < n; i++) {
		quoted ^= s[i] == t->quote;
		if (quoted && s[i] == t->form.delim)
			plain[i] = '_';
	}
	bool fine = !quoted && !csv_cut(t, plain, n);
	for (int i = 0; i < t->cells && fine; i++) {
		struct csv_cell *c = &t->cell[i];
		*c = (struct csv_cell){s + (c->s - plain), s + (c->end - plain)};
		if (c->end - c->s > 1 && *c->s == t->quote && c->end[-1] == t->quote) {
			c->s++;
			c->end--;
		}
	}
	free(plain);
	return fine;
}

struct csv_cell *csv_table_ahead(struct csv_table *t, int row, int *n)
{
	const char *s;
	size_t length, next, at = 0;
	int r;
	if (t->header_rows < 0 && !row--) {
		*n = t->cells;
		return keep_row(t);
	}
	for (;; at = next) {
		r = csv_peek_line(t, at, &s, &length, &next);
		if (r != 1 || (!csv_is_comment(t, s, length) && !csv_is_empty(s, length) && !row--))
			break;
	}
	if (r != 1 || memchr(s, 0, length))
		return NULL;
	struct csv_table scratch = {
		.name = t->name, .form = t->form, .eol = t->eol, .quote = t->quote, .width = t->width};
	bool fine =
		memchr(s, t->quote, length) ? cut_quoted(&scratch, s, length) : !csv_cut(&scratch, s, length);
	struct csv_cell *kept = fine ? keep_row(&scratch) : NULL;
	*n = scratch.cells;
	free(scratch.cell);
	return kept;
}

/* --- names */

static bool cell_contains(struct csv_cell c, char x)
{
	return c.end > c.s && memchr(c.s, x, (size_t)(c.end - c.s));
}

static bool is_void(struct csv_cell c)
{
	return c.s == c.end;
}

/* A first row of names: a cell that is neither number nor missing, and all of them so, or standing
 * over a number; or the whole numbers 0, 1, 2, ... that programs write over columns without a name,
 * when the row below has points. */
static bool names_above(
	const struct csv_table *t, const struct csv_cell *first, const struct csv_cell *second, int n)
{
	double x;
	int words = 0, over = 0, counting = 0, points = 0;
	for (int i = 0; i < n; i++) {
		bool number = csv_number(t, first[i], &x);
		counting += number && x == i && !cell_contains(first[i], '.');
		points += second && cell_contains(second[i], '.');
		if (number || number_missing(first[i].s, first[i].end))
			continue;
		words++;
		over += second && csv_number(t, second[i], &x);
	}
	return over || words == n || (words && !second) || (n > 2 && counting == n && points);
}

static bool is_unit(struct csv_cell c)
{
	static const char *const word[] = {"uv", "\xc2\xb5v", "\xce\xbcv", "\xb5v", "mv", "v", "nv", "volt",
		"volts", "microvolt", "microvolts", "millivolt", "millivolts", "nanovolt", "nanovolts", "s",
		"sec", "second", "seconds", "ms", "msec", "milliseconds", "us", "microseconds",
		"hh:mm:ss.mmm"};
	while (c.end - c.s > 2 && strchr("([", *c.s) && strchr(")]", c.end[-1])) {
		c.s++;
		c.end--;
	}
	size_t n = (size_t)(c.end - c.s);
	for (size_t i = 0; i < sizeof word / sizeof *word; i++)
		if (strlen(word[i]) == n && !strncasecmp(c.s, word[i], n))
			return true;
	return false;
}

/* Words of units, and no number. */
static bool units_row(const struct csv_table *t, const struct csv_cell *cell, int n)
{
	double x;
	int units = 0;
	for (int i = 0; i < n; i++) {
		if (csv_number(t, cell[i], &x))
			return false;
		units += is_unit(cell[i]);
	}
	return units > 0;
}

static void add_unique(struct names *l, char *name)
{
	if (*name && names_find(l, name) >= 0) {
		char *other = NULL;
		for (int k = 2; !other || names_find(l, other) >= 0; k++) {
			free(other);
			other = mem_format("%s#%d", name, k);
		}
		names_add(l, other);
		free(other);
	} else {
		names_add(l, name);
	}
	free(name);
}

/* Without the dots that fill names up to four letters in some archives. */
static char *bare_name(struct csv_cell c)
{
	const char *end = c.end;
	while (end > c.s && end[-1] == '.')
		end--;
	return mem_text_n(c.s, (size_t)((end > c.s ? end : c.end) - c.s));
}

static char *name_in(const struct csv_table *t, struct csv_cell c)
{
	return t->form.strict ? mem_text_n(c.s, (size_t)(c.end - c.s)) : bare_name(c);
}

static bool repeats_name(const struct csv_cell *cell, int i)
{
	size_t n = (size_t)(cell[i].end - cell[i].s);
	for (int k = 0; k < i && n; k++)
		if ((size_t)(cell[k].end - cell[k].s) == n && !memcmp(cell[k].s, cell[i].s, n))
			return true;
	return false;
}

/* The names of a header, checked; or C0, C1, ... */
static int name_columns(struct csv_table *t, bool header, const struct csv_cell *cell)
{
	for (int i = 0; i < t->width; i++) {
		if (header && t->form.strict && repeats_name(cell, i))
			return err_set(EX_DATAERR, "%s:%lld: two columns are called \"%.*s\"; rename one",
				t->name, (long long)t->line, (int)(cell[i].end - cell[i].s), cell[i].s);
		if (header && !json_utf8(cell[i].s, (size_t)(cell[i].end - cell[i].s)))
			return err_set(EX_DATAERR,
				"%s:%lld: the name of column %d is not UTF-8 text; convert the file (iconv "
				"-t UTF-8)",
				t->name, (long long)t->line, i + 1);
		add_unique(&t->columns, header ? name_in(t, cell[i]) : mem_format("C%d", i));
	}
	return 0;
}

/* --- how rows end */

/* Width of the table and whether rows end with a separator or lack their last cell, from the first
 * row of names (or data, then `below` is the second) and a row of data below it. */
static void find_width(struct csv_table *t, bool header, const struct csv_cell *first, int n,
	const struct csv_cell *below, int m)
{
	bool open = n > 1 && is_void(first[n - 1]), open_below = below && m > 1 && is_void(below[m - 1]);
	t->width = n;
	t->tail = 0;
	if (t->form.strict || !below || (!header && (!open || m != n)))
		return;
	if (open && ((m == n && open_below) || (header && m == n - 1))) {
		t->width = n - 1;
		t->tail = m == n;
	} else if (header && !open && m == n + 1 && open_below) {
		t->tail = 1;
	} else if (header && !open && n > 1 && m == n - 1) {
		t->tail = -1;
	}
}

/* The second row of a header. */
static int read_units(struct csv_table *t)
{
	t->width = 0;
	int r = csv_next_row(t);
	if (r <= 0)
		return r < 0 ? -1 : err_set(EX_DATAERR, "%s: there is a header but no rows of data", t->name);
	for (int i = 0; i < t->cells; i++) {
		char *unit = mem_text_n(t->cell[i].s, (size_t)(t->cell[i].end - t->cell[i].s));
		names_add(&t->units, unit);
		free(unit);
	}
	return 0;
}

/* The number of header rows. below [m]: the second row, NULL = none. */
static int count_header(
	const struct csv_table *t, const struct csv_cell *first, int n, const struct csv_cell *below, int m)
{
	if (t->form.header != CSV_HEADER_AUTO)
		return t->form.header == CSV_HEADER_NO ? 0 : (int)t->form.header - CSV_HEADER_YES + 1;
	double x;
	int numbers = 0;
	for (int i = 0; i < n; i++)
		numbers += csv_number(t, first[i], &x);
	if (below && numbers < n && units_row(t, below, m))
		return 2;
	bool alike = below && m >= n - 1 && m <= n + 1;
	return names_above(t, first, alike ? below : NULL, alike && m < n ? m : n);
}

int csv_read_header(struct csv_table *t)
{
	int r = csv_next_row(t);
	if (r <= 0)
		return r < 0 ? -1 : err_set(EX_DATAERR, "%s: no rows, only comments or empty lines", t->name);
	int n = t->cells, m = 0, line = (int)t->line;
	struct csv_cell *first = keep_row(t); /* looking ahead moves the buffer */
	struct csv_cell *below = csv_table_ahead(t, 0, &m);
	int rows = count_header(t, first, n, below, m);
	r = 0;
	if (rows == 2) {
		free(below);
		r = read_units(t);
		below = r ? NULL : csv_table_ahead(t, 0, &m);
		t->line = line;
	}
	find_width(t, rows > 0, first, n, below, m);
	free(below);
	r = r || name_columns(t, rows > 0, first) ? -1 : 0;
	t->header_rows = rows ? rows : -1;
	if (rows || r) {
		free(first);
		return r;
	}
	/* hand the row out again as the first of the data, from memory that lasts */
	free(t->cell);
	t->cell = first;
	t->cell_room = n;
	t->cells = t->width;
	return 0;
}
