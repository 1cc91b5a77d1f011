/* Windows: pieces of equal length cut from recordings, and what is known of each.
 *
 *     recordings --moe-split--> signal [S][C] + a table of N windows --> file --> moe-train, moe-predict, ...
 *
 * The samples stand once, however much the windows overlap: either per region as in the file
 * (expert[k] [S][W_k]) or, when made from a recording in this process, as one signal [S][C].
 * windows_column gives one channel from either.
 */
#ifndef FORMAT_WINDOWS_H
#define FORMAT_WINDOWS_H

#include "io/history.h"
#include "format/layout.h"

struct windows {
	char *name; /* where they come from, for messages */
	struct layout layout;
	struct names recordings, groups, conditions;
	int64_t samples;      /* S: rows of all recordings */
	const float **expert; /* [K] -> [S][W_k], or NULL */
	/* Of regions whose windows have a length or rate of their own (layout_own_input), with
	 * expert alone; NULL where there is none. */
	const int64_t **own_start; /* [K] -> [N] first row of each window; NULL of the other regions */
	int64_t *own_rows;         /* [K] rows of expert[k] */
	const float *signal;       /* [S][C], or NULL */
	int64_t n;                 /* N windows */
	const int64_t *start;      /* [N] first row; rows start .. start + length - 1 */
	const int64_t *sample;     /* [N] first sample within the recording */
	const int32_t *valid; /* [N] samples that are there, from the first on; NULL: all of every window */
	const int32_t *label; /* [N] index into layout.classes, -1 = unlabelled */
	const int32_t *recording;          /* [N] index into recordings */
	const int32_t *group;              /* [N] index into groups */
	const int32_t *condition;          /* [N] index into conditions, -1 = none; NULL: no window has one */
	char *history;                     /* JSON, or NULL */
	struct st_file *file;              /* what owns the arrays when they come from a file */
	void (*release)(struct windows *); /* frees the arrays otherwise */
	void *owner;                       /* for release */
};

/* The next windows of an input: 1, 0 at the end, -1 on error. Everything is checked: shapes,
 * indices, ranges. */
int windows_next(struct input *, struct windows **);
/* Takes over a container that was read; NULL when it does not hold windows (the container is
 * freed). */
struct windows *windows_of(struct st_file *);
void windows_free(struct windows *);

/* Samples of window i that are there: layout.length, or fewer. */
int windows_samples(const struct windows *, int64_t i);
/* Where a channel stands: sample t of window i is base[(start[i] + t) * step]; base NULL =
 * missing. */
struct channel_column {
	const float *base;
	int64_t step;
	const int64_t *start; /* [N] */
	int region;           /* of the windows, whose length it has */
};
/* Samples of window i that are there in this column. */
int windows_column_samples(const struct windows *, const struct channel_column *, int64_t i);
/* false, and nothing set, when no region has the channel (then it is not in the file). */
bool windows_column(const struct windows *, int channel, struct channel_column *);

/* Writes the container that moe-formats(5) describes under Windows. */
int windows_write(const struct windows *, struct output *, const struct history *);

/* The window.* tensors and the metadata of windows, for files that carry them along (routing). */
void windows_put_table(const struct windows *, struct st_writer *);

#endif
