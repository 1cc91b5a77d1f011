/* A small table whose columns are found by name: lists and side files of recordings. Cells in
 * quotes go through libcsv, as in io/csv.h. An empty cell and n/a (in any case) are missing.
 *
 *     named_table_open   named_table_begin   then   while ((more = named_table_next(&s)) == 1) ...   and named_table_close in any case
 */
#ifndef IO_NAMED_TABLE_H
#define IO_NAMED_TABLE_H

#include "base/error.h"
#include "io/csv.h"

struct named_table {
	struct input *in;
	struct csv_table *table;
	struct names columns;
	const struct csv_cell *cell; /* [columns.n] of the row read last */
};

/* Opens the file; -1 with an error. */
int named_table_open(struct named_table *, const char *path);
/* Reads the header; or takes these names for the columns, when it has none. delim 0 = find out. */
int named_table_begin(struct named_table *, char delim, const struct names *columns);
void named_table_close(struct named_table *);

/* The column of a name, in any case; -1. */
int named_table_column(const struct named_table *, const char *name);
int named_table_next(struct named_table *); /* 1, 0 at the end, -1 with an error */

const char *named_table_name(const struct named_table *);
long long named_table_line(const struct named_table *);

/* The cell of a column (-1 is a missing one), not ended by 0; false when it is missing. */
bool named_table_cell(const struct named_table *, int column, struct csv_cell *);
/* Its text, to be freed; NULL when it is missing. */
char *named_table_text(const struct named_table *, int column);

/* How much of a cell a message shows, for "%.*s". */
int named_table_shown(struct csv_cell);
/* Records "FILE:LINE: " and the sentence as an error of the data; returns -1. */
int named_table_fault(const struct named_table *, const char *format, ...) PRINTF_LIKE(2, 3);

#endif
