/* The dialects of recorders: who wrote a table, and what its columns hold.
 *
 *     first rows of a table --> struct preview --> the first dialect that knows them --> struct header_info --> columns_plan
 *
 * A dialect is one file, which defines dialect_NAME, and one line in the list below: whether a
 * table is its own, and what it adds to what holds for all of them (header information in comments,
 * names that are no signals, times and keys that are text, columns of labels).
 */
#ifndef RECORDING_DIALECT_DIALECT_H
#define RECORDING_DIALECT_DIALECT_H

#include "io/csv.h"
#include "recording/header_info.h"

/* All of them, in the order in which they are asked: NAME stands for dialect_NAME in a file of this
 * folder. */
#define DIALECTS(X)       \
	X(plain)          \
	X(openbci)        \
	X(mindmonitor)    \
	X(muse)           \
	X(emotiv)         \
	X(unicorn)        \
	X(openvibe)       \
	X(physionet)      \
	X(eeglab)         \
	X(neuroelectrics) \
	X(brainflow)

/* For --dialect: auto, and the names of the list in its order. */
#define DIALECT_CHOICE(name) "|" #name
#define DIALECT_CHOICES      "auto" DIALECTS(DIALECT_CHOICE)

/* What can be seen without reading on. */
struct preview {
	struct csv_table *table;
	const char *file;
	const struct names *names, *units, *comments;
	int n;       /* columns */
	bool header; /* they have names */
	char delim;
	struct csv_cell *row[2]; /* the first row of data, without names the first two; NULL = none */
	int cells[2];            /* of each */
};

struct dialect {
	bool (*is)(const struct preview *);                         /* NULL: only when it is asked for */
	void (*plan)(const struct preview *, struct header_info *); /* NULL: what holds for all is enough */
};

#define DIALECT_DECLARED(name) extern const struct dialect dialect_##name;
DIALECTS(DIALECT_DECLARED)

/* Finds the dialect of a table, or takes the one that was asked for, and fills in what it knows of
 * the columns. -1 with an error; header_info_free in any case. */
int dialect_find(struct header_info *, const char *file, struct csv_table *, const struct reading_text *);
/* The name of a choice of DIALECT_CHOICES from 1, NULL beyond them. */
const char *dialect_name(int choice);

/* --- for dialects */

/* Whether the name matches a pattern of the shell (fnmatch), in upper or lower case. */
bool dialect_name_matches(const char *name, const char *pattern);
/* The first column with such a name, -1 = none. */
int dialect_find_column(const struct preview *, const char *pattern);
/* The value of such a key in the comments, NULL = there is none. */
const char *dialect_find_comment(const struct header_info *, const char *pattern);
/* The first number in a text, 0 = none. */
double dialect_number_in(const char *text);
/* The cell of one of the first rows as a number. */
bool preview_number(const struct preview *, int row, int column, double *x);
bool dialect_is_whole(double x);

/* Why a column of this name is no signal, or NULL, and the role it has instead. */
const char *dialect_vocabulary(const char *name, enum column_role *);

#endif
