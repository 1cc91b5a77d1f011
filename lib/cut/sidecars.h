/* The sidecar files of a recording, used step by step while it is read and cut. */
#ifndef CUT_SIDECARS_H
#define CUT_SIDECARS_H

#include "cut/split_state.h"

struct list_entry;

/* The line of recording i in the list, or NULL. */
const struct list_entry *sidecars_entry(const struct reading_options *, int i);
/* Reads its channels file, for the plan of its columns. -1 with an error; channel_info_free in
 * any case. */
int sidecars_channels(const struct intake *, const struct reading_options *, struct channel_info *);
/* Why its column of labels is not taken: they come from events, or from the list. NULL: it is. */
const char *sidecars_labels(const struct reading_options *);
/* Its rate in the list, before its rows are read; own: a copy of the options. */
void sidecars_rate(const struct intake *, struct reading_options *own);
/* After that: its events, or the label of its line. */
int sidecars_read(struct intake *, const struct reading_options *);
/* Its trials, once the length of a window is known and its rows are those of the windows; counts
 * the rows of each label. */
int sidecars_place(const struct split *, struct intake *);
/* Sentences for the user. */
void sidecars_note(struct split *, const struct intake *);
/* Descriptions that --map names and no event has. */
void sidecars_note_unmet(struct split *);

#endif
