/* The routers there are, one a line, in the order of their numbers: NAME is router_NAME of
 * router/NAME.c.
 *
 * A program that brings one of its own along defines router_table itself, from these rows and one
 * more.
 */
#ifndef MOE_ROUTERS_H
#define MOE_ROUTERS_H

#include "moe/router.h"

/* clang-format off */
#define ROUTERS(ROW) \
	ROW(topk) \
	ROW(noisy_topk) \
	ROW(soft) \
	ROW(soft_moe) \
	ROW(expert_choice) \
	ROW(cosine) \
	ROW(condition) \
	ROW(random) \
	ROW(uniform) \
	ROW(hierarchical)
/* clang-format on */

#define ROUTER_DECLARATION(NAME) extern const struct router_type router_##NAME;
#define ROUTER_ROW(NAME)         &router_##NAME,

#endif
