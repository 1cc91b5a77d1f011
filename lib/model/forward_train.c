/* One training step: forward and backward over the groups of a batch, and its losses. */
#include "model/forward_parts.h"
#include "moe/rebalance.h"

#include "base/error.h"
#include "base/mem.h"
#include "base/profile.h"
#include "base/rng.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>

enum {
	CHUNK_TOKENS =
		256, /* a chunk holds windows of about so many tokens: enough rows for a matrix product to be fast */
	LANES_IN_ALL = 16,   /* parts x lanes: how many threads find work in backward */
	COUPLED_LANES = 8,   /* fewer when all regions are one part: a lane has room for all gradients */
	TASKS_AT_LEAST = 4,  /* a batch gives work to so many threads, though larger chunks would be faster */
	CHUNKS_OF_A_LANE = 2 /* of one group: what a group's forward keeps for its backward takes memory */
};

/* Where a part's tensors begin in the slab, and how many numbers they are: its regions lie one after the other. */
static size_t part_from(const struct forward *f, int part)
{
	return f->m->region[part * f->together].from;
}

static size_t part_count(const struct forward *f, int part)
{
	const struct region_params *last = &f->m->region[(part + 1) * f->together - 1];
	return last->from + last->count - part_from(f, part);
}

/* A lane's buffer: the part's tensors, then the global token's. */
static size_t lane_size(const struct forward *f, int part)
{
	const struct model *m = f->m;
	return part_count(f, part) + (m->token >= 0 ? m->params.list[m->token].count : 0);
}

static real *lane_of(const struct forward *f, int part, int lane)
{
	real *p = f->lane;
	for (int i = 0; i < part; i++)
		p += (size_t)f->lanes * lane_size(f, i);
	return p + (size_t)lane * lane_size(f, part);
}

static struct gradient_view lane_view(const struct forward *f, int part, int lane)
{
	real *p = lane_of(f, part, lane);
	return (struct gradient_view){.params = &f->m->params,
		.gradient = p,
		.base = part_from(f, part),
		.token = p + part_count(f, part),
		.slope = f->slope ? f->slope + part * forward_layers_of_part(f) : NULL};
}

/* An expert sees a part of a chunk's tokens only: with many of them a chunk has more. */
static int chunk_tokens(const struct model *m)
{
	int most = 0;
	for (int l = 0; l < m->config.encoder.layers; l++)
		if (m->region[0].layer[l].mixture && config_experts(&m->config, l) > most)
			most = config_experts(&m->config, l);
	int share = most / (2 * config_chosen(&m->config));
	return CHUNK_TOKENS * (share > 1 ? share : 1);
}

/* Experts choose among the tokens of all windows of a batch: then these are one chunk. */
static bool chooses_by_batch(const struct model *m)
{
	return m->mixtures && m->config.moe.scope == SCOPE_BATCH;
}

/* How a batch of B windows is cut: chunks in lanes, lanes in groups. Returns the windows of a group. */
static int cut(struct forward *f, int B)
{
	int tokens = f->m->N * f->together; /* of a window, on one tape */
	int windows = chunk_tokens(f->m) / tokens,
	    most = (B * f->parts + TASKS_AT_LEAST - 1) / TASKS_AT_LEAST;
	windows = windows > most ? most : windows;
	windows = windows < 1 ? 1 : windows;
	windows = chooses_by_batch(f->m) ? B : windows;
	int chunks = (B + windows - 1) / windows;
	windows = (B + chunks - 1) / chunks; /* of equal size */
	f->lanes = LANES_IN_ALL / f->parts > 1 ? LANES_IN_ALL / f->parts : 1;
	if (f->together > 1 && f->lanes > COUPLED_LANES)
		f->lanes = COUPLED_LANES;
	if (f->lanes > chunks)
		f->lanes = chunks;
	f->windows = windows;
	size_t need = 0;
	for (int part = 0; part < f->parts; part++)
		need += (size_t)f->lanes * lane_size(f, part);
	if (need > f->lane_room) {
		f->lane_room = need;
		GROW(f->lane, need);
	}
	memset(f->lane, 0, need * sizeof(real));
	/* losses on mixtures and gate are about the whole batch: all of it goes forward before any of it goes backward */
	bool whole = f->m->mixtures || f->m->config.gate.load_balance_weight > 0;
	return whole ? B : f->lanes * CHUNKS_OF_A_LANE * windows;
}

