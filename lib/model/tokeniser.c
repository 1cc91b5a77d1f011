#include "model/tokeniser.h"

int tokeniser_kinds(const struct tokeniser *t, const struct config *c)
{
	return t->kinds ? t->kinds(c) : 1;
}

int tokeniser_rows_alike(int n, int kinds, int i)
{
	return (n - i % kinds + kinds - 1) / kinds;
}
