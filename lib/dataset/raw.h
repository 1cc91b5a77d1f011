/* The raw samples of a window, as they stand in its file.
 *
 * Whatever reads the samples of a dataset's windows asks here, once for each pass over a window:
 * who counts the calls counts the passes (tests/unit/test_survey.c).
 */
#ifndef DATASET_RAW_H
#define DATASET_RAW_H

#include "format/windows.h"

struct dataset;

/* Sample t = 0 .. n-1 of channel c is column[c].base[(from + t) * column[c].step]; base NULL: the
 * file lacks the channel. Borrowed for as long as the dataset holds the window. */
struct raw_window {
	const struct channel_column *column; /* [C of the dataset's target] */
	int64_t from;
	int n; /* samples that are there: the window's length, or fewer */
};

struct raw_window dataset_raw(const struct dataset *, int64_t item);

#endif
