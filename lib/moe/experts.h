/* The types of experts there are, one a line: NAME is expert_NAME of expert/NAME.c. The first is
 * that of dense layers.
 *
 * A program that brings one of its own along defines expert_table itself, from these rows and one
 * more.
 */
#ifndef MOE_EXPERTS_H
#define MOE_EXPERTS_H

#include "moe/expert.h"

/* clang-format off */
#define EXPERTS(ROW) \
	ROW(ffn) \
	ROW(attention) \
	ROW(conv)
/* clang-format on */

#define EXPERT_DECLARATION(NAME) extern const struct expert_type expert_##NAME;
#define EXPERT_ROW(NAME)         &expert_##NAME,

#endif
