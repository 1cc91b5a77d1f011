#include "model/tokeniser.h"

#include <stddef.h>

extern const struct tokeniser tokeniser_sample, tokeniser_patch, tokeniser_spectral;

const struct tokeniser *const tokeniser_table[] = {
	&tokeniser_sample, &tokeniser_patch, &tokeniser_spectral, NULL};
