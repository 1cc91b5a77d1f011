/* What a training will need, before memory is taken for it. */
#ifndef TRAIN_NEED_H
#define TRAIN_NEED_H

#include "train/fit.h"

/* Holds what fit_model and the trainer will take for numbers as many as the parameters (these,
 * their gradient and its shards, the optimizer's moments, the best parameters) against the memory
 * there is: -1 with status 71 when that is less. The values of layers, which grow with the batch,
 * are not counted. at_a_time: so many such trainings side by side, on one thread each (moe-cv).
 * Otherwise names to mem_doing what is trained, and adds to notes when a large preset for one
 * region meets several. */
int need_check(const struct configuration *, const struct model *before, const struct training_data *,
	int at_a_time, struct names *notes);

#endif
