/* Where windows lie: rows in, one after the other, and out comes each window as soon as its last
 * row is there.
 *
 *     row, row, row, (gap) row, ... --> struct cutter --> sink: window from, length, label
 *
 * The same for a whole recording (cut.h) and one that is still being written (live.h). A segment is
 * what a window may not leave: rows without a gap, and of one label when windows are aligned to
 * runs.
 */
#ifndef CUT_CUTTER_H
#define CUT_CUTTER_H

#include "recording/options.h"

#include <stdint.h>

struct cutter {
	/* set by the caller */
	int length, stride;
	enum window_align align;
	enum label_rule rule;
	/* what is left at the end of a segment, where the next window would have begun, is a
	 * partial window when it is half a window at least */
	bool keep_last;
	void (*sink)(void *context, int64_t from, int64_t length, int32_t label);
	void *context;
	/* to be read */
	int64_t row; /* the next one */
	int64_t from; /* where the next window begins: rows before it and before `row` are not needed any more */
	int64_t windows, left_out; /* given to the sink; not given, as they contain an invalid row */
	int64_t longest;           /* segment, in rows */
	/* its own */
	bool running; /* within a segment, */
	int64_t begin, last_invalid;
	struct cutter_run {
		int64_t row;
		int32_t label;
	} * run; /* [runs] runs of labels from that of `from` on */
	int runs, room;
	int64_t *votes; /* [votes_room] rows of each label + 1, all 0 between windows */
	int votes_room;
};

/* The next segment begins at this row. */
void cutter_begin(struct cutter *, int64_t row);
/* One more row; begins: it is the first behind a gap. */
void cutter_row(struct cutter *, int32_t label, bool invalid, bool begins);
/* The segment, or the recording, ends here. */
void cutter_end(struct cutter *);
void cutter_free(struct cutter *);

#endif
