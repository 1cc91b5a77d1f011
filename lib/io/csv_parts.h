/* What the parts of the CSV reader share: csv_lines.c reads lines, csv_sniff.c finds out the
 * separator and csv_header.c the names, csv.c and csv_numbers.c take lines apart. */
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
	struct names units, comments;
	int header_rows;
	char eol;        /* the last byte of every line */
	char quote;      /* around cells */
	bool semicolons; /* a line that starts with one is a comment */
	bool spaced;     /* cells end with a comma and a blank, as commas are decimal signs too */
	/* how wide rows are: */
	int tail;        /* 1 = a separator behind the last cell, -1 = the last cell is never there */
	int least, most; /* other numbers of cells that are whole; 0 = none */
	int64_t dropped, padded, cut;
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
	bool as_numbers, parsed; /* wanted; the row in hand has them */
	uint32_t *at;            /* [cells] where each cell of the line ends */
	size_t at_room;
	double *number;                  /* [cells] */
	uint64_t *word, *sign, *strange; /* [cells] */
	int number_room;
	int fraction; /* digits behind the point that are expected */
	char decimal; /* the sign; 0 = not known yet, a point so far */
};

/* More bytes behind the unread ones; what was handed out before is overwritten. 0 also at the
 * end. */
int csv_fill(struct csv_table *);
/* Sets eol: what ends the first line, LF (a CR before it goes), or CR alone. */
int csv_find_line_ends(struct csv_table *);
/* The line of so many bytes was used. */
void csv_take(struct csv_table *, size_t bytes);
/* The next line without its end: *s, *n, valid until the next call. 1, 0 at the end, -1. at: how
 * far into the unread bytes it starts (rows with quotes and sniffing look at several lines before
 * they take any). *next: where the one after starts. */
int csv_peek_line(struct csv_table *, size_t at, const char **s, size_t *n, size_t *next);
bool csv_is_comment(const struct csv_table *, const char *s, size_t n);
bool csv_is_empty(const char *s, size_t n);
/* A line above the header: key:value pairs that start with a title, or the separator of a
 * spreadsheet ("sep=;"). */
bool csv_is_preface(const char *s, size_t n);
/* Cuts a line without quotes into cells. */
int csv_cut(struct csv_table *, const char *s, size_t n);
/* Cuts a line without quotes into cells and numbers; false when it is another kind of line, or
 * damaged. */
bool csv_cut_numbers(struct csv_table *, const char *s, size_t n);
/* Whether a cell is a number, whatever its decimal sign as long as that is not known. */
bool csv_number(const struct csv_table *, struct csv_cell, double *x);
/* The cell as a number, NaN when it is none; learns the decimal sign. */
double csv_learn_number(struct csv_table *, struct csv_cell);
/* Room for so many cells, as text and as numbers. */
void csv_cell_room(struct csv_table *, int cells);
/* Reads the next row into cell [cells]: 1, 0, -1. */
int csv_next_row(struct csv_table *);

/* Sets form.delim, quote and semicolons from the first rows. */
int csv_sniff_delim(struct csv_table *);
/* Reads as far as the header, sets columns and header_rows (-1: the row that was read is data, and
 * is still to be given). */
int csv_read_header(struct csv_table *);

#endif
