/* One training step: forward and backward over the groups of a batch, and its losses. */
#include "model/forward_parts.h"
#include "moe/rebalance.h"
#include "tensor/slab.h"

#include "base/error.h"
#include "base/mem.h"
#include "base/profile.h"
#include "base/rng.h"

#include <sched.h>
#include <string.h>

enum {
	CHUNK_TOKENS =
		256, /* a chunk holds windows of about so many tokens: enough rows for a matrix product to be fast */
	SHARDS_IN_ALL = 16, /* parts x shards: how many threads find work in backward */
	COUPLED_SHARDS = 8, /* fewer when all regions are one part: a shard has room for all gradients */
	TASKS_AT_LEAST = 4, /* a batch gives work to so many threads, though larger chunks would be faster */
	TASKS_OF_MANY = 2,  /* likewise with many experts, whose weights are read and added to once a chunk */
	CHUNKS_OF_A_SHARD = 2 /* of one group: what a group's forward keeps for its backward takes memory */
};

/* Whether chunks add to the experts' gradients of this layer in order, so that one buffer does for
 * all of them. Where there are fewer experts than shards, threads would wait for each other. */
static bool adds_in_order(const struct model *m, int layer)
{
	return m->region[0].layer[layer].moe_layer && config_experts(&m->config, layer) >= SHARDS_IN_ALL;
}

static void mark_ordered(struct forward *f, const struct layer_params *l)
{
	f->ordered = true;
	for (int i = 0; i < l->parts; i++)
		for (int j = 0; j < l->part[i].tensors; j++)
			f->place[l->part[i].tensor[j]] = IN_ORDER;
}

/* Where every region's tensor lies in the shards of its part, one after the other but for those
 * that are added to in order. */
static void find_places(struct forward *f)
{
	const struct model *m = f->m;
	f->place = NEW_ARRAY(size_t, m->params.n);
	f->count = NEW_ARRAY(size_t, f->parts);
	for (int k = 0; k < m->layout.regions; k++) {
		const struct region_params *r = &m->region[k];
		size_t *count = &f->count[k / f->together];
		for (int l = 0; l < m->config.encoder.layers; l++)
			if (adds_in_order(m, l))
				mark_ordered(f, &r->layer[l]);
		for (int i = 0; i < m->params.n; i++) {
			const struct param *p = &m->params.list[i];
			if (p->offset < r->from || p->offset >= r->from + r->count || f->place[i] == IN_ORDER)
				continue;
			f->place[i] = *count;
			*count += p->count;
		}
	}
}

/* A shard's buffer: the part's tensors, then the global token's. */
static size_t shard_size(const struct forward *f, int part)
{
	const struct model *m = f->m;
	return f->count[part] + (m->token >= 0 ? m->params.list[m->token].count : 0);
}

static real *shard_of(const struct forward *f, int part, int shard)
{
	real *p = f->shard;
	for (int i = 0; i < part; i++)
		p += (size_t)f->shards * shard_size(f, i);
	return p + (size_t)shard * shard_size(f, part);
}

static struct gradient_view shard_view(const struct forward *f, int part, int shard)
{
	real *p = shard_of(f, part, shard);
	return (struct gradient_view){.params = &f->m->params,
		.gradient = p,
		.place = f->place,
		.slab = f->gradient,
		.token = p + f->count[part],
		.slope = f->slope ? f->slope + part * forward_layers_of_part(f) : NULL};
}

static void clear_shard(void *context, int task, int worker)
{
	PROFILE_OPERATION("clearing gradients");
	const struct forward *f = context;
	int part = task / f->shards;
	(void)worker;
	memset(shard_of(f, part, task % f->shards), 0, shard_size(f, part) * sizeof(real));
}

/* An expert sees a part of a chunk's tokens only: with many of them a chunk has more. */
static int chunk_tokens(const struct model *m)
{
	int most = 0;
	for (int l = 0; l < m->config.encoder.layers; l++)
		if (m->region[0].layer[l].moe_layer && config_experts(&m->config, l) > most)
			most = config_experts(&m->config, l);
	int share = most / (2 * config_chosen(&m->config));
	return CHUNK_TOKENS * (share > 1 ? share : 1);
}

/* Experts choose among the tokens of all windows of a batch: then these are one chunk. */
static bool chooses_by_batch(const struct model *m)
{
	return m->moe_layers && m->config.moe.scope == SCOPE_BATCH;
}

