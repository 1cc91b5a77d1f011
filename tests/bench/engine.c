/* One measurement of the engine, printed as a line of JSON; tests/bench/run asks for many and puts
 * them together.
 *
 *     engine presets                                  their names
 *     engine size [KEY=VALUE ...]                     parameters of a model
 *     engine sgemm                                    what OpenBLAS reaches with sgemm 2048^3 on one thread
 *     engine train|evaluate [KEY=VALUE ...]           steps as moe-train takes them; answers as moe-predict finds them
 *
 * Keys and what they are when not given, which is the shape of the benchmark: batch=32 T=300 C=64
 * K=4 halo=4 hidden=32 layers=2 ffn=2048 threads=2, runs=3 (the median of so many, after one that
 * is not counted). preset=NAME: hidden, layers and ffn are its own where they are not given after
 * it. A key with a dot in it is one of the configuration: moe.layers=all.
 *
 * A training step draws the batch, fills it from windows in memory, runs forward and backward with
 * dropout 0.1, clips, and lets AdamW move the parameters: all that trainer_run does between two
 * steps. The useful work is 2 for every multiplication of the matrix products forward, and twice
 * that again backward (but for the projection of the samples, whose input needs no gradient); what
 * is computed a second time to save memory does not count.
 */
#include "base/error.h"
#include "base/mem.h"
#include "base/profile.h"
#include "base/progress.h"
#include "base/rng.h"
#include "tensor/gemm.h"
#include "train/trainer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

static struct {
	int batch, T, C, K, halo, hidden, layers, ffn, threads, runs;
	int narrow;
	int preset; /* hidden, layers, ffn 0: as it has them */
	char **set; /* [sets] KEY=VALUE of the configuration */
	int sets;
} o = {32, 300, 64, 4, 4, 32, 2, 2048, 2, 3, 1, PRESET_SEED, NULL, 0};

static const struct {
	const char *name;
	int *value;
} keys[] = {{"batch", &o.batch}, {"T", &o.T}, {"C", &o.C}, {"K", &o.K}, {"halo", &o.halo},
	{"hidden", &o.hidden}, {"layers", &o.layers}, {"ffn", &o.ffn}, {"threads", &o.threads},
	{"runs", &o.runs}, {"narrow", &o.narrow}};

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

static double median(double *x, int n)
{
	qsort(x, (size_t)n, sizeof *x, by_value);
	return (x[n / 2] + x[(n - 1) / 2]) / 2;
}

static void sgemm(void)
{
	enum { N = 2048 };
	real *a = NEW_ARRAY(real, N * N), *b = NEW_ARRAY(real, N * N), *c = NEW_ARRAY(real, N * N);
	double *t = NEW_ARRAY(double, o.runs);
	gemm_single_thread(1);
	for (int i = 0; i < N * N; i++)
		a[i] = b[i] = (real)(i % 7) - 3;
	for (int run = -1; run < o.runs; run++) {
		double start = progress_now();
		gemm(PLAIN, PLAIN, N, N, N, 1, a, N, b, N, 0, c, N);
		if (run >= 0)
			t[run] = progress_now() - start;
	}
	double seconds = median(t, o.runs);
	printf("{\"what\":\"sgemm\",\"library\":\"%s\",\"seconds\":%.6g,\"gflop_per_s\":%.6g}\n",
		gemm_library(), seconds, 2e-9 * N * N * N / seconds);
	free(a);
	free(b);
	free(c);
	free(t);
}

/* Of n tokens in one layer's expert, or its dense feed-forward; those of an MoE layer of attention see
 * what shares their expert. */
static double expert_flop(const struct expert_type *type, const struct expert_shape *s, double n)
{
	double H = s->H, F = s->F;
	bool gated = s->form == FFN_GLU || s->form == FFN_GEGLU || s->form == FFN_SWIGLU;
	if (!strcmp(type->name, "attention"))
		return n * (8 * H * H + 4 * n * H);
	return n * (!strcmp(type->name, "ffn") && gated ? 6 : 4) * H * F;
}

static double layer_flop(const struct model *m, const struct layer_params *l)
{
	struct expert_shape dense = model_dense_shape(m), shape = model_expert_shape(m);
	double N = m->region[0].N, H = dense.H, sum = 2 * N * H * 3 * H + 4 * N * N * H + 2 * N * H * H;
	if (!l->moe_layer)
		return sum + expert_flop(l->part[0].type, &dense, N);
	struct router_shape route = model_router_shape(m, l->region, l->index);
	double each = N * route.k / route.E; /* tokens an expert is given when all are used evenly */
	sum += 2 * m->region[0].units * H * route.E;
	for (int p = 0; p < l->parts; p++)
		sum += l->part[p].count * expert_flop(l->part[p].type, &shape, each);
	if (l->shared.count)
		sum += l->shared.count * expert_flop(l->shared.type, &shape, N);
	return sum;
}

