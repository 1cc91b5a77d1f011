/* ffn: W2 dropout(act(W1 x + b1)) + b2 */
#include "moe/expert.h"

extern const struct expert_type expert_ffn;

static void declare(const struct expert_shape *s, struct tensor_plan t[EXPERT_TENSORS])
{
	t[0] = (struct tensor_plan){"linear1.weight", 2, s->F, s->H, START_FAN_IN, s->H};
	t[1] = (struct tensor_plan){"linear1.bias", 1, s->F, 0, START_FAN_IN, s->H};
	t[2] = (struct tensor_plan){"linear2.weight", 2, s->H, s->F, START_FAN_IN, s->F};
	t[3] = (struct tensor_plan){"linear2.bias", 1, s->H, 0, START_FAN_IN, s->F};
}

static struct node *forward(
	struct tape *t, struct node *x, const struct weight w[EXPERT_TENSORS], const struct expert_shape *s)
{
	return op_feedforward(t, x, w[0], w[1], w[2], w[3], s->F, s->activation);
}

const struct expert_type expert_ffn = {"ffn", 4, declare, forward};
