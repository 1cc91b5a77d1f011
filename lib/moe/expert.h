/* Expert types: what stands where a transformer layer has its feed-forward. A type declares its tensors under a prefix and
 * records its operations. One file each in expert/, entered by one line of the table in expert.c.
 *
 * A dense layer is one expert of the type "ffn" without a router; a mixture (moe/layer.h) has many, their tensors stacked.
 */
#ifndef MOE_EXPERT_H
#define MOE_EXPERT_H

#include "moe/tensor_plan.h"
#include "tensor/ops.h"

enum { EXPERT_TENSORS = 4 };

struct expert_shape {
	int H, F;
	enum activation activation;
};

struct expert_type {
	const char *name;
	int tensors;
	void (*declare)(const struct expert_shape *, struct tensor_plan plan[EXPERT_TENSORS]);
	/* y [rows][H] from x [rows][H]; weights in the order of declare */
	struct node *(*forward)(struct tape *, struct node *x, const struct weight w[EXPERT_TENSORS],
		const struct expert_shape *);
};

extern const struct expert_type *const expert_table[];   /* ends with NULL */
const struct expert_type *expert_find(const char *name); /* NULL when there is none */

#endif