static struct balance *balances(const struct forward *f)
{
	if (!f->m->mixtures)
		return NULL;
	struct balance *b = NEW_ARRAY(struct balance, forward_layers_of_part(f));
	for (int l = 0; l < forward_layers_of_part(f); l++) {
		struct router_shape s = model_router_shape(f->m, l % f->m->config.encoder.layers);
		b[l] = balance_new(&s);
		b[l].keep_lacks = config_balance(&f->m->config) == BALANCE_BY_QUANTILE;
	}
	return b;
}

static void make_chunks(struct forward *f)
{
	f->chunks = (f->B + f->windows - 1) / f->windows;
	if (f->parts * f->chunks > f->room) {
		int before = f->room;
		f->room = f->parts * f->chunks;
		GROW(f->chunk, f->room);
		for (int i = before; i < f->room; i++)
			f->chunk[i] = (struct chunk){.tape = tape_new(true), .balance = balances(f)};
	}
	for (int part = 0; part < f->parts; part++)
		for (int i = 0; i < f->chunks; i++) {
			struct chunk *c = &f->chunk[part * f->chunks + i];
			c->part = part;
			c->lane = (int)((long)i * f->lanes / f->chunks);
			atomic_store(&c->done, false);
			c->from = i * f->windows;
			c->count = f->B - c->from < f->windows ? f->B - c->from : f->windows;
		}
}

static void train_forward_chunk(void *context, int task, int worker)
{
	struct forward *f = context;
	struct chunk *c = &f->chunk[task];
	struct tape *t = c->tape;
	struct gradient_view view = lane_view(f, c->part, c->lane);
	view.balance = c->balance;
	view.batch_key = rng_stream(f->step->seed, "batch", f->step->number, (uint64_t)c->part).key;
	for (int l = 0; l < forward_layers_of_part(f) && c->balance; l++)
		balance_clear(&c->balance[l], f->scopes);
	tape_reset(t);
	tape_lend(t, &f->workspace[worker]);
	t->dropout.p = f->step->dropout;
	t->dropout.key = rng_stream(f->step->seed, "dropout", f->step->number,
		(uint64_t)c->part << 32 | (uint64_t)(f->first + c->from))
				 .key;
	c->encodings = 0;
	c->out = tape_take(t, (size_t)c->count * sizeof *c->out);
	for (int from = c->from, n; from < c->from + c->count; from += n) {
		n = forward_alike(f, from, c->from + c->count - from);
		view.condition = forward_condition(f, from);
		view.scope = f->scope ? f->scope + f->first + from : NULL;
		view.key = rng_stream(f->step->seed, "mixture", f->step->number,
			(uint64_t)c->part << 32 | (uint64_t)(f->first + from))
				   .key;
		c->out[c->encodings++] = forward_encode(f, t, c->part, from, n, &view);
	}
}

/* The joint half's gradients of what the encoders returned become those of the chunk's last nodes. */
static void hand_back(const struct forward *f, struct chunk *c)
{
	size_t H = (size_t)f->m->config.encoder.hidden_dim;
	for (int e = 0; e < c->encodings; e++) {
		const struct encoded *out = &c->out[e];
		size_t at = (size_t)out->from * H, n = (size_t)out->count * H * sizeof(real);
		for (int i = 0; i < f->together; i++) {
			int k = c->part * f->together + i;
			memcpy(out->summary[i]->g, f->d_summary[k]->g + at, n);
			if (out->token[i])
				memcpy(out->token[i]->g, f->d_token[k]->g + at, n);
		}
	}
}

/* Chunks are given out turn by turn, the first of every lane, then the second: all threads work to the end, and a lane's chunks
 * still add to it in order, each after the one before, which was given out long ago. */
