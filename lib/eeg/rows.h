/* Rows of a table as samples in microvolts, with label, time and what is missing.
 *
 *     rows_begin(&r, ...)      then   while ((more = rows_next(&r, x)) == 1) ...      and rows_end in any case
 */
#ifndef EEG_ROWS_H
#define EEG_ROWS_H

#include "eeg/columns.h"
#include "io/csv.h"

struct made_up;

struct rows {
	struct csv_table *table;
	const struct columns *columns;
	const struct split_options *o;
	const char *file;
	struct names *labels; /* grows */
	int C;                /* channels, and those for the reference */
	bool straight;        /* the channels stand side by side and in order */
	double scale;         /* to microvolts */
	struct made_up *made; /* [mades] */
	int mades;
	struct text cell; /* the bytes of the last label */
	/* of the row read last */
	int32_t label; /* index into labels, -1 = unlabelled */
	double time;   /* as it stands there; without a time column 0 */
	int missing;   /* cells without a value, */
	bool *hole;    /* [C] which */
};

/* Everything is borrowed. -1 when a channel is missing that cannot be made up. */
int rows_begin(struct rows *, const char *file, struct csv_table *, const struct columns *,
	const struct split_options *, struct names *labels);
/* x [C]: 1, 0 at the end, -1 with an error. A hole is 0 in x. */
int rows_next(struct rows *, float *x);
void rows_end(struct rows *);

/* What a cell means as a label: its index in `labels`, appended when new, or -1 = unlabelled. -1 with an error that names file and
 * line when it is none of the classes that were given, no text, or one too many. */
int rows_label(const struct split_options *, const char *file, long long line, struct csv_cell,
	struct names *labels, int32_t *label);
/* Whether two texts are the same label: 1 and 1.0 are. */
bool rows_same_label(const char *, const char *);

#endif
