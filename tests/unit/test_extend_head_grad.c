/* An output head that comes from outside: all of it is in this file, and one line of a table enters
 * it. It reads the regions' final tokens and puts out a number for each, mixed over the regions by
 * the gate:
 *   out[b][i] = sum_k w_k[b] (u_k . x_k[b][i] + c_k)          behind the end of a window 0
 * Its loss is the squared distance to a target of the window's own, averaged over tokens and
 * windows. */
#include "check.h"
#include "differences.h"

#include "base/error.h"
#include "base/json.h"
#include "base/rng.h"
#include "model/head.h"
#include "train/update.h"

#include <stdlib.h>
#include <unistd.h>

enum { T = 24, PATCH = 4, N = T / PATCH, B = 6, TIMES = 7, WIDTH = 2, K = 3 };

/* --- the head --- */

static int as_many_as_tokens(const struct model *m)
{
	return m->region[0].n;
}

static void declare_values(struct model *m)
{
	int H = m->config.encoder.hidden_dim;
	for (int k = 0; k < m->layout.regions; k++) {
		char *weight = mem_format("values.%d.weight", k), *bias = mem_format("values.%d.bias", k);
		head_tensor(m, weight, 1, H, INIT_FAN_IN, H);
		head_tensor(m, bias, 1, 0, INIT_ZERO, 0);
		free(weight);
		free(bias);
	}
}

struct mixing {
	int n, regions;
	const int *first;
};

static void mix_backward(struct tape *t, struct node *y)
{
	const struct mixing *s = y->saved;
	struct node *w = y->in[0];
	(void)t;
	for (int b = 0; b < y->rows; b++)
		for (int r = s->first[b]; r < s->first[b + 1]; r++)
			for (int k = 0; k < s->regions; k++) {
				real g = y->g[b * s->n + r - s->first[b]];
				w->g[b * s->regions + k] += g * y->in[1 + k]->x[r];
				y->in[1 + k]->g[r] += g * w->x[b * s->regions + k];
			}
}

/* y [B][n] = sum_k w_k v_k, of v_k [first[B]][1] */
static struct node *mix_values(
	const struct model *m, struct tape *t, const struct head_input *in, struct node *const *v)
{
	struct node *all[1 + K] = {in->gate};
	int regions = m->layout.regions, n = m->region[0].n;
	for (int k = 0; k < regions; k++)
		all[1 + k] = v[k];
	struct node *y = tape_node(t, in->B, n, 1 + regions, all, mix_backward);
	struct mixing *s = y->saved = tape_take(t, sizeof *s);
	*s = (struct mixing){n, regions, in->first[0]};
	memset(y->x, 0, (size_t)in->B * (size_t)n * sizeof *y->x);
	for (int b = 0; b < in->B; b++)
		for (int r = in->first[0][b]; r < in->first[0][b + 1]; r++)
			for (int k = 0; k < regions; k++)
				y->x[b * n + r - in->first[0][b]] +=
					in->gate->x[b * regions + k] * v[k]->x[r];
	return y;
}

static struct head_output forward_values(
	const struct model *m, struct tape *t, const struct head_input *in, const struct gradient_view *view)
{
	struct node *v[K];
	for (int k = 0; k < m->layout.regions; k++)
		v[k] = op_linear(t, in->token[k], at(view, m->head_tensor[2 * k]),
			at(view, m->head_tensor[2 * k + 1]), 1);
	return (struct head_output){.out = mix_values(m, t, in, v)};
}

static double total_values(const struct model *m, const struct head_targets *target, int windows)
{
	(void)m;
	(void)target;
	return windows;
}

struct square {
	const real *target;
	const int *first;
	double total;
};

static real square_of(const struct square *s, const struct node *x, int b, int i, real *slope)
{
	real share = 1 / ((real)(s->first[b + 1] - s->first[b]) * (real)s->total);
	real off = x->x[b * x->cols + i] - s->target[b * x->cols + i];
	*slope = 2 * off * share;
	return off * off * share;
}

static void square_backward(struct tape *t, struct node *y)
{
	const struct square *s = y->saved;
	struct node *x = y->in[0];
	real slope;
	(void)t;
	for (int b = 0; b < x->rows; b++)
		for (int i = 0; i < s->first[b + 1] - s->first[b]; i++) {
			square_of(s, x, b, i, &slope);
			x->g[b * x->cols + i] += y->g[0] * slope;
		}
}

