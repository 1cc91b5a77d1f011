#include "model/forward.h"

#include "base/error.h"
#include "base/mem.h"
#include "base/profile.h"
#include "base/rng.h"
#include "model/encoder.h"
#include "tensor/gemm.h"

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

struct chunk {
	struct tape *tape;
	int part, lane;
	struct balance *balance;        /* [regions of the part][layers] of the mixtures */
	int from, count;                /* windows from .. from + count - 1 of the group */
	struct node **summary, **token; /* [regions of the part] of [count][H]; token[] may be NULL */
};

struct forward {
	const struct model *m;
	struct pool *pool;
	struct arena **gradients;    /* [threads] of the chunk that goes backward */
	struct workspace *workspace; /* [threads] */
	struct tape **evaluating;    /* [threads] without gradients */
	struct tape *joint;          /* gate and classifier, on the calling thread */
	int parts, together;         /* of the model; regions of a part: parts * together = K */
	struct chunk *chunk;         /* [parts * chunks of a part], training */
	int chunks;                  /* of one part, of this group */
	int room;
	int lanes, windows; /* of one part; of one chunk */
	real *lane;         /* gradients of all lanes */
	size_t lane_room;
	real *summary, *token; /* [K][B][H] what the encoders return */
	size_t out_room;
	/* this call; training does it group by group */
	int first, B; /* windows first .. first + B - 1 */
	window_fill fill;
	void *context;
	const struct train_step *step;
	struct node **d_summary, **d_token; /* [K] what the joint half says of the encoders' outputs */
	/* mixtures, NULL without: */
	struct balance *balance;     /* [K][layers] of the batch */
	struct balance_slope *slope; /* [K][layers] */
	double aux, z;               /* sums over regions and layers */
	double gate_aux;             /* the gate's balance loss of the batch */
};

