#include "model/encoder.h"

#include "base/rng.h"

static struct node *attend(const struct model *m, const struct layer_params *l, struct tape *t,
	struct node *x, int B, const struct gradient_view *v)
{
	int H = m->config.encoder.hidden_dim;
	struct node *y =
		op_attention(t, x, at(v, l->in_weight), at(v, l->in_bias), B, m->config.encoder.heads);
	return op_linear_passing(t, y, at(v, l->out_weight), at(v, l->out_bias), H);
}

static void part_at(
	const struct gradient_view *v, const struct layer_part *p, struct weight w[EXPERT_TENSORS])
{
	for (int i = 0; i < p->tensors; i++)
		w[i] = at(v, p->tensor[i]);
}

static struct node *mix(const struct model *m, const struct layer_params *l, struct tape *t, struct node *x,
	int B, const struct gradient_view *v)
{
	const struct region_params *r = &m->region[l->region];
	int N = x->rows / B; /* fewer than r->N in partial windows */
	struct tensor_plan plan[ROUTER_TENSORS];
	struct weight router[ROUTER_TENSORS], expert[EXPERT_KINDS][EXPERT_TENSORS], shared[EXPERT_TENSORS],
		residual[EXPERT_TENSORS];
	struct moe_layer moe_layer = {.router = m->router,
		.route = model_router_shape(m, l->region, l->index),
		.shape = model_expert_shape(m),
		.capacity = model_capacity(m, t->gradients),
		.parts = l->parts,
		.N = N,
		.globals = m->config.bridge.tokens,
		.unit = r->unit,
		.router_weight = router,
		.shared = {l->shared.type, 0, l->shared.count, shared},
		.residual = l->residual.type,
		.residual_weight = residual,
		.scope = v->scope,
		.ordered_sum = v->ordered_sum && l->parts && v->place[l->part[0].tensor[0]] == IN_ORDER
				       ? &v->ordered_sum[l->index]
				       : NULL,
		.announces = v->announces,
		.ablation = v->ablation ? v->ablation[l->index] : NULL};
	int at_layer = l->index;
	int n = m->router->declare(&moe_layer.route, plan);
	for (int i = 0; i < n; i++)
		router[i] = at(v, l->router[i]);
	for (int i = 0; i < l->parts; i++) {
		part_at(v, &l->part[i], expert[i]);
		moe_layer.part[i] =
			(struct expert_part){l->part[i].type, l->part[i].first, l->part[i].count, expert[i]};
	}
	part_at(v, &l->shared, shared);
	part_at(v, &l->residual, residual);
	if (moe_layer.residual)
		moe_layer.coefficient = at(v, l->coefficient);
	moe_layer.route.training = t->gradients;
	if (N < r->N)
		moe_layer.route.N = r->unit ? r->unit[N - 1] + 1 : N;
	moe_layer.route.pool = moe_layer.route.N;
	if (t->gradients && m->config.moe.scope == SCOPE_BATCH)
		moe_layer.route.pool *= B;
	moe_layer.route.condition = v->condition;
	if (l->capacity >= 0)
		moe_layer.capacity.each = at(v, l->capacity).x;
	if (l->balance >= 0)
		moe_layer.route.balance = at(v, l->balance).x;
	if (t->gradients)
		moe_layer.dropout = (struct expert_dropout){m->config.moe.expert_dropout,
			rng_stream(v->batch_key, "dropout", (uint64_t)at_layer, 0).key};
	moe_layer.route.key = rng_stream(v->key, "router", (uint64_t)at_layer, 0).key;
	return moe_layer_forward(t, x, &moe_layer, v->balance ? &v->balance[at_layer] : NULL,
		v->slope ? &v->slope[at_layer] : NULL, v->chosen ? &v->chosen[at_layer] : NULL);
}

static struct node *feed(const struct model *m, const struct layer_params *l, struct tape *t, struct node *x,
	int B, const struct gradient_view *v)
{
	struct expert_shape shape = model_dense_shape(m);
	struct weight w[EXPERT_TENSORS];
	if (l->moe_layer)
		return mix(m, l, t, x, B, v);
	part_at(v, &l->part[0], w);
	return l->part[0].type->forward(t, x, w, &shape, NULL);
}

/* post: x = norm(x + f(x));  pre: x = x + f(norm(x)) */
static struct node *layer(const struct model *m, const struct layer_params *l, struct tape *t, struct node *x,
	int B, const struct gradient_view *v)
{
	struct weight w1 = at(v, l->norm1_weight), b1 = at(v, l->norm1_bias), w2 = at(v, l->norm2_weight),
		      b2 = at(v, l->norm2_bias);
	if (m->config.encoder.norm == NORM_POST) {
		x = op_norm(t, x, attend(m, l, t, x, B, v), w1, b1);
		return op_norm(t, x, feed(m, l, t, x, B, v), w2, b2);
	}
	x = op_residual(t, x, attend(m, l, t, op_norm(t, x, NULL, w1, b1), B, v));
	return op_residual(t, x, feed(m, l, t, op_norm(t, x, NULL, w2, b2), B, v));
}

