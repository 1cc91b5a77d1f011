/* Whole models in every way their regions can be joined, on random windows: the gradient against
 * finite differences (double builds), the same for any cut into chunks, shards and groups, the same
 * bytes for any number of threads, and answers that do not depend on a window's company.
 */
#include "differences.h"

#include "base/error.h"
#include "model/model.h"

enum { K = 3, T = 32, WIDTH = 2, B = 6, TIMES = 50 };

/* Keys that a mode sets, separated by blanks; "early": some windows end early. Losses on a batch as
 * a whole are tried with everything else. */
static const char *const modes[] = {
	"bridge.sync=end",
	"bridge.sync=layer",
	"bridge.sync=layer bridge.sync_every=2 bridge.tokens=2 encoder.layers=4 encoder.norm=pre",
	"bridge.sync=layer moe.layers=[1] moe.load_balance_weight=0.5 moe.z_loss_weight=0.1",
	"bridge.sync=layer moe.layers=all moe.load_balance_form=cv2 moe.shared_experts=1 "
	"gate.load_balance_weight=1",
	"moe.layers=[0,2] moe.router=hierarchical moe.levels=[2,3] moe.top_k=1 moe.load_balance_weight=0.5 "
	"moe.z_loss_weight=0.1",
	"moe.layers=[1] moe.balance_scope=window moe.load_balance_weight=0.5 moe.load_balance_form=cv2",
	"bridge.sync=layer moe.layers=[1] moe.balance_scope=group moe.load_balance_weight=0.5",
	"train.recompute=layer moe.layers=[0,2] moe.load_balance_weight=0.5 moe.z_loss_weight=0.1 "
	"bridge.sync=layer",
	"train.recompute=layer encoder.norm=pre",
	"early moe.layers=[1] moe.load_balance_weight=0.5 bridge.sync=layer",
	"early encoder.pool=attention moe.layers=all moe.router=soft_moe bridge.tokens=0",
	"early moe.layers=all moe.num_experts=16 moe.top_k=2",
	"train.recompute=layer moe.layers=all moe.num_experts=17 moe.top_k=2",
	"moe.layers=all moe.num_experts=16 moe.top_k=2 bridge.tokens=0", /* as many experts as shards or more */
	"bridge.sync=layer moe.layers=[0,2] moe.num_experts=[40,3] moe.top_k=1 moe.shared_experts=1 "
	"moe.ffn=swiglu "
	"moe.load_balance_form=cv2",
	"encoder.pool=attention bridge.tokens=0",
	"gate.type=linear",
	"gate.top_k=2",
	"gate.top_k=1 gate.load_balance_weight=0.7",
	"gate.combine=answers",
	"gate.combine=answers gate.top_k=2 gate.load_balance_weight=0.3 gate.type=linear bridge.sync=layer "
	"encoder.pool=attention encoder.activation=gelu",
};

struct batch {
	struct window_source source;
	struct model *m;
	real x[B][K][T * WIDTH];
	int label[B * TIMES], group[B * TIMES];
};

static int samples(void *context, int b)
{
	static const int there[B] = {T, 20, 20, 4, T, 13};
	(void)context;
	return there[b % B];
}

static void fill(void *context, int b, int k, real *x)
{
	const struct batch *a = context;
	memcpy(x, a->x[b % B][k], sizeof a->x[0][0]);
}

static struct model *make_model(const char *mode)
{
	static int32_t channel[] = {0, 1};
	static unsigned char core[] = {1, 1};
	static struct region region[K] = {{.name = "a", .width = WIDTH, .channel = channel, .core = core},
		{.name = "b", .width = WIDTH, .channel = channel, .core = core},
		{.name = "c", .width = WIDTH, .channel = channel, .core = core}};
	static const char *const size[] = {"encoder.hidden_dim=8", "encoder.heads=2", "encoder.ffn_dim=12",
		"encoder.layers=3", "encoder.tokens=patch", "encoder.patch=4", NULL};
	struct layout l = {
		.length = T, .stride = T, .rate = 64, .unit = "uV", .regions = K, .region = region};
	struct configuration c;
	struct names set = {0};
	names_split(&l.channels, "x,y", ',');
	names_split(&l.classes, "rest,task,sleep", ',');
	names_split(&set, mode, ' ');
	config_begin(&c, PRESET_SEED);
	for (int i = 0; size[i]; i++)
		CHECK(!config_set(&c, size[i]));
	for (int i = 0; i < set.n; i++)
		CHECK(!strcmp(set.s[i], "early") || !config_set(&c, set.s[i]));
	if (config_check(&c))
		fprintf(stderr, "%s: %s\n", mode, err_text());
	struct model *m = model_new(&c.value, &l, -1);
	params_init(&m->params, 11);
	struct rng r = rng_stream(12, "away from zero", 0, 0);
	for (size_t i = 0; i < m->params.count; i++)
		m->params.x[i] += (real)(0.1 * rng_normal(&r));
	names_free(&l.channels);
	names_free(&l.classes);
	names_free(&set);
	config_end(&c);
	return m;
}

