#include "model/optimizers.h"

#include <stddef.h>

const char *const optimizer_names[] = {OPTIMIZERS(OPTIMIZER_NAME) NULL};
