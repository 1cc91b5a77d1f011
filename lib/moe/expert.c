#include "moe/expert.h"

#include <stddef.h>
#include <string.h>

extern const struct expert_type expert_ffn, expert_attention, expert_conv;

const struct expert_type *const expert_table[] = {&expert_ffn, &expert_attention, &expert_conv, NULL};

const struct expert_type *expert_find(const char *name)
{
	for (int i = 0; expert_table[i]; i++)
		if (!strcmp(expert_table[i]->name, name))
			return expert_table[i];
	return NULL;
}