static int layers_of_part(const struct forward *f)
{
	return f->together * f->m->config.encoder.layers;
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
	if (m->mixtures) {
		int n = m->layout.regions * m->config.encoder.layers, E = m->config.moe.num_experts;
		f->balance = NEW_ARRAY(struct balance, n);
		f->slope = NEW_ARRAY(struct balance_slope, n);
		for (int i = 0; i < n; i++) {
			f->balance[i] = balance_new(E);
			f->slope[i] = (struct balance_slope){NEW_ARRAY(real, E), NEW_ARRAY(real, E), 0};
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
		for (int l = 0; l < layers_of_part(f) && f->chunk[i].balance; l++)
			balance_free(&f->chunk[i].balance[l]);
		free(f->chunk[i].balance);
	}
	for (int i = 0; f->balance && i < f->parts * layers_of_part(f); i++) {
		balance_free(&f->balance[i]);
		free(f->slope[i].p);
		free(f->slope[i].g);
	}
	free(f->balance);
	free(f->slope);
	tape_free(f->joint);
	free(f->gradients);
	free(f->workspace);
	free(f->evaluating);
	free(f->chunk);
	free(f->lane);
	free(f->summary);
	free(f->token);
	free(f);
}

static void make_room_for_outputs(struct forward *f, int B)
{
	size_t need = (size_t)f->m->layout.regions * (size_t)B * (size_t)f->m->config.encoder.hidden_dim;
	if (need > f->out_room) {
		f->out_room = need;
		GROW(f->summary, need);
		GROW(f->token, need);
	}
}

/* Tokens of windows from .. from+count-1 of region k */
static struct node *tokenise(struct forward *f, struct tape *t, int k, int from, int count)
{
	const struct model *m = f->m;
	int T = m->layout.length, W = m->layout.region[k].width, D = m->region[k].D;
	real *features = tape_reals(t, (size_t)count * (size_t)m->n * (size_t)D);
	for (int i = 0; i < count; i++) {
		PROFILE_OPERATION("windows and tokens");
		real *x = scratch_reals(t, (size_t)T * (size_t)W);
		f->fill(f->context, f->first + from + i, k, x);
		m->tokeniser->features(&m->config, m->prepared, x, T, m->layout.rate, W,
			features + (size_t)i * (size_t)m->n * (size_t)D, t->scratch);
		scratch_done(t);
	}
	return op_input(t, features, count * m->n, D);
}

/* Windows from .. from+count-1 of a part through its encoders, on this tape. */
static void encode(struct forward *f, struct tape *t, int part, int from, int count,
	const struct gradient_view *view, struct node **summary, struct node **token)
{
	int k = part * f->together;
	struct node **features = tape_take(t, (size_t)f->together * sizeof *features);
	for (int i = 0; i < f->together; i++)
		features[i] = tokenise(f, t, k + i, from, count);
	encoder_forward(f->m, k, f->together, t, features, count, view, summary, token);
}

static void copy_out(const struct forward *f, real *to, int k, int from, const struct node *y)
{
	size_t H = (size_t)f->m->config.encoder.hidden_dim;
	memcpy(to + ((size_t)k * (size_t)f->B + (size_t)from) * H, y->x, (size_t)y->rows * H * sizeof(real));
}

/* What the encoders of a part returned, to where the joint half finds it. */
static void copy_all_out(
	const struct forward *f, int part, int from, struct node *const *summary, struct node *const *token)
{
	for (int i = 0; i < f->together; i++) {
		copy_out(f, f->summary, part * f->together + i, from, summary[i]);
		if (token[i])
			copy_out(f, f->token, part * f->together + i, from, token[i]);
	}
}

/* Room on the tape for a node of each region of a part. */
static struct node **part_nodes(const struct forward *f, struct tape *t)
{
	return tape_take(t, (size_t)f->together * sizeof(struct node *));
}

static void evaluate_one(void *context, int task, int worker)
{
	struct forward *f = context;
	struct tape *t = f->evaluating[worker];
	int b = task / f->parts, part = task % f->parts;
	struct gradient_view none = {
		.params = &f->m->params, .key = rng_stream(0, "evaluation", (uint64_t)part, 0).key};
	tape_reset(t);
	struct node **summary = part_nodes(f, t), **token = part_nodes(f, t);
	encode(f, t, part, b, 1, &none, summary, token);
	copy_all_out(f, part, b, summary, token);
}

/* Nodes over f->summary and f->token for windows from .. from+count-1, with gradients when the tape has them. */
static void outputs(struct forward *f, int from, int count, struct node **summary, struct node **token)
{
	int H = f->m->config.encoder.hidden_dim;
	for (int k = 0; k < f->m->layout.regions; k++) {
		size_t at = ((size_t)k * (size_t)f->B + (size_t)from) * (size_t)H,
		       n = (size_t)count * (size_t)H;
		summary[k] = op_input(f->joint, f->summary + at, count, H);
		token[k] = op_input(f->joint, f->token + at, count, H);
		if (f->joint->gradients) {
			summary[k]->g = tape_reals(f->joint, n);
			token[k]->g = tape_reals(f->joint, n);
			memset(summary[k]->g, 0, n * sizeof(real));
			memset(token[k]->g, 0, n * sizeof(real));
		}
	}
}

void forward_evaluate(struct forward *f, int B, window_fill fill, void *context, real *logits, real *gate)
{
	int K = f->m->layout.regions, classes = f->m->layout.classes.n;
	struct gradient_view none = {.params = &f->m->params};
	make_room_for_outputs(f, B);
	f->first = 0;
	f->B = B;
	f->fill = fill;
	f->context = context;
	pool_run(f->pool, B * f->parts, evaluate_one, f);
	f->joint->gradients = false;
	for (int b = 0; b < B; b++) {
		tape_reset(f->joint);
		struct node **s = tape_take(f->joint, (size_t)K * sizeof *s),
			    **g = tape_take(f->joint, (size_t)K * sizeof *g);
		outputs(f, b, 1, s, g);
		struct joint j = joint_forward(f->m, f->joint, s, g, 1, &none, NULL);
		memcpy(logits + (size_t)b * (size_t)classes, j.logits->x, (size_t)classes * sizeof(real));
		memcpy(gate + (size_t)b * (size_t)K, j.gate->x, (size_t)K * sizeof(real));
	}
}

/* --- training */

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
		.slope = f->slope ? f->slope + part * layers_of_part(f) : NULL};
}

/* An expert sees a part of a chunk's tokens only: with many of them a chunk has more. */
static int chunk_tokens(const struct model *m)
{
	int share = m->mixtures ? m->config.moe.num_experts / (2 * m->config.moe.top_k) : 1;
	return CHUNK_TOKENS * (share > 1 ? share : 1);
}

