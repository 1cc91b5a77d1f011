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

void tokeniser_features(const struct tokeniser *t, const struct config *c, const void *prepared,
	const real *scale, const real *x, int T, double rate, const struct region *r, real *out,
	struct arena *scratch)
{
	if (!t->raw) {
		t->features(c, prepared, x, T, rate, r, out, scratch);
		return;
	}
	t->raw(c, prepared, x, T, rate, r, out, scratch);
	t->finish(c, scale, t->count(c, T, rate, T), r, out, scratch);
}

int tokeniser_rows_alike(int n, int kinds, int i)
{
	return (n - i % kinds + kinds - 1) / kinds;
}
