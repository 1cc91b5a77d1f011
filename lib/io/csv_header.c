/* What the first rows say: the separator, and the names of the columns. */
#include "io/csv_parts.h"

#include "base/error.h"
#include "base/json.h"
#include "base/mem.h"
#include "io/number.h"

#include <stdlib.h>
#include <string.h>

enum { SNIFF_ROWS = 2 };

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
int csv_sniff_delim(struct csv_table *t)
{
	static const char candidate[] = "\t;,";
	long count[SNIFF_ROWS][3] = {{0}};
	int rows = 0;
	size_t at = 0, next, n;
	const char *s;
	for (t->line = 1; rows < SNIFF_ROWS; t->line++) {
		int r = csv_peek_line(t, at, &s, &n, &next);
		if (r < 0)
			return -1;
		if (!r)
			break;
		if (!csv_is_comment(s, n) && !csv_is_empty(s, n)) {
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
	while ((r = csv_peek_line(t, at, &s, &n, &next)) == 1 && (csv_is_comment(s, n) || !n))
		at = next;
	struct csv_table second = {.name = t->name, .form = t->form};
	bool usable = r == 1 && !memchr(s, 0, n) && !memchr(s, '"', n) && !csv_cut(&second, s, n) &&
		      second.cells == t->width;
	bool above = names_above(first, usable ? second.cell : NULL, t->width);
	free(second.cell);
	return above;
}

int csv_read_header(struct csv_table *t)
{
	int r = csv_next_row(t);
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
