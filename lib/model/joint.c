/* What joins the regions: the gate on the global token, the mixture and the answer. */
#include "model/encoder.h"

struct node *joint_forward(const struct model *m, struct tape *t, struct node *const *summary,
	struct node *const *token, int B, const struct gradient_view *v, struct node **gate)
{
	int K = m->layout.regions;
	if (m->gate_fc1_weight < 0) { /* one region, no gate */
		real *one = tape_reals(t, (size_t)B);
		for (int b = 0; b < B; b++)
			one[b] = 1;
		*gate = op_input(t, one, B, 1);
	} else {
		bool shared = m->config.bridge.tokens > 0 && m->config.bridge.sync != SYNC_NONE;
		struct node *g = op_mean_of(t, shared ? token : summary, K);
		int half = (int)m->params.list[m->gate_fc1_weight].shape[0];
		g = op_relu(t, op_linear(t, g, at(v, m->gate_fc1_weight), at(v, m->gate_fc1_bias), half));
		g = op_linear(t, g, at(v, m->gate_fc2_weight), at(v, m->gate_fc2_bias), K);
		*gate = op_softmax(t, g, (real)m->config.gate.temperature);
	}
	struct node *mixed = op_mix(t, *gate, summary, K);
	return op_linear(
		t, mixed, at(v, m->classifier_weight), at(v, m->classifier_bias), m->layout.classes.n);
}
