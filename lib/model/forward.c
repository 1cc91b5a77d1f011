#include "model/forward_parts.h"

#include "base/error.h"
#include "base/mem.h"
#include "base/profile.h"
#include "base/rng.h"
#include "tensor/gemm.h"

#include <stdlib.h>
#include <string.h>

int forward_layers_of_part(const struct forward *f)
{
	return f->together * f->m->config.encoder.layers;
}

int forward_part_tokens(const struct forward *f)
{
	int most = 0;
	for (int part = 0; part < f->parts; part++) {
		int sum = 0;
		for (int k = part * f->together; k < (part + 1) * f->together; k++)
			sum += f->m->region[k].N;
		most = sum > most ? sum : most;
	}
	return most;
}

const int *forward_condition(const struct forward *f, int from)
{
	return f->source->condition ? f->source->condition + f->first + from : NULL;
}

struct forward *forward_new(const struct model *m, struct pool *pool)
{
	struct forward *f = NEW(struct forward);
	int threads = pool_threads(pool);
	gemm_single_thread(threads);
	f->m = m;
	f->pool = pool;
	f->together = encoder_couples(m) ? m->layout.regions : 1;
	f->parts = m->layout.regions / f->together;
	f->gradients = NEW_ARRAY(struct arena *, threads);
	f->workspace = NEW_ARRAY(struct workspace, threads);
	f->evaluating = NEW_ARRAY(struct tape *, threads);
	for (int i = 0; i < threads; i++) {
		f->gradients[i] = arena_new();
		f->workspace[i] = workspace_new();
		f->evaluating[i] = tape_new(false);
		tape_lend(f->evaluating[i], &f->workspace[i]);
	}
	if (m->moe_layers) {
		int n = m->layout.regions * m->config.encoder.layers;
		f->balance = NEW_ARRAY(struct balance, n);
		f->slope = NEW_ARRAY(struct balance_slope, n);
		for (int i = 0; i < n; i++) {
			int layers = m->config.encoder.layers;
			struct router_shape s = model_router_shape(m, i / layers, i % layers);
			f->balance[i] = balance_new(&s);
		}
	}
	f->joint = tape_new(false);
	tape_lend(f->joint, &f->workspace[0]); /* nothing else runs meanwhile */
	return f;
}

void forward_free(struct forward *f)
{
	if (!f)
		return;
	for (int i = 0; i < pool_threads(f->pool); i++) {
		tape_free(f->evaluating[i]);
		workspace_free(&f->workspace[i]);
		arena_free(f->gradients[i]);
	}
	for (int i = 0; i < f->room; i++) {
		tape_free(f->chunk[i].tape);
		for (int l = 0; l < forward_layers_of_part(f) && f->chunk[i].balance; l++)
			balance_free(&f->chunk[i].balance[l]);
		free(f->chunk[i].balance);
		free(f->chunk[i].ordered_sum);
	}
	for (int i = 0; f->balance && i < f->parts * forward_layers_of_part(f); i++) {
		balance_free(&f->balance[i]);
		balance_slope_free(&f->slope[i]);
	}
	free(f->balance);
	free(f->slope);
	free(f->scope);
	tape_free(f->joint);
	free(f->gradients);
	free(f->workspace);
	free(f->evaluating);
	free(f->chunk);
	free(f->shard);
	free(f->place);
	free(f->count);
	free(f->summary);
	free(f->linear_prior);
	free(f->token);
	for (int k = 0; f->first_row && k < f->m->layout.regions; k++)
		free(f->first_row[k]);
	free(f->first_row);
	free(f->local_at);
	free(f->local);
	free(f->target);
	free(f);
}

void forward_room_for_outputs(struct forward *f, int B)
{
	size_t need = (size_t)f->m->layout.regions * (size_t)B * (size_t)f->m->config.encoder.hidden_dim;
	if (need > f->out_room) {
		f->out_room = need;
		GROW(f->summary, need);
		GROW(f->token, need);
	}
	need = (size_t)f->m->layout.regions * (size_t)B * (size_t)f->m->layout.classes.n;
	if (f->m->prior_bias >= 0 && need > f->prior_room) {
		f->prior_room = need;
		GROW(f->linear_prior, need);
	}
}

/* Tokens of region k of a window of the group, without the global ones */
static int tokens_of(const struct forward *f, int k, int b)
{
	const struct model *m = f->m;
	if (!f->source->samples)
		return m->region[k].n;
	int n = model_tokens(m, k, f->source->samples(f->source->context, f->first + b));
	must(n > 0 && n <= m->region[k].n);
	return n;
}

