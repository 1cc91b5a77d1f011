#include "train/optimizer.h"

#include <stddef.h>

extern const struct optimizer optimizer_adamw;

const struct optimizer *const optimizer_table[] = {&optimizer_adamw, NULL};
