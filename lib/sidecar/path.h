/* Which sidecar files belong to a recording: its events, its channels.
 *
 * Of several files the i-th belongs to the i-th recording. One name that contains {} stands for the
 * files of all: {} is the recording's path without its extension and without a BIDS suffix _eeg
 * (sub-01/sub-01_task-rest_eeg.csv: {}_events.tsv is sub-01/sub-01_task-rest_events.tsv).
 */
#ifndef SIDECAR_PATH_H
#define SIDECAR_PATH_H

#include "base/text.h"

/* -1 when there are neither as many files as recordings nor one with {}; for_all: a single file may
 * belong to all. */
int sidecar_paths_check(const struct names *files, int recordings, bool for_all, const char *option);
/* The file that belongs to recording i, to be freed. */
char *sidecar_path(const struct names *files, int i, const char *recording);

#endif
