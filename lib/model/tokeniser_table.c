#include "model/tokenisers.h"

#include <stddef.h>

TOKENISERS(TOKENISER_DECLARATION)

const struct tokeniser *const tokeniser_table[] = {TOKENISERS(TOKENISER_ROW) NULL};
