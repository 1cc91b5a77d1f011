#include "model/tokeniser.h"

#include <stddef.h>

extern const struct tokeniser tokeniser_sample, tokeniser_patch, tokeniser_spectral, tokeniser_covariance,
	tokeniser_conv;

const struct tokeniser *const tokeniser_table[] = {&tokeniser_sample, &tokeniser_patch, &tokeniser_spectral,
	&tokeniser_covariance, &tokeniser_conv, NULL};

int tokeniser_kinds(const struct tokeniser *t, const struct config *c)
{
	return t->kinds ? t->kinds(c) : 1;
}

int tokeniser_rows_alike(int n, int kinds, int i)
{
	return (n - i % kinds + kinds - 1) / kinds;
}
