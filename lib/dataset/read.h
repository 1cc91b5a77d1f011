/* Windows files, or streams of several, into one dataset. */
#ifndef DATASET_READ_H
#define DATASET_READ_H

#include "dataset/dataset.h"

/* Adds all windows of one operand ("-" is standard input). *d NULL: made by the first windows, and
 * so is the target where it is still empty: from `like`, or where that is NULL from those windows.
 * Refuses what does not hold windows, and what does not fit. */
int dataset_read(struct dataset **d, struct layout *target, const struct layout *like, const char *path);

#endif