static struct head_loss loss_values(const struct model *m, struct tape *t, const struct head_input *in,
	const struct head_output *out, const struct head_targets *target, double total)
{
	struct node *x = out->out, *y = tape_node(t, 1, 1, 1, &x, square_backward);
	struct square *s = y->saved = tape_take(t, sizeof *s);
	real slope;
	(void)m;
	*s = (struct square){target->value, in->first[0], total};
	y->x[0] = 0;
	for (int b = 0; b < x->rows; b++)
		for (int i = 0; i < s->first[b + 1] - s->first[b]; i++)
			y->x[0] += square_of(s, x, b, i, &slope);
	return (struct head_loss){.task = y};
}

static void decode_values(const struct model *m, const real *out, double *p)
{
	for (int i = 0; i < m->region[0].n; i++)
		p[i] = (double)out[i];
}

static void write_values(const struct head_prediction *a, struct text *t)
{
	head_write_list(t, "values", a->p, model_tokens(a->model, 0, a->samples));
}

static const struct head_type head_values = {.name = "values",
	.help = "a number for each token",
	.tokens = true,
	.outputs = as_many_as_tokens,
	.targets = as_many_as_tokens,
	.declare = declare_values,
	.forward = forward_values,
	.total = total_values,
	.loss = loss_values,
	.decode = decode_values,
	.write = write_values};

/* The line that enters it. */
const struct head_type *const head_table[] = {&head_classifier, &head_answers, &head_values, NULL};

/* --- a model with it, and windows --- */

static const char *const modes[] = {"", "early", "early bridge.sync=layer",
	"bridge.sync=layer bridge.tokens=2", "early bridge.tokens=0 encoder.pool=attention",
	"early train.recompute=layer encoder.norm=pre",
	"early moe.layers=all moe.router=topk moe.load_balance_weight=0.3 bridge.sync=layer",
	"early gate.top_k=2 gate.load_balance_weight=0.3 encoder.layers=1",
	"early encoder.tokens=conv encoder.window=0.125 encoder.hop=0.0625 encoder.kernel=0.1"};

struct batch {
	struct model *m;
	struct window_source source;
	real x[B][K][T * WIDTH], target[B][N];
	int group[B * TIMES];
};

static int samples(void *context, int b)
{
	static const int there[B] = {T, 20, 20, 8, T, 13};
	(void)context;
	return there[b % B];
}

static void fill(void *context, int b, int k, real *x)
{
	const struct batch *a = context;
	memcpy(x, a->x[b % B][k], sizeof a->x[0][0]);
}

static void target(void *context, int b, real *out)
{
	const struct batch *a = context;
	memcpy(out, a->target[b % B], (size_t)a->m->region[0].n * sizeof *out);
}

static void configure(struct configuration *c, const char *mode)
{
	struct names set = {0};
	names_split(&set,
		"encoder.hidden_dim=8 encoder.heads=2 encoder.ffn_dim=12 encoder.layers=2 "
		"encoder.tokens=patch "
		"encoder.patch=4 head.type=values",
		' ');
	names_split(&set, mode, ' ');
	config_begin(c, PRESET_SEED);
	for (int i = 0; i < set.n; i++)
		if (*set.s[i] && strcmp(set.s[i], "early") && config_set(c, set.s[i]))
			fprintf(stderr, "%s\n", err_text());
	names_free(&set);
}

/* No class is named: none is needed. */
static struct model *make_model(const char *mode)
{
	static int32_t channel[] = {0, 1};
	static unsigned char core[] = {1, 1};
	static struct region region[K] = {{.name = "a", .width = WIDTH, .channel = channel, .core = core},
		{.name = "b", .width = WIDTH, .channel = channel, .core = core},
		{.name = "c", .width = WIDTH, .channel = channel, .core = core}};
	struct layout l = {
		.length = T, .stride = T, .rate = 64, .unit = "uV", .regions = K, .region = region};
	struct configuration c;
	names_split(&l.channels, "x,y", ',');
	configure(&c, mode);
	struct model *m = model_new(&c.value, &l, -1);
	CHECK(m != NULL);
	params_init(&m->params, 11);
	names_free(&l.channels);
	config_end(&c);
	return m;
}

