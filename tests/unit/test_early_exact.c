/* Windows that end early (case 5 of the conformance list in tests/reference/README): what comes
 * after the end is seen by nothing, be it noise or no number at all, and the answers, losses and
 * counts are those of a model whose windows are as short. */
#include "check.h"

#include "base/rng.h"
#include "model/forward.h"

#include <stdlib.h>

enum { T = 24, SHORT = 15, B = 5, WIDTH = 3, K = 2, CLASSES = 2 };

static const char *const ways[] = {"moe.router=topk moe.load_balance_weight=0.3 moe.z_loss_weight=0.1",
	"moe.router=noisy_topk", "moe.router=soft", "moe.router=soft_moe moe.slots=2",
	"moe.router=expert_choice", "moe.router=cosine", "moe.router=uniform",
	"moe.router=hierarchical moe.load_balance_weight=0.3",
	"moe.capacity_factor=0.6 moe.capacity_factor_eval=0.6", "moe.route_unit=patch encoder.patch=4",
	"moe.route_unit=window", "moe.expert_types=attention", "moe.route_unit=window moe.expert_types=conv",
	"encoder.pool=attention", "bridge.sync=layer", "bridge.tokens=0",
	"encoder.tokens=patch encoder.patch=4",
	("encoder.tokens=conv encoder.window=0.125 encoder.hop=0.0625 encoder.kernel=0.1 "
	 "encoder.input_dropout=0.2"),
	"moe.layers=none", "train.recompute=layer"};

/* Windows of `length`, of which `there` [B] samples are; after them stands `after`. */
struct batch {
	int length;
	const int *there;
	real x[B][K][T * WIDTH], after;
};

static void fill(void *context, int b, int k, real *x)
{
	const struct batch *a = context;
	for (int i = 0; i < a->length * WIDTH; i++)
		x[i] = i < a->there[b] * WIDTH ? a->x[b][k][i] : a->after;
}

static int samples(void *context, int b)
{
	return ((const struct batch *)context)->there[b];
}

static struct model *make_model(int length, const char *way)
{
	static int32_t channel[] = {0, 1, 2};
	static unsigned char core[] = {1, 1, 1};
	static struct region region[K] = {{.name = "a", .width = WIDTH, .channel = channel, .core = core},
		{.name = "b", .width = WIDTH, .channel = channel, .core = core}};
	struct layout l = {
		.length = length, .stride = length, .rate = 64, .unit = "uV", .regions = K, .region = region};
	struct names set = {0};
	struct configuration c;
	names_split(&l.channels, "x,y,z", ',');
	names_split(&l.classes, "rest,task", ',');
	names_split(&set,
		"encoder.hidden_dim=8 encoder.heads=2 encoder.ffn_dim=6 encoder.positional=sinusoidal "
		"encoder.tokens=sample "
		"moe.layers=all",
		' ');
	names_split(&set, way, ' ');
	config_begin(&c, PRESET_SEED);
	for (int i = 0; i < set.n; i++)
		CHECK(!config_set(&c, set.s[i]));
	CHECK(!config_check(&c));
	struct model *m = model_new(&c.value, &l, -1);
	params_init(&m->params, 7);
	names_free(&l.channels);
	names_free(&l.classes);
	names_free(&set);
	config_end(&c);
	return m;
}

/* What comes of a batch, in evaluation and in training. */
struct outcome {
	real logits[B][CLASSES], gate[B][K], loss;
	struct losses parts;
	int64_t sent[8], tokens;
	real *gradient;
};

static struct outcome run(struct model *m, struct batch *a)
{
	static const int label[B] = {0, 1, 1, 0, 1};
	struct outcome o = {.gradient = NEW_ARRAY(real, m->params.count)};
	struct train_step step = {.label = label, .seed = 3, .losses = &o.parts};
	struct pool *pool = pool_new(2);
	struct forward *f = forward_new(m, pool);
	struct window_source source = {.context = a, .fill = fill, .samples = samples};
	forward_evaluate(f, B, &source, o.logits[0], o.gate[0]);
	o.loss = forward_train(f, B, &source, &step, o.gradient);
	const struct balance *b = forward_balance(f);
	for (int e = 0; b && e < b->experts; e++)
		o.sent[e] = balance_sent(b, e);
	o.tokens = b ? b->tokens : 0;
	forward_free(f);
	pool_free(pool);
	return o;
}

static bool same(const struct model *m, const struct outcome *a, const struct outcome *b)
{
	return !memcmp(a->logits, b->logits, sizeof a->logits) && !memcmp(a->gate, b->gate, sizeof a->gate) &&
	       !memcmp(&a->loss, &b->loss, sizeof a->loss) &&
	       !memcmp(&a->parts, &b->parts, sizeof a->parts) && !memcmp(a->sent, b->sent, sizeof a->sent) &&
	       a->tokens == b->tokens && !memcmp(a->gradient, b->gradient, m->params.count * sizeof(real));
}

static const char *way;

static void case_5_nothing_after_the_end(void)
{
	static const int some[B] = {T, SHORT, SHORT, T, SHORT - 3},
			 all[B] = {SHORT, SHORT, SHORT, SHORT, SHORT};
	struct batch *a = NEW(struct batch);
	struct rng r = rng_stream(13, "samples", 0, 0);
	for (int b = 0; b < B; b++)
		for (int k = 0; k < K; k++)
			for (int i = 0; i < T * WIDTH; i++)
				a->x[b][k][i] = (real)rng_normal(&r);
	struct model *whole = make_model(T, way), *brief = make_model(SHORT, way);
	a->length = T;
	a->there = some;
	struct outcome zero = run(whole, a);
	a->after = (real)NAN;
	struct outcome none = run(whole, a);
	CHECK(same(whole, &zero, &none) && isfinite(zero.loss));
	a->there = all;
	struct outcome early = run(whole, a);
	a->length = SHORT;
	struct outcome as_short = run(brief, a);
	CHECK(whole->params.count == brief->params.count);
	CHECK(same(whole, &early, &as_short));
	CHECK(memcmp(early.logits[0], zero.logits[0], sizeof zero.logits[0]));
	CHECK(!memcmp(early.logits[1], zero.logits[1], sizeof zero.logits[1]));
	free(zero.gradient);
	free(none.gradient);
	free(early.gradient);
	free(as_short.gradient);
	model_free(whole);
	model_free(brief);
	free(a);
}

int main(void)
{
	for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
		char name[128];
		way = ways[i];
		snprintf(name, sizeof name, "case_5_nothing_after_the_end: %s", way);
		check_case(name, case_5_nothing_after_the_end);
	}
	return check_done();
}
