/* soft: w = softmax(logits / temperature), all experts (dense gating) */
#include "moe/router.h"

extern const struct router_type router_soft;

static struct node *forward(struct tape *t, struct node *logits, const struct router_shape *s)
{
	return op_softmax(t, logits, s->temperature);
}

const struct router_type router_soft = {"soft", forward};
