#include "moe/routers.h"

#include <stddef.h>

ROUTERS(ROUTER_DECLARATION)

const struct router_type *const router_table[] = {ROUTERS(ROUTER_ROW) NULL};