/* How a batch of B windows is cut into chunks, and those into shards. Returns the numbers that all
 * shards have room for. */
size_t forward_shards(struct forward *f, int B)
{
	if (!f->place)
		find_places(f);
	int tokens = forward_part_tokens(f);
	int windows = chunk_tokens(f->m) / tokens, tasks = f->ordered ? TASKS_OF_MANY : TASKS_AT_LEAST,
	    most = (B * f->parts + tasks - 1) / tasks;
	windows = windows > most ? most : windows;
	windows = windows < 1 ? 1 : windows;
	windows = chooses_by_batch(f->m) ? B : windows;
	int chunks = (B + windows - 1) / windows;
	windows = (B + chunks - 1) / chunks; /* of equal size */
	f->shards = SHARDS_IN_ALL / f->parts > 1 ? SHARDS_IN_ALL / f->parts : 1;
	if (f->together > 1 && f->shards > COUPLED_SHARDS)
		f->shards = COUPLED_SHARDS;
	if (f->shards > chunks)
		f->shards = chunks;
	f->windows = windows;
	size_t need = 0;
	for (int part = 0; part < f->parts; part++)
		need += (size_t)f->shards * shard_size(f, part);
	return need;
}

/* Cuts a batch and makes room for its shards. Returns the windows of a group. */
static int cut(struct forward *f, int B)
{
	size_t need = forward_shards(f, B);
	if (need > f->shard_room) {
		f->shard_room = need;
		GROW(f->shard, need);
	}
	pool_run(f->pool, f->parts * f->shards, clear_shard, f);
	/* losses on MoE layers and gate are about the whole batch: all of it goes forward before
	 * any of it goes backward */
	bool whole = f->m->moe_layers || f->m->config.gate.load_balance_weight > 0;
	return whole ? B : f->shards * CHUNKS_OF_A_SHARD * f->windows;
}

static struct balance *balances(const struct forward *f)
{
	if (!f->m->moe_layers)
		return NULL;
	struct balance *b = NEW_ARRAY(struct balance, forward_layers_of_part(f));
	for (int l = 0; l < forward_layers_of_part(f); l++) {
		struct router_shape s = model_router_shape(f->m, 0, l % f->m->config.encoder.layers);
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
			f->chunk[i] = (struct chunk){.tape = tape_new(true),
				.balance = balances(f),
				.ordered_sum = f->m->moe_layers ? NEW_ARRAY(struct ordered_sum,
									  forward_layers_of_part(f))
								: NULL};
	}
	for (int part = 0; part < f->parts; part++)
		for (int i = 0; i < f->chunks; i++) {
			struct chunk *c = &f->chunk[part * f->chunks + i];
			c->part = part;
			c->shard = (int)((long)i * f->shards / f->chunks);
			atomic_store(&c->done, false);
			c->from = i * f->windows;
			c->count = f->B - c->from < f->windows ? f->B - c->from : f->windows;
		}
}

/* The chunk that goes backward as number `task`, given out round by round: first the first of
 * every shard, then the second. NULL where a shard has no more. */
static struct chunk *chunk_of_task(const struct forward *f, int task)
{
	int shards = f->parts * f->shards, round = task / shards;
	int part = task % shards / f->shards, shard = task % f->shards;
	int first = (shard * f->chunks + f->shards - 1) / f->shards, i = first + round;
	return i < f->chunks && f->chunk[i].shard == shard ? &f->chunk[part * f->chunks + i] : NULL;
}

static int backward_tasks(const struct forward *f)
{
	return f->parts * f->shards * ((f->chunks + f->shards - 1) / f->shards);
}

/* A part's chunks add to their experts' gradients in the order in which they are given out. */
static void order_sums(struct forward *f)
{
	int layers = forward_layers_of_part(f);
	for (int part = 0; part < f->parts && f->m->moe_layers; part++) {
		const struct chunk *before = NULL;
		for (int task = 0; task < backward_tasks(f); task++) {
			struct chunk *c = chunk_of_task(f, task);
			if (!c || c->part != part)
				continue;
			for (int l = 0; l < layers; l++)
				ordered_sum_begin(&c->ordered_sum[l],
					config_experts(&f->m->config, l % f->m->config.encoder.layers),
					before ? &before->ordered_sum[l] : NULL);
			before = c;
		}
	}
}

