/* answers: a classifier of each region's own, whose probabilities the gate mixes.
 *   out = log sum_k w_k softmax(W_k s_k + b_k)          W_k [classes][H], b_k [classes] */
#include "model/head.h"

#include "base/mem.h"

#include <stdlib.h>

static void declare(struct model *m)
{
	for (int k = 0; k < m->layout.regions; k++) {
		char *prefix = mem_format("heads.%d", k);
		head_linear(m, prefix, m->layout.classes.n, m->config.encoder.hidden_dim);
		free(prefix);
	}
}

static struct head_output forward(
	const struct model *m, struct tape *t, const struct head_input *in, const struct gradient_view *v)
{
	int K = m->layout.regions;
	struct head_output y = {.own = tape_take(t, (size_t)K * sizeof *y.own)};
	for (int k = 0; k < K; k++)
		y.own[k] = op_linear(t, in->summary[k], at(v, m->head_tensor[2 * k]),
			at(v, m->head_tensor[2 * k + 1]), m->layout.classes.n);
	y.out = op_mix_answers(t, in->gate, y.own, K);
	return y;
}

const struct head_type head_answers = {.name = "answers",
	.help = "the probabilities of a classifier of each region's own are mixed",
	.classes = true,
	.own = true,
	.declare = declare,
	.forward = forward,
	.total = head_classes_total,
	.loss = head_classes_loss,
	.decode = head_classes_decode,
	.write = head_classes_write};
