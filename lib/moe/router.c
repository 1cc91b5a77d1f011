#include "moe/router.h"

#include <stddef.h>
#include <string.h>

extern const struct router_type router_soft;

const struct router_type *const router_table[] = {&router_soft, NULL};

const struct router_type *router_find(const char *name)
{
	for (int i = 0; router_table[i]; i++)
		if (!strcmp(router_table[i]->name, name))
			return router_table[i];
	return NULL;
}
