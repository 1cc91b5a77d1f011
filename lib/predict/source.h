/* Where windows for a model come from: windows files, streams of them, or recordings as CSV that
 * are cut as the model wants.
 *
 *     struct source *s = source_new(operands, &model->layout, missing, &naming, &reading, most);      no operand = standard input
 *     while ((r = source_next(s, &w)) == 1) ...                                   w is the caller's
 */
#ifndef PREDICT_SOURCE_H
#define PREDICT_SOURCE_H

#include "cut/split.h"
#include "dataset/dataset.h"

struct source;

/* operands, like, naming and reading, which are for recordings and may be NULL, are borrowed. most
 * > 0: a recording that comes through a pipe is cut while it arrives, into as many windows as are
 * there but at most so many; 0: every recording is cut when it has ended. */
struct source *source_new(const struct names *operands, const struct layout *like, enum missing_channel,
	const struct reading_naming *naming, const struct reading_text *reading, int most);
/* From now on a recording is an error: "NAME: WHY". why is borrowed. */
void source_refuse_recordings(struct source *, const char *why);
int source_next(struct source *, struct windows **); /* 1, 0 at the end, -1 on error */
/* Whether what was given last is of a recording that is cut while it arrives. */
bool source_live(const struct source *);
/* Whether all operands (none: standard input) are regular files, so that all windows are there at
 * once. */
bool source_is_files(const struct names *operands);
/* Whether the input in hand has more to give without waiting for its writer. */
bool source_ready(struct source *);
/* What the user should know about recordings that were cut here; grows with source_next. */
const struct names *source_notes(const struct source *);
void source_free(struct source *);

#endif
