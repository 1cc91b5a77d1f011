/* Cutting a recording into windows, and the table that collects them. */
#ifndef CUT_CUT_H
#define CUT_CUT_H

#include "io/shelf.h"
#include "recording/recording.h"

struct cut_table {
	int64_t n, room;
	int64_t *start, *sample;                    /* [n] row of the spool, row of the recording */
	int32_t *valid, *label, *recording, *group; /* valid: samples that are there */
	bool early;                                 /* some window ends early */
	struct shelf shelf[6];
};

/* Appends the windows of a recording and counts them in it: those that a gap or the recording's end would cut are not
 * there, those a bad row lies in are counted as left out when drop_bad is set. keep_last: what is left at the end of a stretch, where
 * the next window would have begun, is a window that ends early when it is half a window at least. */
void cut_windows(struct cut_table *, struct recording *, int length, int stride, enum split_align,
	enum split_rule, bool drop_bad, bool keep_last, int32_t recording, int32_t group);
/* The longest stretch, in rows, that could have held a window. */
int64_t cut_longest(const struct recording *, enum split_align);
void cut_free(struct cut_table *);

#endif
