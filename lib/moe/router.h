/* Routers: from logits to the weights with which experts count. One file each in router/, entered by one line of the table in
 * router.c. The gate over the regions uses the type "soft": every region counts.
 */
#ifndef MOE_ROUTER_H
#define MOE_ROUTER_H

#include "tensor/ops.h"

struct router_shape {
	real temperature;
};

struct router_type {
	const char *name;
	/* w [rows][E] from logits [rows][E]; each row sums to 1 */
	struct node *(*forward)(struct tape *, struct node *logits, const struct router_shape *);
};

extern const struct router_type *const router_table[];   /* ends with NULL */
const struct router_type *router_find(const char *name); /* NULL when there is none */

#endif
