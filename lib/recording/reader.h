/* Readers of recordings: one for each file format.
 *
 *     first bytes of the input --> the reader of reader_table that recognises them, else text --> open: names, units, rate, roles
 *         text:     row, row, row, ...        (cells, labels and times are understood where they stand)
 *         others:   block, block, ...         (numbers [rows][columns]; recording/rows.h makes rows of them)
 *     --> events --> close
 *
 * A reader is one file in reader/, which defines reader_NAME, and one line in reader_table.c.
 */
#ifndef RECORDING_READER_H
#define RECORDING_READER_H

#include "io/csv.h"
#include "recording/header_info.h"

struct recording_reader;
struct rows;

/* How a table was written; all 0 when it is none. */
struct text_form {
	char delim, decimal;
	int header_rows;
	int64_t dropped, padded, cut; /* rows of another width, once they have been read */
};

/* A recording that is open. */
struct reader {
	const struct recording_reader *format;
	void *state; /* the format's own */
	struct input *in;
	const char *file;          /* for messages */
	struct names names, units; /* of the columns; units may be empty, or "" */
	struct text_form form;
};

/* Rows of numbers, which live until the next block is asked for. */
struct reader_block {
	const float *x; /* [rows][names.n] in the units of the columns; NAN = no value */
	int64_t rows;
	double lost; /* samples that are missing before the first row: 0 = none, NAN = unknown */
};

/* An event that was marked during the recording. */
struct annotation {
	double onset, duration; /* seconds from the first row; duration 0 = none */
	char *text;
};

struct annotations {
	struct annotation *a; /* [n] */
	int n, room;
};

/* Functions that may fail return -1 with an error that names the file. */
struct recording_reader {
	const char *name; /* as messages and --explain name it */
	/* Whether these first bytes are of this format: at least 64 of them, less only of a shorter
	 * input. NULL: text, which is whatever no other reader recognises. */
	bool (*recognises)(const unsigned char *first, size_t n);
	/* Reads the header: sets state and names, units when they are known, and of the header
	 * information, which is all 0, what it can: rate and rate_from ("header"), unit, roles
	 * (after header_info_begin). close follows, also upon an error. */
	int (*open)(struct reader *, const struct reading_options *, struct header_info *);
	/* One of the two. The next row: 1, 0 at the end; sets x [C] in microvolts and the fields of
	 * struct rows about the row read last. */
	int (*row)(struct rows *, float *x);
	/* The next rows, at least one: 1, 0 at the end. */
	int (*block)(struct reader *, struct reader_block *);
	/* Whether the next row, or the end, can be had without waiting for a writer. NULL: when its
	 * input has bytes. */
	bool (*ready)(struct reader *);
	/* After the last row: what was noted, with annotations_add. NULL: the format holds no
	 * such. */
	int (*events)(struct reader *, struct annotations *);
	void (*close)(struct reader *); /* frees the state */
};

extern const struct recording_reader *const reader_table[]; /* text first; ends with NULL */

/* Whether a reader other than that of text recognises the input; nothing is taken from it. */
bool reader_recognises(struct input *);
/* The input is borrowed. reader_close and header_info_free in any case. */
int reader_open(struct reader *, struct input *, const struct reading_options *, struct header_info *);
bool reader_ready(struct reader *);
int reader_events(struct reader *, struct annotations *);
void reader_close(struct reader *);

void annotations_add(struct annotations *, double onset, double duration, const char *text);
void annotations_free(struct annotations *);

#endif
