/* Tables of text: rows of cells, read as a stream.
 *
 *     input --lines--+-- no quote in the line: cut at the separators -----+--> struct csv_cell [columns], and numbers
 *                    +-- quotes: libcsv, strictly, over as many lines ----+
 *
 * Found out from the first rows: the ends of lines (LF, CRLF, CR), the separator (tab, semicolon,
 * comma, or runs of blanks), the quotes (double, or single when the first row begins with one), the
 * header (none, names, names and units), whether a separator stands behind the last cell, and the
 * decimal sign. Skipped are a byte order mark, comments (# or %, ; unless it separates, and a first
 * line of key:value pairs or sep=; those before the first row are kept), and empty lines after the
 * last row. Lines are counted here, so that every error names file and line. Memory: one row.
 */
#ifndef IO_CSV_H
#define IO_CSV_H

#include "base/text.h"
#include "io/input.h"

/* The longest row, in bytes, and the most columns that are read unless struct csv_form says
 * more. */
#define CSV_MAX_ROW     16777216
#define CSV_MAX_COLUMNS 16384

enum csv_header { CSV_HEADER_AUTO, CSV_HEADER_NO, CSV_HEADER_YES, CSV_HEADER_TWO };
/* A row with more or fewer cells than the header: refuse, leave the row out, or fill it up (what is
 * too much is cut off). */
enum csv_ragged { CSV_RAGGED_ERROR, CSV_RAGGED_DROP, CSV_RAGGED_PAD };

struct csv_form {
	char delim; /* 0 = find out; a blank stands for runs of blanks */
	enum csv_header header;
	size_t max_row;  /* bytes, 0 = CSV_MAX_ROW */
	int max_columns; /* 0 = CSV_MAX_COLUMNS */
	bool slow;       /* every row through libcsv: for tests that compare */
	char decimal;    /* 0 = find out: a point, or with other separators than the comma a comma */
	enum csv_ragged ragged;
	bool strict; /* every row has as many cells as the first, names stand as they are and only once: no recorder's table */
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
char csv_table_decimal(const struct csv_table *); /* as far as it is known by now */
int csv_table_columns(const struct csv_table *);
int csv_table_header_rows(const struct csv_table *);
/* C0, C1, ... without a header; "" = unnamed. Dots at the end are gone, and a name that comes again
 * has #2, #3, ... */
const struct names *csv_table_names(const struct csv_table *);
const struct names *csv_table_units(
	const struct csv_table *); /* of the second header row; empty without one */
const struct names *csv_table_comments(
	const struct csv_table *); /* before the first row, whole lines, a few hundred at most */
bool csv_table_open_rows(const struct csv_table *); /* a separator stands behind the last cell of each row */
int64_t csv_table_line(const struct csv_table *);   /* on which the row last read starts, from 1 */
/* Rows left out and rows filled up by csv_form.ragged, and rows cut off by csv_table_widths. */
void csv_table_uneven(const struct csv_table *, int64_t *dropped, int64_t *padded, int64_t *cut);

void csv_table_rename(struct csv_table *, int column, const char *name);
/* From here on rows of these numbers of cells are whole; those that are missing are empty, those
 * beyond the header cut off. */
void csv_table_widths(struct csv_table *, int least, int most);

/* A row that is still to come, 0 the next one: its cells [*n], to be freed; NULL when there is
 * none, or none that can be cut without errors. Waits for it. */
struct csv_cell *csv_table_ahead(struct csv_table *, int row, int *n);

/* The next row: 1 and *cells [columns], 0 at the end, -1 with an error. */
int csv_table_next(struct csv_table *, const struct csv_cell **cells);

/* The same with each cell as a number: x [columns], the double strtod gives, NaN where the cell is
 * none. Much faster than number_parse on every cell. */
int csv_table_numbers(struct csv_table *, const struct csv_cell **cells, const double **x);

/* Whether the next row (or the end) can be had without waiting for the writer of a pipe. What was
 * handed out is gone. */
bool csv_table_ready(struct csv_table *);

#endif