static struct batch *make_batch(const char *mode)
{
	struct batch *a = NEW(struct batch);
	struct rng r = rng_stream(13, "samples", 0, 0);
	a->m = make_model(mode);
	a->source = (struct window_source){.context = a,
		.fill = fill,
		.samples = text_starts(mode, "early") ? samples : NULL,
		.target = target};
	for (int b = 0; b < B; b++) {
		for (int k = 0; k < K; k++)
			for (int i = 0; i < T * WIDTH; i++)
				a->x[b][k][i] = (real)rng_normal(&r);
		for (int i = 0; i < N; i++) /* something of the token itself, and of its window */
			a->target[b][i] = a->x[b][0][i * PATCH * WIDTH] + a->x[b][1][0];
	}
	CHECK(a->m->region[0].n <= N);
	return a;
}

static void free_batch(struct batch *a)
{
	model_free(a->m);
	free(a);
}

/* --- what holds of it --- */

static const char *mode;

/* The gradient, the cut of a batch, the number of threads, a window's company. */
static void it_trains_as_any_head(void)
{
	const double tolerance = sizeof(real) == 8 ? 1e-12 : 2e-4;
	struct batch *a = make_batch(mode);
	struct model *m = a->m;
	struct pool *pool[] = {pool_new(1), pool_new(3)};
	struct forward *f[] = {forward_new(m, pool[0]), forward_new(m, pool[1])};
	real *g[] = {NEW_ARRAY(real, m->params.count), NEW_ARRAY(real, m->params.count)};
	real *out[] = {NEW_ARRAY(real, B * N), NEW_ARRAY(real, B * N)}, gate[B * K];
	struct train_step step = {.group = a->group, .seed = 5};
	double furthest = 0;
	real loss = forward_train(f[0], B, &a->source, &step, g[0]);
	CHECK_NEAR(forward_train(f[0], B * TIMES, &a->source, &step, g[1]), loss, tolerance);
	for (size_t i = 0; i < m->params.count; i++)
		furthest = fmax(furthest, fabs((double)(g[0][i] - g[1][i])));
	CHECK(furthest < tolerance);
	step.dropout = REAL(0.2);
	real first = forward_train(f[0], B * TIMES, &a->source, &step, g[0]);
	CHECK(isfinite(first) && first == forward_train(f[1], B * TIMES, &a->source, &step, g[1]));
	CHECK(!memcmp(g[0], g[1], m->params.count * sizeof(real)));
#ifdef REAL_DOUBLE
	forward_train(f[1], B, &a->source, &step, g[1]);
	against_differences(m, f[1], B, &a->source, &step, g[1]);
#endif
	forward_evaluate(f[0], B, &a->source, out[0], gate);
	forward_evaluate(f[1], B, &a->source, out[1], gate);
	CHECK(!memcmp(out[0], out[1], (size_t)(B * m->region[0].n) * sizeof(real)));
	forward_evaluate(f[0], 1, &a->source, out[1], gate);
	CHECK(!memcmp(out[0], out[1], (size_t)m->region[0].n * sizeof(real)));
	for (int b = 0; a->source.samples && b < B; b++)
		for (int i = 0; i < m->region[0].n; i++)
			CHECK((out[0][b * m->region[0].n + i] == 0) ==
				(i >= model_tokens(m, 0, samples(a, b))));
	for (int i = 0; i < 2; i++) {
		forward_free(f[i]);
		pool_free(pool[i]);
		free(g[i]);
		free(out[i]);
	}
	free_batch(a);
}

/* Steps of training on the batch; the last one's loss. */
static double train(struct batch *a, struct pool *pool, int steps)
{
	struct model *m = a->m;
	struct forward *f = forward_new(m, pool);
	struct update *u = update_new(optimizer_table[0], &m->params, pool);
	real *slot[OPTIMIZER_SLOTS], *g = NEW_ARRAY(real, m->params.count);
	struct losses parts = {0};
	for (int i = 0; i < OPTIMIZER_SLOTS; i++)
		slot[i] = NEW_ARRAY(real, m->params.count);
	for (int i = 0; i < steps; i++) {
		struct train_step step = {.seed = 5, .number = (uint64_t)i, .losses = &parts};
		const char *bad;
		forward_train(f, B, &a->source, &step, g);
		double norm = update_norm(u, g, &bad);
		CHECK(!bad && !update_step(u, g, slot, &m->config, norm, 0.02, i + 1));
	}
	for (int i = 0; i < OPTIMIZER_SLOTS; i++)
		free(slot[i]);
	free(g);
	update_free(u);
	forward_free(f);
	return parts.task;
}