static void train_backward_chunk(void *context, int task, int worker)
{
	struct forward *f = context;
	int lanes = f->parts * f->lanes, turn = task / lanes;
	int part = task % lanes / f->lanes, lane = task % f->lanes;
	int first = (lane * f->chunks + f->lanes - 1) / f->lanes, i = first + turn;
	if (i >= f->chunks || f->chunk[part * f->chunks + i].lane != lane)
		return;
	struct chunk *c = &f->chunk[part * f->chunks + i];
	while (turn && !atomic_load(&c[-1].done))
		sched_yield();
	tape_lend(c->tape, &f->workspace[worker]);
	tape_gradients(c->tape, f->gradients[worker]);
	hand_back(f, c);
	tape_backward(c->tape);
	arena_reset(f->gradients[worker]);
	atomic_store(&c->done, true);
}

/* gradient of region k = its part's lanes added in order */
static void reduce_region(void *context, int k, int worker)
{
	struct forward *f = ((void **)context)[0];
	const struct region_params *r = &f->m->region[k];
	int part = k / f->together;
	real *gradient = (real *)((void **)context)[1] + r->from;
	size_t n = r->count, at = r->from - part_from(f, part);
	PROFILE_OPERATION("adding up gradients");
	(void)worker;
	memcpy(gradient, lane_of(f, part, 0) + at, n * sizeof(real));
	for (int lane = 1; lane < f->lanes; lane++) {
		const real *p = lane_of(f, part, lane) + at;
		for (size_t i = 0; i < n; i++)
			gradient[i] += p[i];
	}
}

static void reduce(struct forward *f, real *gradient)
{
	const struct model *m = f->m;
	pool_run(f->pool, m->layout.regions, reduce_region, (void *[]){f, gradient});
	if (m->token < 0)
		return;
	const struct param *token = &m->params.list[m->token];
	for (int part = 0; part < f->parts; part++)
		for (int lane = 0; lane < f->lanes; lane++) {
			const real *p = lane_of(f, part, lane) + part_count(f, part);
			for (size_t i = 0; i < token->count; i++)
				gradient[token->offset + i] += p[i];
		}
}

/* Which scope of the balance losses each window of a batch counts for. */
static void number_scopes(struct forward *f, int B)
{
	const int how = f->m->config.moe.balance_scope, *group = f->step->group;
	f->scopes = 1;
	if (!f->m->mixtures || how == BALANCE_SCOPE_BATCH || how == BALANCE_SCOPE_RUNNING)
		return;
	must(how == BALANCE_SCOPE_WINDOW || group);
	GROW(f->scope, B);
	f->scopes = 0;
	for (int b = 0; b < B; b++) {
		int same = 0; /* the first window of the same group */
		while (how == BALANCE_SCOPE_GROUP && group[same] != group[b])
			same++;
		bool found = how == BALANCE_SCOPE_GROUP && same < b;
		f->scope[b] = found ? f->scope[same] : f->scopes++;
	}
}

/* The chunks' counts added up in order, and what the losses hand back. */
static void balance_batch(struct forward *f)
{
	const struct config *c = &f->m->config;
	int layers = forward_layers_of_part(f);
	f->aux = f->z = 0;
	for (int i = 0; i < f->parts * layers && f->balance; i++) {
		struct balance *b = &f->balance[i];
		const struct layer_params *l =
			&f->m->region[i / c->encoder.layers].layer[i % c->encoder.layers];
		balance_clear(b, f->scopes);
		b->running = l->running >= 0 ? f->m->params.x + f->m->params.list[l->running].offset : NULL;
		b->ema = c->moe.balance_ema;
		for (int j = 0; j < f->chunks; j++)
			balance_add(b, &f->chunk[i / layers * f->chunks + j].balance[i % layers]);
		f->aux += balance_loss(b, (enum balance_form)c->moe.load_balance_form);
		f->z += balance_z(b);
		balance_slopes(b, (enum balance_form)c->moe.load_balance_form, config_balance_weight(c),
			c->moe.z_loss_weight, &f->slope[i]);
	}
}

/* The noise on the gate's logits of this group's windows, or NULL. */
static const real *group_noise(struct forward *f)
{
	const struct model *m = f->m;
	if (!(m->config.gate.noise_std > 0))
		return NULL;
	real *noise = tape_reals(f->joint, (size_t)f->B * (size_t)m->layout.regions);
	gate_noise(m, f->step->seed, f->step->number, f->first, f->B, noise);
	return noise;
}

