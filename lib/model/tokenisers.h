/* The tokenisers there are, one a line: NAME is tokeniser_NAME of tokeniser/NAME.c.
 *
 * A program that brings one of its own along defines tokeniser_table itself, from these rows and
 * one more.
 */
#ifndef MODEL_TOKENISERS_H
#define MODEL_TOKENISERS_H

#include "model/tokeniser.h"

/* clang-format off */
#define TOKENISERS(ROW) \
	ROW(sample) \
	ROW(patch) \
	ROW(spectral) \
	ROW(covariance) \
	ROW(power) \
	ROW(relative) \
	ROW(evoked) \
	ROW(cca) \
	ROW(harmonic) \
	ROW(conv) \
	ROW(separable)
/* clang-format on */

#define TOKENISER_DECLARATION(NAME) extern const struct tokeniser tokeniser_##NAME;
#define TOKENISER_ROW(NAME)         &tokeniser_##NAME,

#endif
