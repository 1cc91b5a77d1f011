/* Chunks that add to the same experts' gradients in order (moe/ordered_sum.h): the order is that of
 * the chunks though some have nothing to add to some experts; and a training step over experts that
 * few chunks have tokens for has the same bytes for any number of threads.
 */
#include "check.h"

#include "base/rng.h"
#include "model/forward.h"
#include "moe/ordered_sum.h"

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <time.h>

/* --- three chunks by hand */

enum { EXPERTS = 8, CHUNKS = 3, HELD_AT = 5 };

struct rig {
	struct ordered_sum ordered_sum[CHUNKS];
	real g[EXPERTS];
	atomic_bool arrived, released; /* the first chunk at HELD_AT */
	atomic_int last[CHUNKS];       /* the expert a chunk added to last */
	int order[EXPERTS][CHUNKS],
		n[EXPERTS]; /* which chunks added to it, in order: guarded by the order alone */
};

struct visit {
	struct rig *rig;
	int chunk, e;
};

/* In the place of an expert's backward: adds to its gradient. */
static void add_to_expert(struct tape *t, struct node *y)
{
	const struct visit *v = y->saved;
	struct rig *r = v->rig;
	(void)t;
	if (v->chunk == 0 && v->e == HELD_AT) {
		atomic_store(&r->arrived, true);
		while (!atomic_load(&r->released))
			sched_yield();
	}
	r->g[v->e] = r->g[v->e] * 10 + (real)(v->chunk + 1);
	r->order[v->e][r->n[v->e]++] = v->chunk;
	atomic_store(&r->last[v->chunk], v->e);
}

/* What chosen_experts records: chunk 1 has tokens for the experts of `has` alone. */
static struct tape *record(struct rig *r, int chunk, const char *has)
{
	struct tape *t = tape_new(true);
	ordered_sum_record_end(t, &r->ordered_sum[chunk], true);
	for (int e = 0; e < EXPERTS; e++) {
		bool here = has[e] == '1';
		if (here) {
			struct node *y = tape_node(t, 0, 0, 0, NULL, add_to_expert);
			struct visit *v = y->saved = tape_take(t, sizeof *v);
			*v = (struct visit){r, chunk, e};
		}
		if (here || !chunk) {
			struct ordered_sum_span *span = tape_take(t, sizeof *span);
			*span = (struct ordered_sum_span){&r->g[e], 1};
			ordered_sum_record(t, &r->ordered_sum[chunk], e, true, span, 1);
		}
	}
	return t;
}

static void *run_backward(void *tape)
{
	tape_backward(tape);
	return NULL;
}

/* While the first chunk is held at an expert, the others go as far as they may, and no further. */
static void in_order(const char *const has[CHUNKS])
{
	static struct rig r;
	struct tape *t[CHUNKS];
	pthread_t thread[CHUNKS];
	memset(&r, 0, sizeof r);
	for (int e = 0; e < EXPERTS; e++)
		r.g[e] = 7; /* of the step before */
	for (int c = 0; c < CHUNKS; c++) {
		ordered_sum_begin(&r.ordered_sum[c], EXPERTS, c ? &r.ordered_sum[c - 1] : NULL);
		atomic_store(&r.last[c], EXPERTS);
		t[c] = record(&r, c, has[c]);
	}
	for (int c = 0; c < CHUNKS; c++)
		CHECK(!pthread_create(&thread[c], NULL, run_backward, t[c]));
	while (!atomic_load(&r.arrived))
		sched_yield();
	for (int i = 0; i < 50;
		i++) { /* time enough for a wrong one to overtake; a right one is never late */
		nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
		for (int c = 1; c < CHUNKS; c++)
			CHECK(atomic_load(&r.last[c]) > HELD_AT);
	}
	atomic_store(&r.released, true);
	for (int c = 0; c < CHUNKS; c++) {
		pthread_join(thread[c], NULL);
		tape_free(t[c]);
		CHECK(atomic_load(&r.ordered_sum[c].left) == 0);
	}
	for (int e = 0; e < EXPERTS; e++) {
		real want = 0;
		int n = 0;
		for (int c = 0; c < CHUNKS; c++)
			if (has[c][e] == '1') {
				want = want * 10 + (real)(c + 1);
				CHECK(n < r.n[e] && r.order[e][n++] == c);
			}
		CHECK(n == r.n[e]);
		CHECK(r.g[e] == want);
	}
}

static void every_chunk_adds_to_every_expert(void)
{
	in_order((const char *const[]){"11111111", "11111111", "11111111"});
}