/* A layer whose activations are recomputed in backward (activation checkpoint). */
struct recomputed_layer {
	const struct model *m;
	const struct layer_params *l;
	int B;
	struct gradient_view view;
};

static struct node *recomputed(struct tape *t, struct node *x, const void *context, bool recomputing)
{
	const struct recomputed_layer *a = context;
	struct gradient_view v = a->view;
	if (recomputing) /* counted already */
		v.balance = NULL;
	return layer(a->m, a->l, t, x, a->B, &v);
}

static struct node *layer_of(const struct model *m, const struct layer_params *l, struct tape *t,
	struct node *x, int B, const struct gradient_view *v)
{
	if (!t->gradients || m->config.train.recompute == RECOMPUTE_NONE)
		return layer(m, l, t, x, B, v);
	struct recomputed_layer *a = tape_take(t, sizeof *a);
	*a = (struct recomputed_layer){m, l, B, *v};
	return op_checkpoint(t, x, recomputed, a);
}

bool encoder_couples(const struct model *m)
{
	return m->config.bridge.tokens && m->config.bridge.sync == SYNC_LAYER && m->layout.regions > 1 &&
	       m->config.bridge.sync_every < m->config.encoder.layers;
}

/* Projected features with the global tokens in front and positions on top. */
static struct node *embed(const struct model *m, const struct region_params *r, struct tape *t,
	struct node *features, int B, const struct gradient_view *v)
{
	int G = m->config.bridge.tokens;
	struct weight global = {0}, position = {m->sinusoid, NULL};
	if (G) {
		global = at(v, m->token);
		global.g = v->token;
	}
	if (r->position >= 0)
		position = at(v, r->position);
	int H = m->config.encoder.hidden_dim;
	struct weight W = at(v, r->projection_weight), b = at(v, r->projection_bias);
	struct node *x = r->kinds > 1 ? op_linear_kinds(t, features, W, b, H, r->kinds)
				      : op_linear_passing(t, features, W, b, H);
	return op_embed(t, x, global, position, B, G);
}

/* Each global token becomes, in every region, its mean over the regions. */
static void exchange(const struct model *m, struct tape *t, struct node **x, int B)
{
	int K = m->layout.regions, G = m->config.bridge.tokens;
	struct node **token = tape_take(t, (size_t)K * sizeof *token);
	for (int k = 0; k < K; k++)
		token[k] = op_first_rows(t, x[k], B, G);
	struct node *mean = op_mean_of(t, token, K);
	for (int k = 0; k < K; k++)
		x[k] = op_replace_rows(t, x[k], mean, B);
}

static void conclude(const struct model *m, const struct region_params *r, struct tape *t, struct node *x,
	int B, const struct gradient_view *v, struct node **summary, struct node **token, struct node **local)
{
	int G = m->config.bridge.tokens;
	*summary = r->pool_query < 0 ? op_mean_rows(t, x, B, G)
				     : op_attention_pool(t, x, at(v, r->pool_query), B, G);
	*token = NULL;
	if (G == 1)
		*token = op_first_rows(t, x, B, 1);
	else if (G)
		*token = op_mean_rows(t, op_first_rows(t, x, B, G), B, 0);
	if (local)
		*local = op_rows_from(t, x, B, G);
}

/* The i-th region's share of what a view has by region and layer. */
static struct gradient_view of_region(const struct model *m, const struct gradient_view *v, int i)
{
	struct gradient_view own = *v;
	int layers = i * m->config.encoder.layers;
	own.ordered_sum = v->ordered_sum ? v->ordered_sum + layers : NULL;
	own.balance = v->balance ? v->balance + layers : NULL;
	own.slope = v->slope ? v->slope + layers : NULL;
	own.chosen = v->chosen ? v->chosen + layers : NULL;
	own.ablation = v->ablation ? v->ablation + layers : NULL;
	if (i) {
		own.key = rng_stream(v->key, "region", (uint64_t)i, 0).key;
		own.batch_key = rng_stream(v->batch_key, "region", (uint64_t)i, 0).key;
	}
	return own;
}

void encoder_forward(const struct model *m, int k, int regions, struct tape *t, struct node *const *features,
	int B, const struct gradient_view *v, struct node **summary, struct node **token, struct node **local)
{
	int L = m->config.encoder.layers;
	bool couples = encoder_couples(m);
	struct node **x = tape_take(t, (size_t)regions * sizeof *x);
	for (int i = 0; i < regions; i++)
		x[i] = embed(m, &m->region[k + i], t, features[i], B, v);
	for (int l = 0; l < L; l++) {
		for (int i = 0; i < regions; i++) {
			struct gradient_view own = of_region(m, v, i);
			x[i] = layer_of(m, &m->region[k + i].layer[l], t, x[i], B, &own);
		}
		if (couples && l < L - 1 && (l + 1) % m->config.bridge.sync_every == 0)
			exchange(m, t, x, B);
	}
	for (int i = 0; i < regions; i++)
		conclude(m, &m->region[k + i], t, x[i], B, v, &summary[i], &token[i],
			local ? &local[i] : NULL);
}
