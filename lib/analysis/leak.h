/* Whether test windows are independent of the training windows: groups that are in both, equal
 * windows, and the same segment of a recording.
 *
 * Windows are equal when the samples of the channels both sides have are, bit by bit (by a hash of
 * 64 bits, in the order of the channels' names): under whatever names they stand. Windows without
 * any change in any channel are left out of that. They overlap when the recording has the same
 * name, the times have samples in common, and these are the same; a recording of the same name with
 * other samples is another one, which is reported but is no leak.
 */
#ifndef ANALYSIS_LEAK_H
#define ANALYSIS_LEAK_H

#include "dataset/dataset.h"

struct leak_place {
	int part;
	int64_t window;
};

/* Of one side: windows, or a model, of which only the groups are known. */
struct leak_side {
	char *name;
	bool model, borrowed; /* borrowed: the windows are somebody else's */
	struct names groups;  /* that have windows */
	const struct windows **part;
	int parts, room;
	struct leak_place *place; /* [n] the windows that count */
	int64_t n, place_room;
	struct spill spill; /* of the places */
};

/* Reads all windows of an input, or a model where that is allowed. */
int leak_side_read(struct leak_side *, struct input *, bool model_allowed);
/* The windows of items [n] of a dataset, borrowed. */
void leak_side_of(struct leak_side *, const struct dataset *, const int64_t *items, int64_t n);
void leak_side_free(struct leak_side *);

enum { LEAKS_NAMED = 5 };

/* Test windows that training has, in whole or in part, and the first of them with one of training
 * each. */
struct leak_windows {
	int64_t n;
	struct leak_place test[LEAKS_NAMED], train[LEAKS_NAMED];
};

struct leak {
	const struct leak_side *train, *test; /* borrowed */
	struct names groups;                  /* on both sides */
	struct leak_windows equal, overlapping;
	struct names same_name; /* recordings of one name with other samples at the same time */
	int64_t flat;           /* test windows without any change, not looked for */
};

/* Everything. -1 with an error when the two cannot be compared: other rates, no channel in
 * common. */
int leak_check(struct leak *, const struct leak_side *train, const struct leak_side *test);
/* overlapping and same_name only, of windows that are known to go together. */
int leak_check_overlap(struct leak *, const struct leak_side *train, const struct leak_side *test);
bool leak_found(const struct leak *);
void leak_free(struct leak *);

void leak_json(const struct leak *, struct text *);
void leak_words(const struct leak *, struct text *); /* one sentence, without its full stop */

#endif
