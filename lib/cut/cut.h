/* Cutting a recording into windows, and the table that collects them. */
#ifndef CUT_CUT_H
#define CUT_CUT_H

#include "cut/cutter.h"
#include "io/spill.h"
#include "recording/recording.h"

struct cut_table {
	int64_t n, room;
	int64_t *start, *sample;                    /* [n] row of the row file, row of the recording */
	int32_t *valid, *label, *recording, *group; /* valid: samples that are there */
	bool partial;                               /* some windows are partial */
	struct spill spill[6];
};

/* Appends the windows of a recording and counts them in it: those that a gap or the recording's end
 * would cut are not there, those that contain an invalid row are counted as left out when
 * drop_invalid is set. how: length, stride, align, rule and keep_last. The longest segment, in
 * rows, that could have held a window. */
int64_t cut_windows(struct cut_table *, struct recording *, const struct cutter *how, bool drop_invalid,
	int32_t recording, int32_t group);
void cut_free(struct cut_table *);

#endif
