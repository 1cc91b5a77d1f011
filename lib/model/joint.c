/* What joins the regions: the gate, behind it the head, and the linear prior of the classes. */
#include "model/head.h"

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

struct joint joint_forward(const struct model *m, struct tape *t, struct head_input *in,
	struct node *const *token, struct node *const *linear_prior, const struct gradient_view *v,
	const real *noise)
{
	int K = m->layout.regions, B = in->B;
	struct joint j = {0};
	if (m->gate_fc1_weight < 0) { /* one region, no gate */
		real *one = tape_reals(t, (size_t)B);
		for (int b = 0; b < B; b++)
			one[b] = 1;
		j.gate = op_input(t, one, B, 1);
	} else {
		if (v->without)
			noise = shut(t, v->without, B, m->layout.regions);
		weigh(m, t, gate_logits(m, t, in->summary, token, v), noise, &j);
	}
	in->gate = j.gate;
	j.head = m->head->forward(m, t, in, v);
	if (linear_prior)
		j.head.out = op_add(t, j.head.out, op_scale(t, op_mix(t, j.gate, linear_prior, K), (real)K));
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
