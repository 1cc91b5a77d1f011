/* What stands in files beside a recording: its events, its channels, its line in a list.
 *
 * Of several files the i-th belongs to the i-th recording. One file whose name holds {} stands for as many: {} is the
 * recording's path without its ending and without a BIDS suffix _eeg (sub-01/sub-01_task-rest_eeg.csv: {}_events.tsv is
 * sub-01/sub-01_task-rest_events.tsv).
 */
#ifndef EEG_BESIDE_H
#define EEG_BESIDE_H

#include "eeg/channel_file.h"
#include "eeg/split_state.h"

/* -1 when there are neither as many files as recordings nor one with {}; for_all: a single file may belong to all. */
int beside_check(const struct names *files, int recordings, bool for_all, const char *option);
/* The file that belongs to recording i, to be freed. */
char *beside_path(const struct names *files, int i, const char *recording);

/* The line of recording i in the list, or NULL. */
const struct list_entry *beside_entry(const struct split_options *, int i);

/* The steps of a job: what its channels file says, for the plan of its columns; whether labels come from elsewhere than a column; */
int beside_channels(const struct job *, const struct split_options *, struct channel_file *);
bool beside_labels(const struct split_options *);
/* its rate, before its rows are read (*own is a copy of the options); its events and the label of its line, after that; */
void beside_rate(const struct job *, struct split_options *own);
int beside_read(struct job *, const struct split_options *);
/* its trials, once the length of a window is known and its rows are those of the windows; counts the rows of each label; */
int beside_place(const struct split *, struct job *);
/* and sentences for the user. */
void beside_note(struct split *, const struct job *);
/* Descriptions that --map names and no event has. */
void beside_note_unmet(struct split *);

#endif