void forward_count_tokens(struct forward *f)
{
	size_t rows = 0, K = (size_t)f->m->layout.regions;
	if (!f->m->head->tokens)
		return;
	if (!f->first_row) {
		f->first_row = NEW_ARRAY(int *, K);
		f->local_at = NEW_ARRAY(size_t, K);
	}
	for (int k = 0; k < (int)K; k++) {
		GROW(f->first_row[k], f->B + 1);
		f->first_row[k][0] = 0;
		for (int b = 0; b < f->B; b++)
			f->first_row[k][b + 1] = f->first_row[k][b] + tokens_of(f, k, b);
		f->local_at[k] = rows;
		rows += (size_t)f->first_row[k][f->B];
	}
	size_t need = rows * (size_t)f->m->config.encoder.hidden_dim;
	if (need > f->local_room) {
		f->local_room = need;
		GROW(f->local, need);
	}
}

static bool same_tokens(const struct forward *f, int part, int a, int b)
{
	for (int k = part * f->together; k < (part + 1) * f->together; k++)
		if (tokens_of(f, k, a) != tokens_of(f, k, b))
			return false;
	return true;
}

int forward_alike(const struct forward *f, int part, int from, int most)
{
	int same = 1;
	while (same < most && same_tokens(f, part, from, from + same))
		same++;
	return same;
}

static const real *subject_mean_of(const struct forward *f, int b, int k)
{
	const struct window_source *s = f->source;
	return s->subject_mean ? s->subject_mean(s->context, f->first + b, k) : NULL;
}

/* out [n][D]: standardised features of window b of the group */
static void make_tokens(struct forward *f, struct tape *t, int k, int b, int n, real *out)
{
	const struct model *m = f->m;
	const struct region *r = &m->layout.region[k];
	const struct region_params *p = &m->region[k];
	int T = p->length;
	size_t D = (size_t)p->D;
	if (f->source->tokens && f->source->tokens(f->source->context, f->first + b, k, out))
		return;
	real *x = scratch_reals(t, (size_t)T * (size_t)r->width), *all = out;
	if (n < p->n)
		all = scratch_reals(t, (size_t)p->n * D);
	f->source->fill(f->source->context, f->first + b, k, x);
	tokeniser_features(p->tokeniser, &m->config, p->prepared, model_token_scale(m, k), x, T, p->rate, r,
		all, t->scratch);
	if (all != out)
		memcpy(out, all, (size_t)n * D * sizeof *out);
	scratch_done(t);
	model_standardise(m, k, n, subject_mean_of(f, b, k), out);
}

/* What the standardised features x [n][D] of window b say: e_c = sum over kinds and features of E_c
 * x, over the mean of the tokens of a kind; and region k's share of the bias, as the gate's weights
 * of K regions sum to 1. A region without a prior says nothing but that. */
static void add_linear_prior(struct forward *f, int k, int b, int n, const real *x)
{
	const struct model *m = f->m;
	const struct region_params *r = &m->region[k];
	int classes = m->layout.classes.n, K = m->layout.regions;
	size_t D = (size_t)r->D, kinds = (size_t)r->kinds;
	real *out = f->linear_prior + ((size_t)k * (size_t)f->B + (size_t)b) * (size_t)classes;
	const real *known =
		f->source->linear_prior ? f->source->linear_prior(f->source->context, f->first + b, k) : NULL;
	const real *E = r->linear_prior < 0 ? NULL : m->params.x + m->params.list[r->linear_prior].offset,
		   *bias = m->params.x + m->params.list[m->prior_bias].offset;
	for (int c = 0; c < classes; c++) {
		double sum = 0;
		for (size_t i = 0; i < (size_t)n && E && !known; i++) {
			const real *e = E + ((size_t)c * kinds + i % kinds) * D;
			real dot = 0;
			for (size_t j = 0; j < D; j++)
				dot += e[j] * x[i * D + j];
			sum += (double)dot / (double)tokeniser_rows_alike(n, r->kinds, (int)i);
		}
		out[c] = (known ? known[c] : (real)sum) + bias[c] / (real)K;
	}
}

/* x [n] *= a mask of its own */
static void drop_inputs(struct tape *t, int k, int b, size_t n, real p, real *x)
{
	struct rng r = rng_stream(t->dropout.key, "inputs", (uint64_t)k, (uint64_t)b);
	real *mask = scratch_reals(t, n);
	dropout_mask(mask, (int)n, (uint32_t)rng_next(&r), 0, p);
	for (size_t i = 0; i < n; i++)
		x[i] *= mask[i];
	scratch_done(t);
}

