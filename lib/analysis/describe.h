/* A description of a file as JSON, for moe-stats: models, windows, training states and routing
 * files. */
#ifndef ANALYSIS_DESCRIBE_H
#define ANALYSIS_DESCRIBE_H

#include "io/safetensors.h"

/* Appends one JSON object and a newline. A file without moe.format is described by its tensors
 * alone. -1 with an error when its metadata is damaged. */
int describe_file(const struct st_file *, struct text *);

#endif
