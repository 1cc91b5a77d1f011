/* Expert types: what stands where a transformer layer has its feed-forward. A type declares its tensors under a prefix and
 * records its operations. One file each in expert/, entered by one line of the table in expert.c.
 *
 * The region model's layers use the type "ffn" once, as a dense layer.
 */
#ifndef MOE_EXPERT_H
#define MOE_EXPERT_H

#include "tensor/ops.h"

enum { EXPERT_TENSORS = 4 };

struct expert_shape {
	int H, F;
	enum activation activation;
};

struct expert_tensor {
	const char *name; /* below the layer's prefix: "linear1.weight" */
	int rank;
	int rows, cols; /* cols 0 for a vector */
	int fan_in;     /* the spread of its start values */
};

struct expert_type {
	const char *name;
	int tensors;
	void (*declare)(const struct expert_shape *, struct expert_tensor tensor[EXPERT_TENSORS]);
	/* y [rows][H] from x [rows][H]; weights in the order of declare */
	struct node *(*forward)(struct tape *, struct node *x, const struct weight w[EXPERT_TENSORS],
		const struct expert_shape *);
};

extern const struct expert_type *const expert_table[];   /* ends with NULL */
const struct expert_type *expert_find(const char *name); /* NULL when there is none */

#endif
