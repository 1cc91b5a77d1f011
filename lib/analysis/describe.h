/* A description of any file of ours as JSON: what moe-stats says of models, windows, state and
 * routing files. */
#ifndef ANALYSIS_DESCRIBE_H
#define ANALYSIS_DESCRIBE_H

#include "io/safetensors.h"

/* Appends one JSON object and a newline. A file without moe.format is described by its tensors
 * alone. -1 with an error when its metadata is damaged. */
int describe_file(const struct st_file *, struct text *);

#endif