static void train_forward_chunk(void *context, int task, int worker)
{
	struct forward *f = context;
	struct chunk *c = &f->chunk[task];
	struct tape *t = c->tape;
	struct gradient_view view = shard_view(f, c->part, c->shard);
	view.balance = c->balance;
	view.ordered_sum = c->ordered_sum;
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
		n = forward_alike(f, c->part, from, c->from + c->count - from);
		view.announces = from == c->from;
		view.condition = forward_condition(f, from);
		view.scope = f->scope ? f->scope + f->first + from : NULL;
		view.key = rng_stream(f->step->seed, "mixture", f->step->number,
			(uint64_t)c->part << 32 | (uint64_t)(f->first + from))
				   .key;
		c->out[c->encodings++] = forward_encode(f, t, c->part, from, n, &view);
	}
}

/* The joint half's gradients of what the encoders returned become those of the chunk's last
 * nodes. */
static void hand_back(const struct forward *f, struct chunk *c)
{
	size_t H = (size_t)f->m->config.encoder.hidden_dim;
	for (int e = 0; e < c->encodings; e++) {
		const struct encoded *out = &c->out[e];
		size_t at = (size_t)out->from * H, n = (size_t)out->count * H * sizeof(real);
		for (int i = 0; i < f->together; i++) {
			int k = c->part * f->together + i;
			memcpy(out->summary[i]->g, f->leaves->summary[k]->g + at, n);
			if (out->token[i])
				memcpy(out->token[i]->g, f->leaves->token[k]->g + at, n);
			if (out->local)
				memcpy(out->local[i]->g,
					f->leaves->local[k]->g + (size_t)f->first_row[k][out->from] * H,
					(size_t)out->local[i]->rows * H * sizeof(real));
		}
	}
}

/* Given out round by round, all threads work to the end, and a shard's chunks still add to it in
 * order, each after the one before, which was given out long ago. */
static void train_backward_chunk(void *context, int task, int worker)
{
	struct forward *f = context;
	struct chunk *c = chunk_of_task(f, task);
	if (!c)
		return;
	int round = task / (f->parts * f->shards);
	while (round && !atomic_load(&c[-1].done))
		sched_yield();
	tape_lend(c->tape, &f->workspace[worker]);
	tape_gradients(c->tape, f->gradients[worker]);
	hand_back(f, c);
	tape_backward(c->tape);
	arena_reset(f->gradients[worker]);
	atomic_store(&c->done, true);
}

/* The part whose shards hold gradients of tensor i, or -1. */
static int part_with(const struct forward *f, int i)
{
	const struct param *p = &f->m->params.list[i];
	for (int k = 0; k < f->m->layout.regions; k++) {
		const struct region_params *r = &f->m->region[k];
		if (p->offset >= r->from && p->offset < r->from + r->count)
			return f->place[i] == IN_ORDER ? -1 : k / f->together;
	}
	return -1;
}

/* gradient of a region's tensor = its part's shards added in order */
static void reduce_tensor(void *context, int i, int worker)
{
	struct forward *f = context;
	const struct param *p = &f->m->params.list[i];
	int part = part_with(f, i);
	PROFILE_OPERATION("adding up gradients");
	(void)worker;
	if (part < 0)
		return;
	memcpy(f->gradient + p->offset, shard_of(f, part, 0) + f->place[i], p->count * sizeof(real));
	for (int shard = 1; shard < f->shards; shard++)
		slab_add(f->gradient + p->offset, shard_of(f, part, shard) + f->place[i], p->count);
}

static void reduce(struct forward *f)
{
	const struct model *m = f->m;
	pool_run(f->pool, m->params.n, reduce_tensor, f);
	if (m->token < 0)
		return;
	const struct param *token = &m->params.list[m->token];
	for (int part = 0; part < f->parts; part++)
		for (int shard = 0; shard < f->shards; shard++)
			slab_add(f->gradient + token->offset, shard_of(f, part, shard) + f->count[part],
				token->count);
}

/* Before anything is added: what lies in shards is copied from there. */
static void clear_tensor(void *context, int i, int worker)
{
	PROFILE_OPERATION("clearing gradients");
	struct forward *f = context;
	const struct param *p = &f->m->params.list[i];
	(void)worker;
	if (part_with(f, i) < 0 && f->place[i] != IN_ORDER)
		memset(f->gradient + p->offset, 0, p->count * sizeof(real));
}

