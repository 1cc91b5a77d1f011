/* What the parts of the CSV reader share: csv.c takes lines apart, csv_header.c finds out separator and names. */
#ifndef IO_CSV_PARTS_H
#define IO_CSV_PARTS_H

#include "io/csv.h"

#include <csv.h>
#include <stdint.h>

enum { CSV_BEYOND = 64 }; /* bytes of the buffer behind the last one read that may be looked at */

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
	/* rows as numbers */
	bool lane, parsed; /* wanted; the row in hand has them */
	uint32_t *at;      /* [cells] where each cell of the line ends */
	size_t at_room;
	double *number;                  /* [cells] */
	uint64_t *word, *sign, *strange; /* [cells] */
	int number_room;
	int fraction; /* digits behind the point that are expected */
};

/* The next line without its end: *s, *n, valid until the next call. 1, 0 at the end, -1. at: how far into the unread bytes
 * it starts (rows with quotes and sniffing look at several lines before they take any). *next: where the one after starts. */
int csv_peek_line(struct csv_table *, size_t at, const char **s, size_t *n, size_t *next);
bool csv_is_comment(const char *s, size_t n);
bool csv_is_empty(const char *s, size_t n);
/* Cuts a line without quotes into cells. */
int csv_cut(struct csv_table *, const char *s, size_t n);
/* Cuts a line without quotes into cells and numbers; false when it is another kind of line, or damaged. */
bool csv_cut_numbers(struct csv_table *, const char *s, size_t n);
/* Reads the next row into cell [cells]: 1, 0, -1. */
int csv_next_row(struct csv_table *);

/* Sets form.delim from the first rows. */
int csv_sniff_delim(struct csv_table *);
/* Reads as far as the header, sets columns and header_rows (-1: the row that was read is data, and is still to be given). */
int csv_read_header(struct csv_table *);

#endif
