/* Labels as they are written: "1.0" is 1, and a missing value is none. */
#ifndef RECORDING_LABEL_H
#define RECORDING_LABEL_H

#include "io/csv.h"
#include "recording/options.h"

/* What a cell means as a label: its index in `labels`, appended when new, or -1 = unlabelled. -1
 * with an error that names file and line when it is none of the classes that were given, no text,
 * or one too many. */
int label_read(const struct reading_options *, const char *file, long long line, struct csv_cell,
	struct names *labels, int32_t *label);
/* Whether two texts are the same label: 1 and 1.0 are. */
bool label_same(const char *, const char *);

#endif