static void evaluate(struct model *m, struct batch *a, int threads, real *out)
{
	struct pool *pool = pool_new(threads);
	struct forward *f = forward_new(m, pool);
	real gate[B * K];
	forward_evaluate(f, B, &a->source, out, gate);
	forward_free(f);
	pool_free(pool);
}

static void its_loss_falls_and_it_is_written_and_read(void)
{
	char path[] = "/tmp/extend_head_XXXXXX";
	struct batch *a = make_batch("early bridge.sync=layer"), *b = make_batch("early bridge.sync=layer");
	struct pool *one = pool_new(1), *three = pool_new(3);
	CHECK(!close(mkstemp(path)));
	double before = train(a, one, 1), after = train(a, one, 200);
	CHECK(before > 0.5 && after < 0.1 * before);
	train(b, three, 1);
	train(b, three, 200);
	CHECK(!memcmp(a->m->params.x, b->m->params.x, a->m->params.count * sizeof(real)));
	for (size_t i = 0; i < a->m->params.count; i++) /* files hold float */
		a->m->params.x[i] = (real)(float)a->m->params.x[i];
	CHECK(!model_save(a->m, path, &(struct history){.off = true}));
	struct model *again = model_load(path);
	CHECK(again && again->head == &head_values && again->params.count == a->m->params.count);
	real x[2][B * N];
	evaluate(a->m, a, 1, x[0]);
	evaluate(again, a, 3, x[1]);
	CHECK(!memcmp(x[0], x[1], sizeof x[0]));
	CHECK(fabs((double)(x[1][0] - a->target[0][0])) < 1);

	struct text t = {0};
	double p[N];
	int tokens = model_tokens(again, 0, samples(a, 3));
	again->head->decode(again, x[1] + 3 * N, p);
	text_add(&t, "{\"window\":3");
	again->head->write(
		&(struct head_prediction){.model = again, .n = N, .samples = samples(a, 3), .p = p}, &t);
	text_add(&t, "}");
	cJSON *line = json_parse(t.s, t.n, "line");
	const cJSON *values = line ? json_get(line, "values") : NULL;
	CHECK(tokens == 2 && values && cJSON_GetArraySize(values) == 2);
	for (int i = 0; values && i < 2; i++)
		CHECK_NEAR(cJSON_GetArrayItem(values, i)->valuedouble, p[i], 1e-6);
	cJSON_Delete(line);
	text_free(&t);
	unlink(path);
	model_free(again);
	pool_free(one);
	pool_free(three);
	free_batch(a);
	free_batch(b);
}

/* A key chooses it; what does not go with it has no effect; without the key nothing speaks of
 * heads. */
static void a_key_chooses_it(void)
{
	struct configuration c;
	struct text t = {0};
	config_begin(&c, PRESET_DEFAULT);
	CHECK(config_linear_prior(&c.value) && !config_set(&c, "head.type=values") && !config_check(&c));
	CHECK(config_head(&c.value) == &head_values && !config_linear_prior(&c.value));
	config_write_json(&c.value, &t);
	CHECK(strstr(t.s, "},\"head\":{\"type\":\"values\"},\"moe\":{"));
	CHECK(!config_set(&c, "gate.combine=answers") && config_check(&c));
	CHECK(strstr(err_text(), "gate.combine has no effect: head.type is not auto"));
	CHECK(config_set(&c, "head.type=masks"));
	CHECK(strstr(err_text(), "\"masks\" is none of auto|classifier|answers|values"));
	CHECK(!config_set(&c, "head.type=auto") && config_head(&c.value) == &head_answers);
	CHECK(config_linear_prior(&c.value) && !config_check(&c));
	t.n = 0;
	config_write_json(&c.value, &t);
	config_print(&c, 0, &t);
	CHECK(!strstr(t.s, "head.") && !strstr(t.s, "\"head\""));
	config_print_mdoc(&t);
	CHECK(strstr(t.s, "It Cm head.type Ns = Ns Ar \"auto | classifier | answers | values\""));
	CHECK(strstr(t.s, "; values: a number for each token.\n"));
	text_free(&t);
	config_end(&c);
}

int main(void)
{
	for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
		char name[160];
		mode = modes[i];
		snprintf(name, sizeof name, "it_trains_as_any_head: %s", mode);
		check_case(name, it_trains_as_any_head);
	}
	CASE(its_loss_falls_and_it_is_written_and_read);
	CASE(a_key_chooses_it);
	return check_done();
}
