/* Where windows for a model come from: windows files, streams of them, or recordings as CSV that are cut as the model wants.
 *
 *     struct source *s = source_new(operands, &model->layout, missing);      no operand = standard input
 *     while ((r = source_next(s, &w)) == 1) ...                             w is the caller's
 */
#ifndef TRAIN_SOURCE_H
#define TRAIN_SOURCE_H

#include "train/dataset.h"

struct source;

/* operands and like are borrowed. */
struct source *source_new(const struct names *operands, const struct layout *like, enum missing_channel);
int source_next(struct source *, struct windows **); /* 1, 0 at the end, -1 on error */
/* What the user should know about recordings that were cut here; grows with source_next. */
const struct names *source_notes(const struct source *);
void source_free(struct source *);

#endif