static struct batch *make_batch(const char *mode)
{
	struct batch *a = NEW(struct batch);
	struct rng r = rng_stream(13, "samples", 0, 0);
	a->m = make_model(mode);
	a->source = (struct window_source){
		.context = a, .fill = fill, .samples = text_starts(mode, "early") ? samples : NULL};
	for (int b = 0; b < B; b++)
		for (int k = 0; k < K; k++)
			for (int i = 0; i < T * WIDTH; i++)
				a->x[b][k][i] = (real)rng_normal(&r);
	for (int b = 0; b < B * TIMES; b++) {
		a->label[b] = b % B % 3;
		a->group[b] = b % B / 2;
	}
	return a;
}

static struct train_step step_of(const struct batch *a, double dropout)
{
	return (struct train_step){.label = a->label,
		.group = a->group,
		.smoothing = REAL(0.1),
		.dropout = (real)dropout,
		.seed = 5};
}

static double furthest(const real *x, const real *y, size_t n)
{
	double worst = 0, top = 1e-3;
	for (size_t i = 0; i < n; i++) {
		worst = fmax(worst, fabs((double)x[i] - (double)y[i]));
		top = fmax(top, fabs((double)x[i]));
	}
	return worst / top;
}

/* A batch that repeats itself has the loss and the gradient of what it repeats, though it is cut
 * into many pieces. */
static void check_cut(struct batch *a, struct forward *f, real *gradient, real *of_many)
{
	struct train_step step = step_of(a, 0);
	const double tolerance = sizeof(real) == 8 ? 1e-12 : 2e-4;
	real loss = forward_train(f, B, &a->source, &step, gradient);
	CHECK_NEAR(forward_train(f, B * TIMES, &a->source, &step, of_many), loss, tolerance);
	CHECK(furthest(gradient, of_many, a->m->params.count) < tolerance);
}

static void check_threads(struct batch *a, struct forward *one, struct forward *three, real *x, real *y)
{
	struct train_step step = step_of(a, 0.2);
	a->m->config.gate.noise_std = 0.3;
	real loss = forward_train(one, B * TIMES, &a->source, &step, x);
	CHECK(loss == forward_train(three, B * TIMES, &a->source, &step, y));
	CHECK(!memcmp(x, y, a->m->params.count * sizeof(real)));
#ifdef REAL_DOUBLE
	forward_train(one, B, &a->source, &step, x);
	against_differences(a->m, one, B, &a->source, &step, x);
#endif
	a->m->config.gate.noise_std = 0;
}

static void check_company(struct batch *a, struct forward *one, struct forward *three)
{
	real all[B * 2][3], gate_all[B * 2][K], alone[3], gate[K];
	forward_evaluate(three, B * 2, &a->source, all[0], gate_all[0]);
	forward_evaluate(one, 1, &a->source, alone, gate);
	for (int b = 0; b < B * 2; b += B) {
		CHECK(!memcmp(all[b], alone, sizeof alone));
		CHECK(!memcmp(gate_all[b], gate, sizeof gate));
	}
	CHECK(memcmp(all[1], alone, sizeof alone));
}

static const char *mode;

static void one_mode(void)
{
	struct batch *a = make_batch(mode);
	struct pool *one = pool_new(1), *three = pool_new(3);
	struct forward *f = forward_new(a->m, one), *g = forward_new(a->m, three);
	real *x = NEW_ARRAY(real, a->m->params.count), *y = NEW_ARRAY(real, a->m->params.count);
	check_cut(a, f, x, y);
	check_threads(a, f, g, x, y);
	check_company(a, f, g);
	forward_free(f);
	forward_free(g);
	pool_free(one);
	pool_free(three);
	model_free(a->m);
	free(a);
	free(x);
	free(y);
}

int main(void)
{
	for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
		mode = modes[i];
		check_case(mode, one_mode);
	}
	return check_done();
}
