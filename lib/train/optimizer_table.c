#include "train/optimizer.h"

#include <stddef.h>

OPTIMIZERS(OPTIMIZER_DECLARATION)

const struct optimizer *const optimizer_table[] = {OPTIMIZERS(OPTIMIZER_ROW) NULL};