static bool drops_inputs(const struct forward *f, const struct tape *t)
{
	return t->gradients && f->m->config.encoder.input_dropout > 0;
}

/* Tokens of windows from .. from+count-1 of region k by filters that are learned; it is samples
 * that are dropped. */
static struct node *learn_tokens(
	struct forward *f, struct tape *t, int k, int from, int count, const struct gradient_view *view)
{
	const struct model *m = f->m;
	const struct region *r = &m->layout.region[k];
	const struct region_params *p = &m->region[k];
	int T = p->length;
	size_t each = (size_t)T * (size_t)r->width;
	real *x = tape_reals(t, (size_t)count * each);
	struct weight w[TOKEN_TENSORS];
	for (int i = 0; i < p->tensors; i++)
		w[i] = at(view, p->tensor[i]);
	for (int i = 0; i < count; i++) {
		PROFILE_OPERATION("windows and tokens");
		real *to = x + (size_t)i * each;
		f->source->fill(f->source->context, f->first + from + i, k, to);
		if (drops_inputs(f, t))
			drop_inputs(t, k, from + i, each, (real)m->config.encoder.input_dropout, to);
		if (m->prior)
			add_linear_prior(f, k, from + i, 0, NULL);
	}
	return p->tokeniser->learned(&m->config, t, x, count, T, p->rate, r, tokens_of(f, k, from), w);
}

/* Tokens of windows from .. from+count-1 of region k */
static struct node *tokenise(
	struct forward *f, struct tape *t, int k, int from, int count, const struct gradient_view *view)
{
	const struct model *m = f->m;
	if (m->region[k].tokeniser->learned)
		return learn_tokens(f, t, k, from, count, view);
	int D = m->region[k].D, n = tokens_of(f, k, from);
	size_t each = (size_t)n * (size_t)D;
	real *features = tape_reals(t, (size_t)count * each);
	for (int i = 0; i < count; i++) {
		PROFILE_OPERATION("windows and tokens");
		real *to = features + (size_t)i * each;
		make_tokens(f, t, k, from + i, n, to);
		if (m->prior)
			add_linear_prior(f, k, from + i, n, to);
		if (drops_inputs(f, t))
			drop_inputs(t, k, from + i, each, (real)m->config.encoder.input_dropout, to);
	}
	return op_input(t, features, count * n, D);
}

/* Rows [..][H] of the local tokens of region k from window b on */
static real *local_at(const struct forward *f, int k, int b)
{
	size_t row = f->local_at[k] + (size_t)f->first_row[k][b];
	return f->local + row * (size_t)f->m->config.encoder.hidden_dim;
}

static void copy_out(const struct forward *f, real *to, int k, int from, const struct node *y)
{
	size_t H = (size_t)f->m->config.encoder.hidden_dim;
	memcpy(to + ((size_t)k * (size_t)f->B + (size_t)from) * H, y->x, (size_t)y->rows * H * sizeof(real));
}

struct encoded forward_encode(
	struct forward *f, struct tape *t, int part, int from, int count, const struct gradient_view *view)
{
	int k = part * f->together;
	size_t room = (size_t)f->together * sizeof(struct node *);
	struct node **features = tape_take(t, room);
	struct encoded out = {from, count, tape_take(t, room), tape_take(t, room),
		f->m->head->tokens ? tape_take(t, room) : NULL};
	for (int i = 0; i < f->together; i++)
		features[i] = tokenise(f, t, k + i, from, count, view);
	encoder_forward(f->m, k, f->together, t, features, count, view, out.summary, out.token, out.local);
	for (int i = 0; i < f->together; i++) {
		copy_out(f, f->summary, k + i, from, out.summary[i]);
		if (out.token[i])
			copy_out(f, f->token, k + i, from, out.token[i]);
		if (out.local)
			memcpy(local_at(f, k + i, from), out.local[i]->x,
				(size_t)out.local[i]->rows * (size_t)out.local[i]->cols * sizeof(real));
	}
	return out;
}

