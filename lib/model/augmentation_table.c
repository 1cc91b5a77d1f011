#include "model/augmentations.h"

#include <stddef.h>

AUGMENTATION_LIST(AUGMENTATION_DECLARATION)

const struct augmentation *const augmentation_table[] = {AUGMENTATION_LIST(AUGMENTATION_ROW) NULL};
