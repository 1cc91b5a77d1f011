/* One recording on its way from text to windows: its rows go into a temporary file
 * (recording/row_file.h), and only lists of runs are kept in memory.
 *
 *     rows    0 1 2 3 4 5 6 7 8 9
 *     label   a a a a - - b b b b      run {0, a} {4, -1} {6, b}
 *     gap               |              gap {5}: a sample is missing before row 5
 *     missing     *                    missing_run {row 3, 1 row, channel 2}
 */
#ifndef RECORDING_RECORDING_H
#define RECORDING_RECORDING_H

#include "io/csv.h"
#include "recording/time_format.h"
#include "recording/columns.h"
#include "recording/reader.h"
#include "recording/row_file.h"
#include "recording/timeline.h"

struct label_run {
	int64_t row;
	int32_t label; /* index into the names given, -1 = unlabelled */
};

struct missing_run {
	int64_t row, rows;
	int channel;
};

struct segment {
	int64_t row, rows;
};

/* What an event makes: rows of one label, in which windows are cut. Two may share a row. */
struct trial {
	int64_t row, rows;
	int32_t label;
	int windows; /* filled while cutting */
};

/* Rows that are missing before this one according to a counter of samples; NaN = it started
 * again. */
struct jump {
	int64_t row;
	double lost;
};

struct recording {
	char *name, *group; /* as in the result */
	struct columns columns;
	struct header_info header; /* from its first lines */
	struct text_form form;
	enum time_format time_format; /* how its times are written */
	int64_t messages, marked;     /* rows with a message only; rows the recorder does not trust */
	bool counted;                 /* a counter shows which samples are missing, */
	double round;                 /* of so many rows before it begins again (0 = not known) */
	struct jump *jump;            /* [jumps] here */
	int64_t jumps, jump_room;
	struct spill jump_spill;
	int64_t first, rows; /* its rows of the row file */
	int64_t recorded;    /* its rows as they were read */
	int up, down;        /* resampled by up / down; 1 and 1 when not */
	int delay;           /* rows as they were read that resampling waits for */
	struct timeline time;
	double rate; /* Hz, as it was recorded; 0 = not known */
	const char *rate_from;
	struct label_run *run; /* [runs] */
	int64_t runs, run_room;
	struct spill run_spill;
	bool by_trials;      /* windows are cut in these, by row, and nowhere else */
	struct trial *trial; /* [trials] */
	int64_t trials;
	struct missing_run *missing_run; /* [missing_runs] cells without a value, by the row of their start */
	int64_t missing_runs, missing_room;
	struct spill missing_spill;
	struct segment *invalid; /* [invalids] rows with a missing value */
	int64_t invalids, invalid_room;
	struct spill invalid_spill;
	int64_t missing;     /* cells */
	int64_t *label_rows; /* [labels]: rows of each label, unlabelled ones not counted */
	int labels;
	/* filled while cutting */
	int64_t windows, left_out;
	int64_t *label_windows; /* [labels] */
};

/* The first time of its column in seconds, when that is a date (since 1970); else NAN. */
double recording_start(const struct recording *);

/* Reads the rest of it; labels are interned into `labels`. -1 with an error; recording_free in any
 * case. */
int recording_read(struct recording *, struct reader *, const struct reading_options *, struct names *labels,
	struct row_file *);
/* Finds its rate: from t [n], the first times of its column of this name (NULL: there is none), the
 * rate stated in it, --rate and the model. */
int recording_rate(struct recording *, const char *file, const char *column, const double *t, int64_t n,
	const struct reading_options *);
/* Sentences on what was met while reading: messages, rows of another width, samples the recorder
 * does not trust. */
void recording_remarks(const struct recording *, struct names *);
/* Interpolates missing values linearly, in the row file. -1 when a channel has no value at all in a
 * segment without gaps. */
int recording_interpolate(const struct recording *, const char *file, const struct row_file *);
struct preprocessor;

/* What conditions its rows (filter/preprocessor.h); sets up, down and delay. NULL with an error. */
struct preprocessor *recording_preprocessor(
	struct recording *, const char *file, const struct reading_options *, const struct preprocessing *);
/* Its rows of `raw`, which holds nothing else, preprocessed into the row file: reference, filters,
 * another rate. Lists of rows stay what they are until recording_resampled. */
int recording_preprocess(struct recording *, const char *file, const struct reading_options *,
	const struct preprocessing *, const struct row_file *raw, struct row_file *);
/* From now on rows, runs, gaps and invalid rows count the rows out. */
void recording_resampled(struct recording *);
/* So many samples as they were recorded, in samples out. */
double recording_sample(const struct recording *, double recorded);
/* Samples out from the first one to the end: of its time, gaps filled, or (not timed) of its rows
 * alone. */
double recording_samples(const struct recording *, bool timed);
/* The row out at a sample of that line: the nearest one, within a gap the first behind it. May lie
 * outside the recording. After recording_resampled. */
int64_t recording_row_at(const struct recording *, double sample, bool timed);
/* Gives label i the number to[i], of `labels` in all, and counts the rows of each. */
void recording_labels(struct recording *, const int32_t *to, int labels);
void recording_free(struct recording *);
/* Frees the lists that are not needed once the windows are cut. */
void recording_free_lists(struct recording *);

#endif