static void evaluate_one(void *context, int task, int worker)
{
	struct forward *f = context;
	struct tape *t = f->evaluating[worker];
	int b = task / f->parts, part = task % f->parts;
	struct gradient_view none = {
		.params = &f->m->params, .key = rng_stream(0, "evaluation", (uint64_t)part, 0).key};
	tape_reset(t);
	int layers = f->m->config.encoder.layers, all = forward_layers_of_part(f);
	none.condition = forward_condition(f, b);
	if (f->besides.ablation)
		none.ablation = f->besides.ablation + (size_t)part * (size_t)all;
	if (f->besides.chosen)
		none.chosen = tape_take(t, (size_t)all * sizeof *none.chosen);
	forward_encode(f, t, part, b, 1, &none);
	for (int i = 0; none.chosen && i < all; i++) {
		int k = part * f->together + i / layers, l = i % layers;
		if (f->m->region[k].layer[l].moe_layer)
			f->besides.chosen(f->besides.context, b, k, l, &none.chosen[i]);
	}
}

/* A leaf of the joint tape over x [rows][H], with a gradient of 0 where it has gradients. */
static struct node *joint_leaf(struct forward *f, const real *x, int rows)
{
	int H = f->m->config.encoder.hidden_dim;
	size_t n = (size_t)rows * (size_t)H;
	struct node *y = op_input(f->joint, x, rows, H);
	if (f->joint->gradients)
		y->g = memset(tape_reals(f->joint, n), 0, n * sizeof(real));
	return y;
}

struct joint_leaves forward_outputs(struct forward *f, int from, int count)
{
	int K = f->m->layout.regions, H = f->m->config.encoder.hidden_dim, **first = NULL;
	size_t room = (size_t)K * sizeof(struct node *);
	struct joint_leaves j = {tape_take(f->joint, room), tape_take(f->joint, room), NULL, {.B = count}};
	if (f->m->head->tokens) {
		j.local = tape_take(f->joint, room);
		first = tape_take(f->joint, room);
		for (int k = 0; k < K; k++) {
			first[k] = tape_take(f->joint, ((size_t)count + 1) * sizeof **first);
			for (int b = 0; b <= count; b++)
				first[k][b] = f->first_row[k][from + b] - f->first_row[k][from];
		}
	}
	for (int k = 0; k < K; k++) {
		size_t at = ((size_t)k * (size_t)f->B + (size_t)from) * (size_t)H;
		j.summary[k] = joint_leaf(f, f->summary + at, count);
		j.token[k] = joint_leaf(f, f->token + at, count);
		if (j.local)
			j.local[k] = joint_leaf(f, local_at(f, k, from), first[k][count]);
	}
	j.in.summary = j.summary;
	j.in.token = j.local;
	j.in.first = first;
	return j;
}

struct node **forward_prior_nodes(struct forward *f, int from, int count)
{
	int K = f->m->layout.regions, classes = f->m->layout.classes.n;
	if (f->m->prior_bias < 0)
		return NULL;
	struct node **e = tape_take(f->joint, (size_t)K * sizeof *e);
	for (int k = 0; k < K; k++) {
		size_t at = ((size_t)k * (size_t)f->B + (size_t)from) * (size_t)classes,
		       n = (size_t)count * (size_t)classes;
		e[k] = op_input(f->joint, f->linear_prior + at, count, classes);
		if (f->joint->gradients)
			e[k]->g = memset(tape_reals(f->joint, n), 0, n * sizeof(real));
	}
	return e;
}

void forward_besides(struct forward *f, const struct besides *b)
{
	f->besides = b ? *b : (struct besides){0};
}

void forward_evaluate(struct forward *f, int B, const struct window_source *source, real *out, real *gate)
{
	int K = f->m->layout.regions, outputs = head_outputs(f->m);
	struct gradient_view none = {.params = &f->m->params, .without = f->besides.without};
	forward_room_for_outputs(f, B);
	f->first = 0;
	f->B = B;
	f->source = source;
	forward_count_tokens(f);
	pool_run(f->pool, B * f->parts, evaluate_one, f);
	f->joint->gradients = false;
	for (int b = 0; b < B; b++) {
		tape_reset(f->joint);
		struct joint_leaves in = forward_outputs(f, b, 1);
		struct joint j = joint_forward(
			f->m, f->joint, &in.in, in.token, forward_prior_nodes(f, b, 1), &none, NULL);
		memcpy(out + (size_t)b * (size_t)outputs, j.head.out->x, (size_t)outputs * sizeof(real));
		memcpy(gate + (size_t)b * (size_t)K, j.gate->x, (size_t)K * sizeof(real));
	}
}

const struct balance *forward_balance(const struct forward *f)
{
	return f->balance;
}
