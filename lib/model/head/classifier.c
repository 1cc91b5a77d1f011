/* classifier: the regions' summaries mixed by the gate, then one linear map to the classes.
 *   out = W (sum_k w_k s_k) + b          W [classes][H], b [classes] */
#include "model/head.h"

static void declare(struct model *m)
{
	head_linear(m, "classifier", m->layout.classes.n, m->config.encoder.hidden_dim);
}

static struct head_output forward(
	const struct model *m, struct tape *t, const struct head_input *in, const struct gradient_view *v)
{
	struct node *mixed = op_mix(t, in->gate, in->summary, m->layout.regions);
	return (struct head_output){.out = op_linear(t, mixed, at(v, m->head_tensor[0]),
					    at(v, m->head_tensor[1]), m->layout.classes.n)};
}

const struct head_type head_classifier = {.name = "classifier",
	.help = "the regions' summaries are mixed before one classifier",
	.classes = true,
	.declare = declare,
	.forward = forward,
	.total = head_classes_total,
	.loss = head_classes_loss,
	.decode = head_classes_decode,
	.write = head_classes_write};
