/* Windows bound to a model: channels and classes matched by name, never by position.
 *
 *     windows file(s) --dataset_add--> items 0 .. n-1 --dataset_fill--> x [T][W_k] scaled, per region
 *
 * The samples stay where they are (a mapped file), and what a dataset holds for each window is in a
 * spill buffer: memory does not grow with the number of windows.
 */
#ifndef DATASET_DATASET_H
#define DATASET_DATASET_H

#include "format/windows.h"
#include "io/spill.h"
#include "model/forward.h"
#include "dataset/ems.h"
#include "dataset/raw.h"

struct item {
	int source;           /* index into the dataset's sources */
	int64_t window;       /* within the source */
	int label;            /* index into classes, -1 = unlabelled */
	int group, recording; /* indices into the dataset's lists */
	int condition;        /* row of the router's embedding, -1 = not bound (dataset/condition.h) */
};

struct dataset {
	const struct layout *target; /* what the windows must fit; borrowed */
	enum missing_channel missing;
	bool borrows; /* the windows are another dataset's, which outlives what this one holds of them */
	struct names classes, groups, recordings;
	int64_t n, room;
	struct item *item; /* [n] in the order they came */
	struct spill spill;
	int sources, source_room;
	struct source
		*source; /* [sources] windows files the items come from, with the target's channels in each */
	const float *mean, *std;   /* [C of target] or NULL: the scaler, borrowed */
	const struct model *model; /* whose it is, or NULL; borrowed */
	/* Where samples are scaled by group: [scalers][C], and which of them an item has; else
	 * NULL. Borrowed */
	const float *group_mean, *group_std;
	const int *scaler_row; /* [n] */
	struct tokens *tokens; /* features that are kept (dataset/tokens.h), or NULL */
	struct group_scaler
		*scaler; /* what the scalers of groups were taken from, or NULL (dataset/adapt.c) */
	bool by_window;  /* each window's channels by their own mean and deviation instead */
	struct ems *ems; /* or by running ones of their recordings; else NULL */
	bool view;       /* all but the items and what they say is somebody else's */
};

/* classes starts as the target's and grows by names found in windows when `grow` is set at
 * dataset_add. */
struct dataset *dataset_new(const struct layout *target, enum missing_channel);
/* Takes the windows over (also on error), unless it borrows them. Refuses another length, rate or
 * unit, and missing channels (lists what is there). A class that is not in `classes` is appended;
 * cmd decides whether that is an error (classes_of_target). */
int dataset_add(struct dataset *, struct windows *);
void dataset_free(struct dataset *);
/* The same windows once more, with labels, conditions and a scaler of its own: for several models
 * that are trained at the same time. The dataset behind it must outlive it and must not grow. */
struct dataset *dataset_view(const struct dataset *);
/* The same windows, in the same order, bound to other regions of their channels; target: a layout
 * with the same length, rate, unit, preprocessing and classes. The dataset behind it must outlive
 * it and must not grow. NULL with an error when a channel is missing. */
struct dataset *dataset_rebind(const struct dataset *, const struct layout *target);
/* From now on samples are scaled as the model has it; it must outlive the dataset. -1 when windows
 * in it cannot be. */
int dataset_scale(struct dataset *, const struct model *);
/* Drops all windows and items but keeps the lists, and what it knows of groups: for streams. */
void dataset_clear(struct dataset *);

/* Labels count by `classes` from now on; every class of a labelled window must be there. */
void dataset_renumber(struct dataset *, const struct names *classes);

const struct windows *dataset_windows(const struct dataset *, int64_t item);

/* Samples of an item that are there; the window's length, or fewer. Likewise those of region k of
 * the target, which may have windows of another length. */
int dataset_samples(const struct dataset *, int64_t item);
int dataset_region_samples(const struct dataset *, int64_t item, int k);
/* Those of a channel of the target; 0 where it is missing. */
int dataset_channel_samples(const struct dataset *, int64_t item, int channel);

/* Where the target's channels stand in the file of an item: [C], whose rows are those of its
 * windows. */
const struct channel_column *dataset_columns(const struct dataset *, int64_t item);

/* Sample t as it stands in the file; 0 where the channel is missing. */
float dataset_sample(const struct dataset *, int64_t item, int channel, int t);

/* Scaled samples of an item and region: x [T_k][W_k], 0 where the region has padding and after a
 * window's end. */
void dataset_fill(const struct dataset *, int64_t item, int k, real *x);
/* The same from the item's raw samples, for several regions in one pass. */
void dataset_fill_from(const struct dataset *, const struct raw_window *, int64_t item, int k, real *x);

/* Whether every region of the model has a token of a window of which so many samples are there. */
bool dataset_has_tokens(const struct model *, int samples);

/* -1 with an error naming recording, channel and sample when a listed item holds a number that is
 * not finite, or ends before the model's first token does (model NULL: as may be). */
int dataset_check(const struct dataset *, const struct model *, const int64_t *items, int64_t n);

/* Evaluates items (batch at a time): out [n][outputs of the head], gate [n][K]. No answer is made
 * of numbers that are not finite, which samples far beyond any amplifier or a model's huge
 * parameters leave: such a window is marked in unanswered [n]; where that is NULL it is an error
 * that names the window, -1. */
int dataset_evaluate(const struct dataset *, struct forward *, const int64_t *items, int64_t n, int batch,
	int outputs, int K, real *out, real *gate, bool *unanswered);
/* The error of a window whose answer is not finite; always -1. */
int dataset_no_answer(const struct dataset *, int64_t item);

#endif
