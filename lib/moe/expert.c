#include "moe/expert.h"

#include <stddef.h>
#include <string.h>

const struct expert_type *expert_find(const char *name)
{
	for (int i = 0; expert_table[i]; i++)
		if (!strcmp(expert_table[i]->name, name))
			return expert_table[i];
	return NULL;
}
