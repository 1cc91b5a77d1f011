/* What joins the regions: the gate, and the mixture of what they know (features) or of what they answer. */
#include "model/encoder.h"

#include "base/rng.h"

/* The gate's logits [B][K] from what all regions know together. */
static struct node *gate_logits(const struct model *m, struct tape *t, struct node *const *summary,
	struct node *const *token, const struct gradient_view *v)
{
	int K = m->layout.regions, hidden = (int)m->params.list[m->gate_fc1_weight].shape[0];
	bool shared = m->config.bridge.tokens > 0 && m->config.bridge.sync != SYNC_NONE;
	struct node *g = op_mean_of(t, shared ? token : summary, K);
	g = op_linear(t, g, at(v, m->gate_fc1_weight), at(v, m->gate_fc1_bias), hidden);
	if (m->gate_fc2_weight < 0)
		return g;
	return op_linear(t, op_relu(t, g), at(v, m->gate_fc2_weight), at(v, m->gate_fc2_bias), K);
}

/* Weights [B][K] and, in training, their balance loss, which knows neither noise nor selection. */
static void weigh(
	const struct model *m, struct tape *t, struct node *logits, const real *noise, struct joint *j)
{
	real temperature = (real)m->config.gate.temperature;
	int K = m->layout.regions, k = m->config.gate.top_k;
	if (t->gradients && m->config.gate.load_balance_weight > 0)
		j->balance = op_balance(t, op_softmax(t, logits, temperature));
	if (noise)
		logits = op_shift(t, logits, noise);
	j->gate = op_softmax_top(t, logits, temperature, k ? k : K);
}

/* [B][K] for the logits of a gate that some regions have no part in */
static const real *shut(struct tape *t, const bool *without, int B, int K)
{
	real *x = tape_reals(t, (size_t)B * (size_t)K);
	for (int i = 0; i < B * K; i++)
		x[i] = without[i % K] ? (real)-1e30 : 0;
	return x;
}

static void answer(const struct model *m, struct tape *t, struct node *const *summary,
	const struct gradient_view *v, struct joint *j)
{
	int K = m->layout.regions, classes = m->layout.classes.n;
	if (m->config.gate.combine == COMBINE_FEATURES) {
		j->logits = op_linear(t, op_mix(t, j->gate, summary, K), at(v, m->classifier_weight),
			at(v, m->classifier_bias), classes);
		return;
	}
	j->own = tape_take(t, (size_t)K * sizeof *j->own);
	for (int k = 0; k < K; k++)
		j->own[k] = op_linear(t, summary[k], at(v, m->region[k].head_weight),
			at(v, m->region[k].head_bias), classes);
	j->logits = op_mix_answers(t, j->gate, j->own, K);
}

struct joint joint_forward(const struct model *m, struct tape *t, struct node *const *summary,
	struct node *const *token, struct node *const *evidence, int B, const struct gradient_view *v,
	const real *noise)
{
	int K = m->layout.regions;
	struct joint j = {0};
	if (m->gate_fc1_weight < 0) { /* one region, no gate */
		real *one = tape_reals(t, (size_t)B);
		for (int b = 0; b < B; b++)
			one[b] = 1;
		j.gate = op_input(t, one, B, 1);
	} else {
		if (v->without)
			noise = shut(t, v->without, B, m->layout.regions);
		weigh(m, t, gate_logits(m, t, summary, token, v), noise, &j);
	}
	answer(m, t, summary, v, &j);
	if (evidence)
		j.logits = op_add(t, j.logits, op_scale(t, op_mix(t, j.gate, evidence, K), (real)K));
	return j;
}

void gate_noise(const struct model *m, uint64_t seed, uint64_t step, int first, int B, real *noise)
{
	int K = m->layout.regions;
	for (int b = 0; b < B; b++) {
		struct rng r = rng_stream(seed, "gate noise", step, (uint64_t)(first + b));
		for (int k = 0; k < K; k++)
			noise[b * K + k] = (real)(m->config.gate.noise_std * rng_normal(&r));
	}
}