/* Which scope of the balance losses each window of a batch counts for. */
static void number_scopes(struct forward *f, int B)
{
	const int how = f->m->config.moe.balance_scope, *group = f->step->group;
	f->scopes = 1;
	if (!f->m->moe_layers || how == BALANCE_SCOPE_BATCH || how == BALANCE_SCOPE_RUNNING)
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

/* Those of windows from .. of the batch */
static struct head_targets targets_from(const struct forward *f, int from)
{
	const struct train_step *s = f->step;
	return (struct head_targets){.class = {.label = s->label ? s->label + from : NULL,
					     .other = s->other ? s->other + from : NULL,
					     .share = s->other ? s->share + from : NULL},
		.class_weight = s->class_weight,
		.smoothing = s->smoothing,
		.value = f->target ? f->target + (size_t)from * (size_t)head_targets(f->m) : NULL};
}

/* The targets of their own that B windows have, where the head wants them. */
static void fetch_targets(struct forward *f, int B)
{
	int n = head_targets(f->m);
	if (!n)
		return;
	must(f->source->target != NULL);
	GROW(f->target, (size_t)B * (size_t)n);
	for (int b = 0; b < B; b++)
		f->source->target(f->source->context, b, f->target + (size_t)b * (size_t)n);
}

/* Windows f->first .. f->first + f->B - 1: adds to the shards and to the gradient of gate and
 * classifier; returns their share of the task's loss. total: of the whole batch (model/head.h). */
static double train_group(struct forward *f, double total)
{
	const struct model *m = f->m;
	const struct train_step *step = f->step;
	int K = m->layout.regions, outputs = head_outputs(m);
	make_chunks(f);
	order_sums(f);
	forward_count_tokens(f);
	pool_run(f->pool, f->parts * f->chunks, train_forward_chunk, f);

	balance_batch(f);
	struct gradient_view whole = {.params = &m->params, .gradient = f->gradient};
	tape_reset(f->joint);
	struct joint_leaves in = forward_outputs(f, 0, f->B);
	struct joint j = joint_forward(
		m, f->joint, &in.in, in.token, forward_prior_nodes(f, 0, f->B), &whole, group_noise(f));
	struct head_targets target = targets_from(f, f->first);
	struct head_loss loss = m->head->loss(m, f->joint, &in.in, &j.head, &target, total);
	tape_gradients(f->joint, f->joint->arena);
	loss.task->g[0] = 1;
	for (int k = 0; loss.own && k < K; k++) {
		loss.own[k]->g[0] = (real)m->config.train.expert_loss_weight;
		f->own += (double)loss.own[k]->x[0];
	}
	if (j.balance)
		j.balance->g[0] = (real)m->config.gate.load_balance_weight;
	tape_backward(f->joint);
	if (step->logits)
		memcpy(step->logits + (size_t)f->first * (size_t)outputs, j.head.out->x,
			(size_t)f->B * (size_t)outputs * sizeof(real));
	f->gate_aux = j.balance ? (double)j.balance->x[0] : 0;

	f->leaves = &in;
	pool_run(f->pool, backward_tasks(f), train_backward_chunk, f);
	f->leaves = NULL;
	return (double)loss.task->x[0];
}

real forward_train(struct forward *f, int B, const struct window_source *source,
	const struct train_step *step, real *gradient)
{
	must(B > 0);
	f->source = source;
	f->step = step;
	f->first = 0;
	fetch_targets(f, B);
	struct head_targets all = targets_from(f, 0);
	double loss = 0, total = f->m->head->total(f->m, &all, B);
	int group = cut(f, B);
	forward_room_for_outputs(f, group);
	number_scopes(f, B);
	f->joint->gradients = true;
	f->gradient = gradient;
	f->own = 0;
	pool_run(f->pool, f->m->params.n, clear_tensor, f);
	for (f->first = 0; f->first < B; f->first += group) {
		f->B = B - f->first < group ? B - f->first : group;
		loss += train_group(f, total);
	}
	reduce(f);
	if (step->losses)
		*step->losses = (struct losses){loss, f->aux + f->gate_aux, f->z, f->own};
	const struct config *c = &f->m->config;
	return (real)(loss + config_balance_weight(c) * f->aux + c->gate.load_balance_weight * f->gate_aux +
		      c->moe.z_loss_weight * f->z + c->train.expert_loss_weight * f->own);
}
