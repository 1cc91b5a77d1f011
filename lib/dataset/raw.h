/* The raw samples of a window, as they stand in its file.
 *
 * Whatever reads the samples of a dataset's windows asks here, once for each pass over a window:
 * who counts the calls counts the passes (tests/unit/test_survey.c).
 */
#ifndef DATASET_RAW_H
#define DATASET_RAW_H

#include "format/windows.h"

struct dataset;

/* Borrowed for as long as the dataset holds the window. */
struct raw_window {
	const struct windows *w;
	const struct channel_column *column; /* [C of the dataset's target] */
	int64_t window;                      /* which of w */
	int n;                               /* samples that are there: w's length, or fewer */
};

struct raw_window dataset_raw(const struct dataset *, int64_t item);

/* Sample t = 0 .. n-1 of a channel is first[t * step]; n = 0: the file lacks the channel. */
struct raw_channel {
	const float *first;
	int64_t step;
	int n;
};

struct raw_channel raw_channel(const struct raw_window *, int channel);

#endif
