/* Expert types: what stands where a transformer layer has its feed-forward. A type declares its
 * tensors under a prefix and records its operations. One file each in expert/, entered by one line
 * of experts.h.
 *
 * A dense layer is one expert of the type "ffn" without a router; an MoE layer (moe/layer.h) has
 * many, their tensors stacked.
 */
#ifndef MOE_EXPERT_H
#define MOE_EXPERT_H

#include "moe/setting.h"
#include "moe/tensor_plan.h"
#include "tensor/ops.h"

enum { EXPERT_TENSORS = 8, EXPERT_KINDS = 8 }; /* tensors of an expert; types in one layer */

/* Forms of the feed-forward; the gated ones as in op_gated_feedforward. */
enum ffn_form { FFN_MLP, FFN_GLU, FFN_GEGLU, FFN_SWIGLU, FFN_RESIDUAL };

struct expert_shape {
	int H, F;
	enum activation activation; /* of mlp, residual and conv */
	enum ffn_form form;
	bool inner_norm, output_norm;
	int heads;         /* attention; divides H */
	int kernel;        /* conv: taps */
	const double *own; /* values of the types' own keys: see moe/setting.h */
};

/* The rows an expert is given, window after window: which belong together, and when they are. */
struct expert_rows {
	int windows;
	const int *first; /* [windows + 1] window b has rows first[b] .. first[b+1]-1, or none */
	const int *
		place; /* [rows] in time, rising within a window; tokens without a time lie far from all others */
};

/* A type of experts, with traits by which everybody else knows what goes with it. */
struct expert_type {
	const char *name;
	const char *help; /* for moe-layers(7), as in struct router_type */
	const char *
		keys; /* keys that have an effect with it alone, or with others that list them, too; NULL: none */
	const struct setting *settings; /* keys of its own (moe/setting.h), or NULL */
	bool hidden;                    /* has hidden units: F of them (moe.ffn_dim), with an activation */
	bool forms; /* ... in the forms of enum ffn_form, with norms: those with gates have an activation of their own */
	bool windows;    /* reads the rows of a window together */
	bool neighbours; /* reads rows that follow each other in time: single tokens are not enough */
	/* Its tensors, below the layer's prefix; returns how many. */
	int (*declare)(const struct expert_shape *, struct tensor_plan plan[EXPERT_TENSORS]);
	/* y [rows][H] from x [rows][H]; weights in the order of declare; rows may be NULL unless
	 * windows is set, else it is borrowed until the tape is reset */
	struct node *(*forward)(struct tape *, struct node *x, const struct weight w[EXPERT_TENSORS],
		const struct expert_shape *, const struct expert_rows *rows);
};

extern const struct expert_type *const expert_table[]; /* ends with NULL; the first is that of dense layers */
const struct expert_type *expert_find(const char *name); /* NULL when there is none */

#endif
