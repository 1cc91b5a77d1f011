/* Conditions of windows by name: which embedding of a model's router that reads them is a
 * window's. */
#ifndef DATASET_CONDITION_H
#define DATASET_CONDITION_H

#include "dataset/dataset.h"

/* Adds the names of the conditions of these items (NULL: of the first n) to a list, each once; does
 * nothing for a configuration whose router needs none. -1 when none has one. */
int conditions_collect(
	const struct dataset *, const struct config *, const int64_t *items, int64_t n, struct names *);

/* Sets the condition of these items (NULL: of the first n) by name; does nothing for a model whose
 * router has none. Refuses one that the model does not know, unless it has an embedding for
 * such. */
int conditions_bind(struct dataset *, const struct model *, const int64_t *items, int64_t n);

#endif
