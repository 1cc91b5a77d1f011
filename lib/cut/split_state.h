/* What a struct split holds: for split.c, which reads recordings, split_all.c, which reads several
 * at a time, live.c, which cuts them while they arrive, split_result.c, which makes windows of
 * them, and explain.c, which describes them. */
#ifndef CUT_SPLIT_STATE_H
#define CUT_SPLIT_STATE_H

#include "cut/cut.h"
#include "cut/split.h"
#include "scalp/regions.h"

#include <regex.h>
#include <sys/stat.h>

/* One recording on its way. */
struct intake {
	const char *file; /* for messages */
	int index;        /* of the recording */
	struct reader reader;
	struct recording r;
	struct names labels; /* those the classes begin with, then as they were met */
	struct row_file own; /* its rows, when others are read at the same time */
	struct names suspicious, why;
	struct events *events; /* NULL: labels are not from events */
};

struct file_id {
	dev_t device;
	ino_t inode; /* 0 = no regular file */
};

/* --group, --condition */
struct pattern {
	regex_t regex;
	bool given;
};

struct split {
	const struct reading_options *o;
	struct pattern group, condition;
	struct names channels;              /* of the first recording: those after it have the same */
	struct preprocessing preprocessing; /* of the recordings, once the first one's channels are known */
	struct layout layout;               /* of the result, once the first recording's rate is known */
	bool settled;
	double rate, doubt;  /* of the first recording */
	struct names labels; /* those the classes begin with, then as they were met */
	struct names recordings, groups, notes;
	struct regions_report regions;
	struct names conditions; /* of each recording; empty when they have none */
	struct file_id *file;    /* [recordings.n] what each was read from */
	int file_room;
	struct row_file row_file;
	struct cut_table table;
	int64_t windows, left_out;
	struct names description; /* descriptions of events */
	int64_t trials;
	struct intake now;        /* the recording that was begun */
	struct intake *explained; /* [explained_count] with --explain: all of them */
	int explained_count, explained_room;
};

/* A name for the next recording, its group, and that it is not there already; info NULL = no
 * regular file. */
int split_name(struct split *, struct recording *, const char *file, const struct stat *info);
/* Opens the table and plans its columns. */
int intake_begin(struct intake *, const struct split *, struct input *);
/* Reads the rows into a row file and finds the rate. */
int intake_read(struct intake *, const struct split *, struct row_file *);
/* Rate and layout: of the first recording taken, or compared with it. */
int split_settle(struct split *, const struct recording *, const char *file);
/* How windows are cut, once the layout is known. */
struct cutter split_cutter(const struct split *);
/* Cuts what was read into windows; the intake is freed by it, or kept in `explained`. index: of the
 * recording. */
int split_take(struct split *, struct intake *, int index);
/* Counts what came of a recording, with sentences for the user; longest: segment that could have
 * held a window, in rows. */
void split_count(struct split *, const struct recording *, int64_t longest);
void split_note_imputed(struct split *, const struct recording *);
void intake_free(struct intake *);
/* Whether the lengths of windows are known in rows of this recording; only when explaining they may
 * not be. */
bool split_cuts(const struct split *, const struct recording *);
/* For both forms of split_explain: the time column's kind, NULL = none, or not known. */
const char *split_time_kind(const struct recording *);

#endif
