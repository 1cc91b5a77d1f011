#include "model/tokeniser.h"

#include <string.h>

int tokeniser_find(const char *name)
{
	for (int i = 0; tokeniser_table[i]; i++)
		if (!strcmp(tokeniser_table[i]->name, name))
			return i;
	return -1;
}

int tokeniser_kinds(const struct tokeniser *t, const struct config *c)
{
	return t->kinds ? t->kinds(c) : 1;
}

int tokeniser_rows_alike(int n, int kinds, int i)
{
	return (n - i % kinds + kinds - 1) / kinds;
}
