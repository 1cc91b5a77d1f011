#include "recording/facts.h"

#include "base/mem.h"

#include <stdlib.h>

void facts_begin(struct facts *f, int columns)
{
	f->role = NEW_ARRAY(unsigned char, columns);
	f->why = NEW_ARRAY(const char *, columns);
}

void facts_free(struct facts *f)
{
	free(f->role);
	free(f->why);
	names_free(&f->key);
	names_free(&f->value);
	*f = (struct facts){0};
}

void facts_role(struct facts *f, int column, enum column_role role, const char *why)
{
	if (column < 0)
		return;
	f->role[column] = (unsigned char)role;
	f->why[column] = why;
}

void facts_rest(struct facts *f, int n, const char *why)
{
	for (int i = 0; i < n; i++)
		if (f->role[i] == ROLE_OPEN)
			facts_role(f, i, ROLE_IGNORED, why);
}
