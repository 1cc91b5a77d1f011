/* What a struct split holds: for split.c, which fills it, live.c, which fills it window by window, and explain.c, which tells
 * of it. */
#ifndef EEG_SPLIT_STATE_H
#define EEG_SPLIT_STATE_H

#include "eeg/cut.h"

#include <regex.h>
#include <sys/stat.h>

struct split {
	const struct split_options *o;
	regex_t group;
	bool has_group;
	struct layout layout; /* of the result; channels known after the first recording */
	struct names labels;  /* in the order they were met */
	struct names recordings, groups, notes;
	struct spool spool;
	struct cut_table table;
	struct recording *recording; /* [n]; without --explain their lists are freed after cutting */
	int n, room;
	struct names *suspicious, *why; /* [n] */
	struct stat *file;              /* [n] what each was read from; st_ino 0 = no regular file */
	double rate, doubt;             /* of the first recording */
	struct csv_table *begun;        /* the last recording's, its rows not read yet */
};

/* Once the rate of the last recording is known: the layout from the first, agreement with it from the others. */
int split_settle(struct split *, const struct recording *, const char *file);
/* Sentences on what came of it; longest: stretch that could have held a window, in rows. */
void split_note_result(struct split *, const struct recording *, int64_t longest);
/* Frees what is not needed any more once the windows are cut. */
void split_slim(struct recording *);

#endif
