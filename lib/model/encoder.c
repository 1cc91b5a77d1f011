#include "model/encoder.h"

#include "base/rng.h"

#include <string.h>

static struct weight at(const struct gradient_view *v, int index)
{
	const struct param *p = &v->params->list[index];
	return (struct weight){
		v->params->x + p->offset, v->gradient ? v->gradient + (p->offset - v->base) : NULL};
}

static struct node *attend(const struct model *m, const struct layer_params *l, struct tape *t,
	struct node *x, int B, const struct gradient_view *v)
{
	int H = m->config.encoder.hidden_dim;
	struct node *y =
		op_attention(t, x, at(v, l->in_weight), at(v, l->in_bias), B, m->config.encoder.heads);
	return op_linear_passing(t, y, at(v, l->out_weight), at(v, l->out_bias), H);
}

static struct node *mix(const struct model *m, const struct layer_params *l, struct tape *t, struct node *x,
	const struct weight *experts, const struct gradient_view *v)
{
	struct tensor_plan plan[ROUTER_TENSORS];
	struct weight router[ROUTER_TENSORS], shared[EXPERT_TENSORS];
	struct mixture mixture = {m->router, m->feedforward, model_router_shape(m), model_expert_shape(m),
		m->config.moe.shared_experts, router, experts, shared};
	int at_layer = l->index;
	int n = m->router->declare(&mixture.route, plan);
	for (int i = 0; i < n; i++)
		router[i] = at(v, l->router[i]);
	for (int i = 0; i < m->feedforward->tensors && mixture.shared; i++)
		shared[i] = at(v, l->shared[i]);
	mixture.route.training = t->gradients;
	mixture.route.key = rng_stream(v->key, "router", (uint64_t)at_layer, 0).key;
	return mixture_forward(t, x, &mixture, v->balance ? &v->balance[at_layer] : NULL,
		v->slope ? &v->slope[at_layer] : NULL, v->chosen ? &v->chosen[at_layer] : NULL);
}

static struct node *feed(const struct model *m, const struct layer_params *l, struct tape *t, struct node *x,
	const struct gradient_view *v)
{
	struct expert_shape shape = model_expert_shape(m);
	struct weight w[EXPERT_TENSORS];
	for (int i = 0; i < m->feedforward->tensors; i++)
		w[i] = at(v, l->expert[i]);
	return l->mixture ? mix(m, l, t, x, w, v) : m->feedforward->forward(t, x, w, &shape);
}

/* post: x = norm(x + f(x));  pre: x = x + f(norm(x)) */
static struct node *layer(const struct model *m, const struct layer_params *l, struct tape *t, struct node *x,
	int B, const struct gradient_view *v)
{
	struct weight w1 = at(v, l->norm1_weight), b1 = at(v, l->norm1_bias), w2 = at(v, l->norm2_weight),
		      b2 = at(v, l->norm2_bias);
	if (m->config.encoder.norm == NORM_POST) {
		x = op_norm(t, x, attend(m, l, t, x, B, v), w1, b1);
		return op_norm(t, x, feed(m, l, t, x, v), w2, b2);
	}
	x = op_residual(t, x, attend(m, l, t, op_norm(t, x, NULL, w1, b1), B, v));
	return op_residual(t, x, feed(m, l, t, op_norm(t, x, NULL, w2, b2), v));
}

void encoder_forward(const struct model *m, int k, struct tape *t, struct node *features, int B,
	const struct gradient_view *v, struct node **summary, struct node **token)
{
	const struct region_params *r = &m->region[k];
	int G = m->config.bridge.tokens;
	struct weight global = {0}, position = {m->sinusoid, NULL};
	if (G) {
		global = at(v, m->token);
		global.g = v->token;
	}
	if (r->position >= 0)
		position = at(v, r->position);
	struct node *x = op_linear_passing(t, features, at(v, r->projection_weight),
		at(v, r->projection_bias), m->config.encoder.hidden_dim);
	x = op_embed(t, x, global, position, B, G);
	for (int l = 0; l < m->config.encoder.layers; l++)
		x = layer(m, &r->layer[l], t, x, B, v);
	*summary = op_mean_rows(t, x, B, G);
	*token = NULL;
	if (G == 1)
		*token = op_first_rows(t, x, B, 1);
	else if (G)
		*token = op_mean_rows(t, op_first_rows(t, x, B, G), B, 0);
}

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