/* Useful work of one window: *projection and the rest, forward. Of an MoE layer, what k experts a
 * token take, and the router. */
static double forward_flop(const struct model *m, double *projection)
{
	double rest = 0;
	*projection = 0;
	for (int k = 0; k < o.K; k++) {
		*projection += 2.0 * m->region[0].n * m->region[k].D * m->config.encoder.hidden_dim;
		for (int l = 0; l < m->config.encoder.layers; l++)
			rest += layer_flop(m, &m->region[k].layer[l]);
	}
	return rest;
}

/* --- windows in memory: noise, each its own segment of one signal */

static void forget(struct windows *w)
{
	free(w->owner);
	free((void *)(uintptr_t)w->start);
	free((void *)(uintptr_t)w->label);
	free((void *)(uintptr_t)w->group);
	names_free(&w->recordings);
	names_free(&w->groups);
}

static struct windows *noise(const struct layout *l)
{
	struct windows *w = NEW(struct windows);
	size_t numbers = (size_t)o.batch * (size_t)o.T * (size_t)o.C;
	float *signal = NEW_ARRAY(float, numbers);
	int64_t *start = NEW_ARRAY(int64_t, o.batch);
	int32_t *label = NEW_ARRAY(int32_t, o.batch), *zero = NEW_ARRAY(int32_t, o.batch);
	struct rng r = rng_stream(7, "bench", 0, 0);
	for (size_t i = 0; i < numbers; i++)
		signal[i] = (float)(rng_next(&r) >> 40) * 2e-7f - 1.7f;
	for (int b = 0; b < o.batch; b++) {
		start[b] = (int64_t)b * o.T;
		label[b] = b % 2;
	}
	w->name = mem_text("noise");
	layout_copy(&w->layout, l);
	names_add(&w->recordings, "noise");
	names_add(&w->groups, "nobody");
	w->samples = (int64_t)o.batch * o.T;
	w->signal = signal;
	w->n = o.batch;
	w->start = w->sample = start;
	w->label = label;
	w->recording = w->group = zero;
	w->release = forget;
	w->owner = signal;
	return w;
}

static int configure(struct configuration *c)
{
	config_begin(c, o.preset);
	struct config *v = &c->value;
	v->encoder.hidden_dim /= o.narrow;
	v->encoder.ffn_dim /= o.narrow;
	v->moe.ffn_dim /= o.narrow;
	v->moe.router_dim = v->moe.router_dim < o.narrow ? v->moe.router_dim : v->moe.router_dim / o.narrow;
	v->encoder.hidden_dim = o.hidden ? o.hidden : v->encoder.hidden_dim;
	v->encoder.layers = o.layers ? o.layers : v->encoder.layers;
	v->encoder.ffn_dim = o.ffn ? o.ffn : v->encoder.ffn_dim;
	v->train.batch_size = o.batch;
	v->train.epochs = o.runs + 1;
	v->train.clip_norm = 1;
	for (int i = 0; i < o.sets; i++)
		if (config_set(c, o.set[i]))
			return -1;
	return config_check(c);
}

static struct model *make(void)
{
	struct configuration c;
	struct layout l = {.length = o.T, .stride = o.T, .rate = 160, .unit = mem_text("uV")};
	char name[16];
	for (int i = 0; i < o.C; i++) {
		snprintf(name, sizeof name, "C%d", i);
		names_add(&l.channels, name);
	}
	names_add(&l.classes, "0");
	names_add(&l.classes, "1");
	struct model *m = NULL;
	if (!configure(&c) && !layout_index_regions(&l, o.K, o.halo))
		m = model_new(&c.value, &l, -1);
	config_end(&c);
	if (m)
		params_init(&m->params, 1);
	layout_free(&l);
	return m;
}

/* --- the two measurements: seconds of each run, the first not counted */

struct clock {
	double last, *t;
	int n;
};

static void tick(void *context, const struct step_report *r)
{
	struct clock *c = context;
	double now = progress_now();
	(void)r;
	c->t[c->n++] = now - c->last;
	c->last = now;
}

static int train(struct model *m, struct dataset *d, const int64_t *item, struct pool *pool, double *t)
{
	struct training_data data = {.train = d, .train_item = item, .trains = d->n};
	struct clock c = {progress_now(), t, 0};
	struct watch w = {.context = &c, .step = tick};
	struct trainer *tr = trainer_new(m, &data, pool, 1);
	int r = trainer_run(tr, &w);
	trainer_free(tr);
	return r;
}