static void a_chunk_without_tokens_for_some_experts_lets_nobody_overtake(void)
{
	in_order((const char *const[]){"11111111", "00001010", "11111111"});
}

static void a_chunk_without_any_lets_nobody_overtake(void)
{
	in_order((const char *const[]){"11111111", "00000000", "11111111"});
	in_order((const char *const[]){"00000100", "00000000", "11111111"});
}

/* --- a training step */

enum { T = 16, B = 600, PASSES = 6 };

struct batch {
	real x[B][T];
	int label[B];
};

static void fill(void *context, int b, int k, real *x)
{
	const struct batch *a = context;
	(void)k;
	memcpy(x, a->x[b], sizeof a->x[b]);
}

/* Windows around levels of their own: with large router weights whole windows go to the same few
 * experts. */
static struct batch *make_batch(void)
{
	struct batch *a = NEW(struct batch);
	struct rng r = rng_stream(13, "samples", 0, 0);
	for (int b = 0; b < B; b++) {
		real level = (real)(b / 40 % 5 - 2);
		for (int i = 0; i < T; i++)
			a->x[b][i] = level + (real)(0.1 * rng_normal(&r));
		a->label[b] = b % 2;
	}
	return a;
}

static struct model *make_model(const char *set)
{
	static int32_t channel[] = {0};
	static unsigned char core[] = {1};
	static struct region region[] = {{.name = "all", .width = 1, .channel = channel, .core = core}};
	struct layout l = {
		.length = T, .stride = T, .rate = 64, .unit = "uV", .regions = 1, .region = region};
	struct configuration c;
	struct names keys = {0};
	names_split(&l.channels, "x", ',');
	names_split(&l.classes, "rest,task", ',');
	names_split(&keys,
		"encoder.hidden_dim=8 encoder.heads=2 encoder.ffn_dim=8 encoder.layers=2 "
		"encoder.tokens=patch "
		"encoder.patch=2 moe.layers=all",
		' ');
	names_split(&keys, set, ' ');
	config_begin(&c, PRESET_SEED);
	for (int i = 0; i < keys.n; i++)
		CHECK(!config_set(&c, keys.s[i]));
	CHECK(!config_check(&c));
	struct model *m = model_new(&c.value, &l, -1);
	params_init(&m->params, 11);
	for (int i = 0; i < m->params.n; i++) {
		const struct param *p = &m->params.list[i];
		for (size_t j = 0; strstr(p->name, "router") && j < p->count; j++)
			m->params.x[p->offset + j] *= 100;
	}
	names_free(&l.channels);
	names_free(&l.classes);
	names_free(&keys);
	config_end(&c);
	return m;
}

static bool some_expert_starves(const struct forward *f)
{
	const struct balance *b = forward_balance(f);
	for (int e = 0; e < b->experts; e++)
		if (!balance_sent(b, e))
			return true;
	return false;
}

static void same_bytes(const char *set)
{
	static const int threads[] = {1, 2, 3, 5, 8};
	struct batch *a = make_batch();
	struct model *m = make_model(set);
	size_t n = m->params.count;
	real *want = NEW_ARRAY(real, n), *got = NEW_ARRAY(real, n);
	struct window_source source = {.context = a, .fill = fill};
	struct train_step step = {.label = a->label, .seed = 5};
	for (size_t i = 0; i < sizeof threads / sizeof *threads; i++) {
		struct pool *pool = pool_new(threads[i]);
		struct forward *f = forward_new(m, pool);
		for (int pass = 0; pass < (i ? PASSES : 1); pass++)
			forward_train(f, B, &source, &step, i ? got : want);
		CHECK(some_expert_starves(f));
		CHECK(!i || !memcmp(want, got, n * sizeof *got));
		forward_free(f);
		pool_free(pool);
	}
	model_free(m);
	free(want);
	free(got);
	free(a);
}

static void starved_experts_of_top_2_of_16(void)
{
	same_bytes("moe.num_experts=16 moe.top_k=2 moe.load_balance_weight=0.1");
}

static void starved_experts_of_top_4_of_24(void)
{
	same_bytes("moe.num_experts=24 moe.top_k=4");
}

static void starved_experts_computed_again(void)
{
	same_bytes("moe.num_experts=16 moe.top_k=2 train.recompute=layer");
}

int main(void)
{
	CASE(every_chunk_adds_to_every_expert);
	CASE(a_chunk_without_tokens_for_some_experts_lets_nobody_overtake);
	CASE(a_chunk_without_any_lets_nobody_overtake);
	CASE(starved_experts_of_top_2_of_16);
	CASE(starved_experts_of_top_4_of_24);
	CASE(starved_experts_computed_again);
	return check_done();
}