/* Windows f->first .. f->first + f->B - 1: adds to the lanes and to the gradient of gate and classifier; returns their share of
 * the task's loss. total = sum of the class weights of the whole batch. */
static double train_group(struct forward *f, double total, real *gradient)
{
	const struct model *m = f->m;
	const struct train_step *step = f->step;
	int K = m->layout.regions, classes = m->layout.classes.n;
	make_chunks(f);
	pool_run(f->pool, f->parts * f->chunks, train_forward_chunk, f);

	balance_batch(f);
	struct gradient_view whole = {.params = &m->params, .gradient = gradient};
	tape_reset(f->joint);
	struct node **s = tape_take(f->joint, (size_t)K * sizeof *s),
		    **g = tape_take(f->joint, (size_t)K * sizeof *g);
	forward_outputs(f, 0, f->B, s, g);
	struct joint j = joint_forward(m, f->joint, s, g, f->B, &whole, group_noise(f));
	struct node *loss = op_cross_entropy(
		f->joint, j.logits, step->label + f->first, step->class_weight, step->smoothing, total);
	tape_gradients(f->joint, f->joint->arena);
	loss->g[0] = 1;
	if (j.balance)
		j.balance->g[0] = (real)m->config.gate.load_balance_weight;
	tape_backward(f->joint);
	if (step->logits)
		memcpy(step->logits + (size_t)f->first * (size_t)classes, j.logits->x,
			(size_t)f->B * (size_t)classes * sizeof(real));
	f->gate_aux = j.balance ? (double)j.balance->x[0] : 0;

	f->d_summary = s;
	f->d_token = g;
	int turns = (f->chunks + f->lanes - 1) / f->lanes;
	pool_run(f->pool, f->parts * f->lanes * turns, train_backward_chunk, f);
	return (double)loss->x[0];
}

real forward_train(struct forward *f, int B, window_fill fill, void *context, const struct train_step *step,
	real *gradient)
{
	double loss = 0, total = 0;
	must(B > 0);
	int group = cut(f, B);
	forward_room_for_outputs(f, group);
	f->fill = fill;
	f->context = context;
	f->step = step;
	number_scopes(f, B);
	f->joint->gradients = true;
	memset(gradient, 0, f->m->params.count * sizeof(real));
	for (int b = 0; b < B; b++)
		total += step->class_weight ? (double)step->class_weight[step->label[b]] : 1;
	for (f->first = 0; f->first < B; f->first += group) {
		f->B = B - f->first < group ? B - f->first : group;
		loss += train_group(f, total, gradient);
	}
	reduce(f, gradient);
	if (step->losses)
		*step->losses = (struct losses){loss, f->aux + f->gate_aux, f->z};
	const struct config *c = &f->m->config;
	return (real)(loss + config_balance_weight(c) * f->aux + c->gate.load_balance_weight * f->gate_aux +
		      c->moe.z_loss_weight * f->z);
}

static void rebalance(
	const struct model *m, const struct layer_params *l, const struct balance *b, struct params *p)
{
	const struct config *c = &m->config;
	int min, max;
	model_capacity_bounds(m, &min, &max);
	if (l->capacity >= 0) {
		int64_t *sent = NEW_ARRAY(int64_t, b->experts);
		for (int e = 0; e < b->experts; e++)
			sent[e] = balance_sent(b, e);
		capacity_follow(c->moe.capacity_ema, min, max, sent, b->windows, b->experts,
			p->x + p->list[l->capacity].offset);
		free(sent);
	}
	if (l->running >= 0)
		balance_run(
			b, (enum balance_form)c->moe.load_balance_form, p->x + p->list[l->running].offset);
	if (l->balance >= 0 && config_balance(c) == BALANCE_BY_BIAS)
		rebalance_bias(b, c->moe.balance_rate, p->x + p->list[l->balance].offset);
	else if (l->balance >= 0)
		rebalance_quantile(b, p->x + p->list[l->balance].offset);
}

void forward_rebalance(const struct forward *f, struct params *p)
{
	int layers = f->m->config.encoder.layers;
	for (int i = 0; i < f->m->layout.regions * layers && f->balance; i++)
		rebalance(f->m, &f->m->region[i / layers].layer[i % layers], &f->balance[i], p);
}
