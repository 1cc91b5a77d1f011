#include "model/forward_parts.h"

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
		int n = m->layout.regions * m->config.encoder.layers;
		f->balance = NEW_ARRAY(struct balance, n);
		f->slope = NEW_ARRAY(struct balance_slope, n);
		for (int i = 0; i < n; i++) {
			int E = config_experts(&m->config, i % m->config.encoder.layers);
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
		for (int l = 0; l < forward_layers_of_part(f) && f->chunk[i].balance; l++)
			balance_free(&f->chunk[i].balance[l]);
		free(f->chunk[i].balance);
		free(f->chunk[i].turn);
	}
	for (int i = 0; f->balance && i < f->parts * forward_layers_of_part(f); i++) {
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
	free(f->place);
	free(f->count);
	free(f->summary);
	free(f->token);
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
	struct encoded out = {tape_take(t, room), tape_take(t, room)};
	for (int i = 0; i < f->together; i++)
		features[i] = tokenise(f, t, k + i, from, count);
	encoder_forward(f->m, k, f->together, t, features, count, view, out.summary, out.token);
	for (int i = 0; i < f->together; i++) {
		copy_out(f, f->summary, k + i, from, out.summary[i]);
		if (out.token[i])
			copy_out(f, f->token, k + i, from, out.token[i]);
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
	if (f->besides.ablation)
		none.ablation = f->besides.ablation + (size_t)part * (size_t)all;
	if (f->besides.chosen)
		none.chosen = tape_take(t, (size_t)all * sizeof *none.chosen);
	forward_encode(f, t, part, b, 1, &none);
	for (int i = 0; none.chosen && i < all; i++) {
		int k = part * f->together + i / layers, l = i % layers;
		if (f->m->region[k].layer[l].mixture)
			f->besides.chosen(f->besides.context, b, k, l, &none.chosen[i]);
	}
}

void forward_outputs(struct forward *f, int from, int count, struct node **summary, struct node **token)
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

void forward_besides(struct forward *f, const struct besides *b)
{
	f->besides = b ? *b : (struct besides){0};
}

void forward_evaluate(struct forward *f, int B, window_fill fill, void *context, real *logits, real *gate)
{
	int K = f->m->layout.regions, classes = f->m->layout.classes.n;
	struct gradient_view none = {.params = &f->m->params, .without = f->besides.without};
	forward_room_for_outputs(f, B);
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
		forward_outputs(f, b, 1, s, g);
		struct joint j = joint_forward(f->m, f->joint, s, g, 1, &none, NULL);
		memcpy(logits + (size_t)b * (size_t)classes, j.logits->x, (size_t)classes * sizeof(real));
		memcpy(gate + (size_t)b * (size_t)K, j.gate->x, (size_t)K * sizeof(real));
	}
}

const struct balance *forward_balance(const struct forward *f)
{
	return f->balance;
}