/* How a batch of B windows is cut: chunks in lanes, lanes in groups. Returns the windows of a group. */
static int cut(struct forward *f, int B)
{
	int tokens = f->m->N * f->together; /* of a window, on one tape */
	int windows = chunk_tokens(f->m) / tokens,
	    most = (B * f->parts + TASKS_AT_LEAST - 1) / TASKS_AT_LEAST;
	windows = windows > most ? most : windows;
	windows = windows < 1 ? 1 : windows;
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
	struct balance *b = NEW_ARRAY(struct balance, layers_of_part(f));
	for (int l = 0; l < layers_of_part(f); l++)
		b[l] = balance_new(f->m->config.moe.num_experts);
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
	view.key = rng_stream(f->step->seed, "mixture", f->step->number,
		(uint64_t)c->part << 32 | (uint64_t)(f->first + c->from))
			   .key;
	for (int l = 0; l < layers_of_part(f) && c->balance; l++)
		balance_clear(&c->balance[l]);
	tape_reset(t);
	tape_lend(t, &f->workspace[worker]);
	t->dropout.p = f->step->dropout;
	t->dropout.key = rng_stream(f->step->seed, "dropout", f->step->number,
		(uint64_t)c->part << 32 | (uint64_t)(f->first + c->from))
				 .key;
	c->summary = part_nodes(f, t);
	c->token = part_nodes(f, t);
	encode(f, t, c->part, c->from, c->count, &view, c->summary, c->token);
	copy_all_out(f, c->part, c->from, c->summary, c->token);
}

/* The joint half's gradients of what the encoders returned become those of the chunk's last nodes. */
static void hand_back(const struct forward *f, struct chunk *c)
{
	size_t H = (size_t)f->m->config.encoder.hidden_dim, at = (size_t)c->from * H,
	       n = (size_t)c->count * H * sizeof(real);
	for (int i = 0; i < f->together; i++) {
		int k = c->part * f->together + i;
		memcpy(c->summary[i]->g, f->d_summary[k]->g + at, n);
		if (c->token[i])
			memcpy(c->token[i]->g, f->d_token[k]->g + at, n);
	}
}

static void train_backward_lane(void *context, int task, int worker)
{
	struct forward *f = context;
	int part = task / f->lanes, lane = task % f->lanes;
	for (int i = 0; i < f->chunks; i++) {
		struct chunk *c = &f->chunk[part * f->chunks + i];
		if (c->lane != lane)
			continue;
		tape_lend(c->tape, &f->workspace[worker]);
		tape_gradients(c->tape, f->gradients[worker]);
		hand_back(f, c);
		tape_backward(c->tape);
		arena_reset(f->gradients[worker]);
	}
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

/* The chunks' counts added up in order, and what the losses hand back. */
static void balance_batch(struct forward *f)
{
	const struct config *c = &f->m->config;
	int layers = layers_of_part(f);
	f->aux = f->z = 0;
	for (int i = 0; i < f->parts * layers && f->balance; i++) {
		struct balance *b = &f->balance[i];
		balance_clear(b);
		for (int j = 0; j < f->chunks; j++)
			balance_add(b, &f->chunk[i / layers * f->chunks + j].balance[i % layers]);
		f->aux += balance_loss(b, (enum balance_form)c->moe.load_balance_form);
		f->z += balance_z(b);
		balance_slopes(b, (enum balance_form)c->moe.load_balance_form, c->moe.load_balance_weight,
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
	outputs(f, 0, f->B, s, g);
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
	pool_run(f->pool, f->parts * f->lanes, train_backward_lane, f);
	return (double)loss->x[0];
}

real forward_train(struct forward *f, int B, window_fill fill, void *context, const struct train_step *step,
	real *gradient)
{
	double loss = 0, total = 0;
	must(B > 0);
	int group = cut(f, B);
	make_room_for_outputs(f, group);
	f->fill = fill;
	f->context = context;
	f->step = step;
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
	return (real)(loss + c->moe.load_balance_weight * f->aux + c->gate.load_balance_weight * f->gate_aux +
		      c->moe.z_loss_weight * f->z);
}