static int evaluate(struct model *m, struct dataset *d, const int64_t *item, struct pool *pool, double *t)
{
	struct forward *f = forward_new(m, pool);
	real *logits = NEW_ARRAY(real, (size_t)o.batch * 2),
	     *gate = NEW_ARRAY(real, (size_t)o.batch * (size_t)o.K);
	for (int run = 0; run <= o.runs; run++) {
		double start = progress_now();
		must(!dataset_evaluate(d, f, item, o.batch, o.batch, 2, o.K, logits, gate, NULL));
		t[run] = progress_now() - start;
	}
	free(logits);
	free(gate);
	forward_free(f);
	return 0;
}

static int measure(const char *what)
{
	struct model *m = make();
	if (!m)
		return -1;
	struct dataset *d = dataset_new(&m->layout, MISSING_ERROR);
	int r = dataset_add(d, noise(&m->layout)), training = !strcmp(what, "train");
	if (!r) {
		struct pool *pool = pool_new(o.threads);
		int64_t *item = NEW_ARRAY(int64_t, o.batch);
		double *t = NEW_ARRAY(double, o.runs + 1), projection, rest = forward_flop(m, &projection);
		for (int b = 0; b < o.batch; b++)
			item[b] = b;
		double gflop = 1e-9 * o.batch * (training ? 3 * rest + 2 * projection : rest + projection);
		r = (training ? train : evaluate)(m, d, item, pool, t);
		double seconds = median(t + 1, o.runs);
		struct rusage u;
		getrusage(RUSAGE_SELF, &u);
		struct model_size size = model_size(m);
		printf("{\"what\":\"%s\",\"ffn\":%d,\"T\":%d,\"K\":%d,\"batch\":%d,\"threads\":%d,"
		       "\"seconds\":%.6g,\"least\":%.6g,\"gflop\":%.6g,\"megabytes\":%.1f,\"parameters\":%zu,"
		       "\"active\":%zu}\n",
			what, m->config.encoder.ffn_dim, o.T, o.K, o.batch, o.threads, seconds, t[1], gflop,
			(double)u.ru_maxrss / 1024, size.total, size.active);
		free(item);
		free(t);
		pool_free(pool);
	}
	dataset_free(d);
	model_free(m);
	return r;
}

static int size(void)
{
	struct model *m = make();
	if (!m)
		return -1;
	struct model_size n = model_size(m);
	const struct config *c = &m->config;
	printf("{\"what\":\"size\",\"hidden\":%d,\"layers\":%d,\"ffn\":%d,\"mixtures\":%d,\"parameters\":%zu,"
	       "\"active\":%zu}\n",
		c->encoder.hidden_dim, c->encoder.layers, c->encoder.ffn_dim, m->moe_layers, n.total,
		n.active);
	model_free(m);
	return 0;
}

static int set(char *assignment)
{
	const char *eq = strchr(assignment, '=');
	if (eq && memchr(assignment, '.', (size_t)(eq - assignment))) {
		GROW(o.set, o.sets + 1);
		o.set[o.sets++] = assignment;
		return 0;
	}
	if (!strncmp(assignment, "preset=", 7)) {
		o.hidden = o.layers = o.ffn = 0;
		return config_preset(eq + 1, &o.preset);
	}
	for (size_t i = 0; eq && i < sizeof keys / sizeof *keys; i++)
		if (strlen(keys[i].name) == (size_t)(eq - assignment) &&
			!strncmp(keys[i].name, assignment, (size_t)(eq - assignment))) {
			*keys[i].value = atoi(eq + 1);
			return *keys[i].value > 0 || keys[i].value == &o.halo ? 0 : -1;
		}
	return -1;
}

int main(int argc, char **argv)
{
	int bad = argc < 2;
	for (int i = 2; i < argc; i++)
		bad |= set(argv[i]);
	if (!bad && !strcmp(argv[1], "sgemm")) {
		sgemm();
		return 0;
	}
	if (!bad && !strcmp(argv[1], "presets")) {
		for (int i = 0; config_preset_name(i); i++)
			printf("%s\n", config_preset_name(i));
		return 0;
	}
	bool sizes = !bad && !strcmp(argv[1], "size");
	if (bad || (!sizes && strcmp(argv[1], "train") && strcmp(argv[1], "evaluate"))) {
		fprintf(stderr, "usage: engine presets|size|sgemm|train|evaluate [KEY=VALUE ...]\n");
		return EX_USAGE;
	}
	if (sizes ? size() : measure(argv[1])) {
		fprintf(stderr, "engine: %s\n", err_text());
		return err_status();
	}
#ifdef PROFILE
	profile_report(stdout);
#endif
	return 0;
}
