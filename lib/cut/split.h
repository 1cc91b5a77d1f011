/* Recordings as text in, windows out.
 *
 *     split_add_input(S01) --recording--> rows of floats in a nameless temporary file, runs of labels, gaps, missing cells
 *     split_add_input(S02)                       |
 *     split_finish ------------------------------+--> struct windows with its signal [S][C] mapped from that file
 *
 * What is kept in memory is lists of runs and the table of windows; samples never are. Values
 * arrive in microvolts. Options are plain data and borrowed: they, and what they point to, must
 * outlive the struct split. Nothing is printed here: what the user should know beside the result is
 * in split_notes.
 */
#ifndef CUT_SPLIT_H
#define CUT_SPLIT_H

#include "base/pool.h"
#include "format/windows.h"
#include "io/input.h"
#include "recording/options.h"

/* The defaults of moe-split. */
struct reading_options split_defaults(void);

struct split;

struct split *split_new(const struct reading_options *); /* NULL with an error: the options contradict */
/* One recording from an open input, which stays the caller's; -1 with an error. */
int split_add_input(struct split *, struct input *);
/* Several at a time; the result does not depend on the number of threads. */
int split_add_all(struct split *, const struct names *paths, struct pool *);
/* Or in two steps, so that the caller can decide between them: as far as the header, and the rest
 * (or cut/live.h in its place). The input stays open between them. */
int split_begin(struct split *, struct input *);
bool split_labelled(const struct split *); /* the recording that was begun has a label column */
int split_rest(struct split *);
/* What came of all of it; NULL with an error, for instance when there is no window at all. Works
 * without the split after. */
struct windows *split_finish(struct split *);
/* -1 with an error when no recording has given a window: split_finish asks, and so should who cuts
 * live. */
int split_check(const struct split *);
void split_free(struct split *);

/* Sentences for the user: recordings too short, windows left out, channels imputed. Grows with
 * every recording. */
const struct names *split_notes(const struct split *);
/* One JSON object per recording and line (moe-split(1) lists the keys); after split_finish, whether
 * it failed or not. */
void split_explain(const struct split *, struct text *);
/* The same in words, for people. */
void split_explain_words(const struct split *, struct text *);

#endif
