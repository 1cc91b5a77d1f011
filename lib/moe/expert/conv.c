/* conv: a depth-wise convolution over time, then two point-wise maps, W2 dropout(act(W1 (d * x) +
 * b1)) + b2: the block of Liu et al. 2022 ("A ConvNet for the 2020s") without its norm. The
 * convolution runs over the tokens of a window that are given to the expert, each at its place in
 * time; where it meets none it reads 0, as it does beyond the window's ends. */
#include "moe/expert.h"

extern const struct expert_type expert_conv;

static int declare(const struct expert_shape *s, struct tensor_plan t[EXPERT_TENSORS])
{
	t[0] = (struct tensor_plan){"conv.depthwise.weight", 2, s->H, s->kernel, START_FAN_IN, s->kernel};
	t[1] = (struct tensor_plan){"conv.depthwise.bias", 1, s->H, 0, START_FAN_IN, s->kernel};
	t[2] = (struct tensor_plan){"conv.pointwise1.weight", 2, s->F, s->H, START_FAN_IN, s->H};
	t[3] = (struct tensor_plan){"conv.pointwise1.bias", 1, s->F, 0, START_FAN_IN, s->H};
	t[4] = (struct tensor_plan){"conv.pointwise2.weight", 2, s->H, s->F, START_FAN_IN, s->F};
	t[5] = (struct tensor_plan){"conv.pointwise2.bias", 1, s->H, 0, START_FAN_IN, s->F};
	return 6;
}

static struct node *forward(struct tape *t, struct node *x, const struct weight w[EXPERT_TENSORS],
	const struct expert_shape *s, const struct expert_rows *rows)
{
	struct node *y = op_depthwise(t, x, w[0], w[1], s->kernel, rows->windows, rows->first, rows->place);
	return op_feedforward(t, y, w[2], w[3], w[4], w[5], s->F, s->activation);
}

const struct expert_type expert_conv = {.name = "conv",
	.help = "A depth-wise convolution d over time, then two point-wise maps, W2 "
		"dropout(act(W1 (d * x) + b1)) + b2: the block of Liu et al. 2022 (\"A ConvNet "
		"for the 2020s\") without its norm. It runs over the tokens of a window that "
		"are given to the expert, each at its place in time; tokens that are elsewhere,"
		" or beyond the ends of the window, count as 0.",
	.keys = "moe.kernel",
	.hidden = true,
	.windows = true,
	.neighbours = true,
	.declare = declare,
	.forward = forward};
