#include "moe/experts.h"

#include <stddef.h>

EXPERTS(EXPERT_DECLARATION)

const struct expert_type *const expert_table[] = {EXPERTS(EXPERT_ROW) NULL};
