/* attention: self-attention among the tokens of a window that are given to the expert, o = Wo
 * attention(x) + bo, with the heads of the encoder (MoE layer of attention heads: Zhang et al.
 * 2022). Tokens of different windows never see each other. */
#include "moe/expert.h"

extern const struct expert_type expert_attention;

static int declare(const struct expert_shape *s, struct tensor_plan t[EXPERT_TENSORS])
{
	t[0] = (struct tensor_plan){"attention.in_proj_weight", 2, 3 * s->H, s->H, START_FAN_IN, s->H};
	t[1] = (struct tensor_plan){"attention.in_proj_bias", 1, 3 * s->H, 0, START_CONSTANT, 0};
	t[2] = (struct tensor_plan){"attention.out_proj.weight", 2, s->H, s->H, START_FAN_IN, s->H};
	t[3] = (struct tensor_plan){"attention.out_proj.bias", 1, s->H, 0, START_CONSTANT, 0};
	return 4;
}

static struct node *forward(struct tape *t, struct node *x, const struct weight w[EXPERT_TENSORS],
	const struct expert_shape *s, const struct expert_rows *rows)
{
	struct node *y = op_attention_within(t, x, w[0], w[1], rows->windows, rows->first, s->heads);
	return op_linear_passing(t, y, w[2], w[3], s->H);
}

const struct expert_type expert_attention = {.name = "attention",
	.help = "Self-attention among the tokens of a window that are given to the expert, o = "
		"Wo attention(x) + bo, with as many heads as the encoder (mixture of attention "
		"heads: Zhang et al. 2022). Tokens of different windows do not see each other.",
	.windows = true,
	.declare = declare,
	.forward = forward};
