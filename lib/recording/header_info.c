#include "recording/header_info.h"

#include "base/mem.h"

#include <stdlib.h>

void header_info_begin(struct header_info *f, int columns)
{
	f->role = NEW_ARRAY(unsigned char, columns);
	f->why = NEW_ARRAY(const char *, columns);
}

void header_info_free(struct header_info *f)
{
	free(f->role);
	free(f->why);
	names_free(&f->key);
	names_free(&f->value);
	*f = (struct header_info){0};
}

void header_info_role(struct header_info *f, int column, enum column_role role, const char *why)
{
	if (column < 0)
		return;
	f->role[column] = (unsigned char)role;
	f->why[column] = why;
}

void header_info_rest(struct header_info *f, int n, const char *why)
{
	for (int i = 0; i < n; i++)
		if (f->role[i] == ROLE_OPEN)
			header_info_role(f, i, ROLE_IGNORED, why);
}
