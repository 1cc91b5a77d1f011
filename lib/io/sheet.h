/* A small table whose columns are found by name: lists and side files of recordings. Cells in quotes go through libcsv, as in
 * io/csv.h. An empty cell and n/a (in any case) are missing.
 *
 *     sheet_open   sheet_begin   then   while ((more = sheet_next(&s)) == 1) ...   and sheet_close in any case
 */
#ifndef IO_SHEET_H
#define IO_SHEET_H

#include "base/error.h"
#include "io/csv.h"

struct sheet {
	struct input *in;
	struct csv_table *table;
	struct names columns;
	const struct csv_cell *cell; /* [columns.n] of the row read last */
};

/* Opens the file; -1 with an error. */
int sheet_open(struct sheet *, const char *path);
/* Reads the header; or takes these names for the columns, when it has none. delim 0 = find out. */
int sheet_begin(struct sheet *, char delim, const struct names *columns);
void sheet_close(struct sheet *);

/* The column of a name, in any case; -1. */
int sheet_column(const struct sheet *, const char *name);
int sheet_next(struct sheet *); /* 1, 0 at the end, -1 with an error */

const char *sheet_name(const struct sheet *);
long long sheet_line(const struct sheet *);

/* The cell of a column (-1 is a missing one), not ended by 0; false when it is missing. */
bool sheet_cell(const struct sheet *, int column, struct csv_cell *);
/* Its text, to be freed; NULL when it is missing. */
char *sheet_text(const struct sheet *, int column);

/* How much of a cell a message shows, for "%.*s". */
int sheet_shown(struct csv_cell);
/* Records "FILE:LINE: " and the sentence as an error of the data; returns -1. */
int sheet_fault(const struct sheet *, const char *format, ...) PRINTF_LIKE(2, 3);

#endif
