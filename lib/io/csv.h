/* Tables of text: rows of cells, read as a stream.
 *
 *     input --lines--+-- no quote in the line: cut at the separators -----+--> struct csv_cell [columns], and numbers
 *                    +-- quotes: libcsv, strictly, over as many lines ----+
 *
 * Separator (comma, semicolon, tab) and header are found out from the first rows. Skipped are a byte order mark, lines that
 * start with # or %, and empty lines after the last row. Every row has as many cells as the first. Lines are counted here, so
 * that every error names file and line. Memory: one row.
 */
#ifndef IO_CSV_H
#define IO_CSV_H

#include "base/text.h"
#include "io/input.h"

enum csv_header { CSV_HEADER_AUTO, CSV_HEADER_YES, CSV_HEADER_NO };

struct csv_form {
	char delim; /* 0 = find out */
	enum csv_header header;
	size_t max_row;  /* bytes, 0 = 16 MB */
	int max_columns; /* 0 = 16384 */
	bool slow;       /* every row through libcsv: for tests that compare */
};

/* One cell without the blanks around it; lives until the next row. */
struct csv_cell {
	const char *s, *end;
};

struct csv_table;

/* Reads as far as the header. The input stays the caller's. NULL with an error. */
struct csv_table *csv_table_new(struct input *, const struct csv_form *);
void csv_table_free(struct csv_table *);

char csv_table_delim(const struct csv_table *);
int csv_table_columns(const struct csv_table *);
int csv_table_header_rows(const struct csv_table *);
const struct names *csv_table_names(
	const struct csv_table *);                /* C0, C1, ... without a header; "" = unnamed */
int64_t csv_table_line(const struct csv_table *); /* on which the row last read starts, from 1 */

/* The next row: 1 and *cells [columns], 0 at the end, -1 with an error. */
int csv_table_next(struct csv_table *, const struct csv_cell **cells);

/* The same with each cell as a number: x [columns], the double strtod gives, NaN where the cell is none. Much faster than
 * number_parse on every cell. */
int csv_table_numbers(struct csv_table *, const struct csv_cell **cells, const double **x);

/* Whether the next row (or the end) can be had without waiting for the writer of a pipe. What was handed out is gone. */
bool csv_table_ready(struct csv_table *);

#endif
