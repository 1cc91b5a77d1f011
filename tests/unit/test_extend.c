/* Going in through the seams: a router, a type of experts, a tokeniser, an optimizer and an
 * augmentation that only this file knows, each entered by one more row of its table, are trained,
 * written, read, asked, routed with and described like all others. */
#include "check.h"
#include "configured.h"
#include "made.h"

#include "analysis/describe.h"
#include "analysis/recorder.h"
#include "base/error.h"
#include "model/augmentations.h"
#include "model/layers_help.h"
#include "model/optimizers.h"
#include "model/tokenisers.h"
#include "moe/experts.h"
#include "moe/routers.h"
#include "train/fit.h"
#include "train/optimizer.h"

#include <unistd.h>

enum { WINDOWS = 40, SEED = 3 };

/* --- a router: the k best of z + tilt U x, with a second learned map U and a tilt that the
 * configuration says */

static const struct setting router_keys[] = {
	{"moe.tilt", "0.5", 0, 8, false, "how much a tilted router tilts"}, {0}};

static int router_declare(const struct router_shape *s, struct tensor_plan plan[ROUTER_TENSORS])
{
	int n = router_linear_tensors(s, plan);
	plan[n] = (struct tensor_plan){"tilt.weight", 2, s->E, s->H, START_NORMAL, 1};
	return n + 1;
}

static void router_choose(struct tape *t, struct node *x, const struct weight w[ROUTER_TENSORS],
	const struct router_shape *s, struct choice *c)
{
	struct tensor_plan plan[ROUTER_TENSORS];
	struct node *tilt = op_linear(t, x, w[router_linear_tensors(s, plan)], (struct weight){0}, s->E);
	c->logits = op_add(t, router_linear(t, x, w, s),
		op_scale(t, tilt, (real)setting_value(s->own, &router_keys[0])));
	router_top(t, router_score(t, c->logits, s, c), s, c);
}

static const struct router_type router_tilted = {.name = "tilted",
	.help = "a router of a test",
	.settings = router_keys,
	.sends = true,
	.ranks = true,
	.linear = true,
	.logits = true,
	.learns = true,
	.declare = router_declare,
	.choose = router_choose};

ROUTERS(ROUTER_DECLARATION)
const struct router_type *const router_table[] = {ROUTERS(ROUTER_ROW) ROUTER_ROW(tilted) NULL};

/* --- a type of experts: gain (W x + b) */

static const struct setting expert_keys[] = {
	{"moe.gain", "2", 1, 9, true, "times which a mapped expert answers"}, {0}};

static int expert_declare(const struct expert_shape *s, struct tensor_plan plan[EXPERT_TENSORS])
{
	plan[0] = (struct tensor_plan){"map.weight", 2, s->H, s->H, START_FAN_IN, s->H};
	plan[1] = (struct tensor_plan){"map.bias", 1, s->H, 0, START_CONSTANT, 0};
	return 2;
}

static struct node *expert_forward(struct tape *t, struct node *x, const struct weight w[EXPERT_TENSORS],
	const struct expert_shape *s, const struct expert_rows *rows)
{
	(void)rows;
	return op_scale(t, op_linear(t, x, w[0], w[1], s->H), (real)setting_value(s->own, &expert_keys[0]));
}

static const struct expert_type expert_mapped = {.name = "mapped",
	.help = "a type of a test",
	.settings = expert_keys,
	.declare = expert_declare,
	.forward = expert_forward};

EXPERTS(EXPERT_DECLARATION)
const struct expert_type *const expert_table[] = {EXPERTS(EXPERT_ROW) EXPERT_ROW(mapped) NULL};

/* --- a tokeniser: every n-th sample is a token */

static const struct setting tokeniser_keys[] = {
	{"encoder.every", "2", 1, 8, true, "samples from one token of a thinned window to the next"}, {0}};

static int every(const struct config *c)
{
	return (int)config_own(c, &tokeniser_keys[0]);
}

static int token_count(const struct config *c, int T_, double rate, int samples)
{
	(void)T_;
	(void)rate;
	return samples / every(c);
}

static int token_size(const struct config *c, int T_, double rate, const struct region *r, int *n, int *D)
{
	*n = token_count(c, T_, rate, T_);
	*D = r->width;
	return 0;
}

static void token_features(const struct config *c, const void *prepared, const real *x, int T_, double rate,
	const struct region *r, real *out, struct arena *scratch)
{
	(void)prepared;
	(void)scratch;
	for (int i = 0; i < token_count(c, T_, rate, T_); i++)
		memcpy(out + i * r->width, x + i * every(c) * r->width, (size_t)r->width * sizeof *x);
}

static const struct tokeniser tokeniser_thinned = {.name = "thinned",
	.settings = tokeniser_keys,
	.size = token_size,
	.count = token_count,
	.features = token_features};

TOKENISERS(TOKENISER_DECLARATION)
const struct tokeniser *const tokeniser_table[] = {TOKENISERS(TOKENISER_ROW) TOKENISER_ROW(thinned) NULL};

/* --- an optimizer: x falls by lr g; its slot sums up the gradients */

static void descend(const struct param *p, real *x, real *gradient, real *const *state, size_t n,
	const struct config *c, double lr, long number)
{
	real rate = (real)optimizer_rate(c, p, lr);
	(void)number;
	for (size_t i = 0; i < n; i++) {
		real before = x[i];
		state[0][i] += gradient[i];
		x[i] -= rate * gradient[i];
		gradient[i] = before;
	}
}

static const struct optimizer optimizer_descent = {"descent", 1, {"optimizer.sum."}, descend};

OPTIMIZERS(OPTIMIZER_DECLARATION)
const struct optimizer *const optimizer_table[] = {OPTIMIZERS(OPTIMIZER_ROW) OPTIMIZER_ROW(descent) NULL};
const char *const optimizer_names[] = {OPTIMIZERS(OPTIMIZER_NAME) OPTIMIZER_NAME(descent) NULL};

/* --- an augmentation: the window is so many times as large */

static void enlarge(const struct augmentation_view *v)
{
	for (int i = 0; i < v->there * v->W; i++)
		v->x[i] *= (real)v->amount;
}

static const struct augmentation augmentation_larger = {
	.name = "larger", .min = 1, .max = 10, .change = enlarge};

AUGMENTATION_LIST(AUGMENTATION_DECLARATION)
const struct augmentation *const augmentation_table[] = {
	AUGMENTATION_LIST(AUGMENTATION_ROW) AUGMENTATION_ROW(larger) NULL};

/* --- what all of them go through */

static char folder[] = "/tmp/moe-extend-XXXXXX";
static const struct history no_history = {.off = 1};

struct rig {
	struct layout l;
	struct dataset *d;
	struct holdout_split split;
	struct pool *pool;
	struct model *m; /* after two steps */
	struct st_file *state;
	real *start; /* [m->params.count] before them */
};

static const char *const small[] = {"encoder.hidden_dim=8", "encoder.heads=2", "encoder.layers=2",
	"encoder.ffn_dim=8", "train.batch_size=20", "train.epochs=1", "train.warmup_steps=0",
	"train.schedule=constant", "train.clip_norm=0", "encoder.dropout=0"};

/* Two steps with these assignments besides, ended by NULL. */
static void train(struct rig *r, const char *const *set)
{
	*r = (struct rig){.l = target(), .pool = pool_new(2)};
	const char *all[40] = {0};
	size_t n = sizeof small / sizeof *small;
	memcpy(all, small, sizeof small);
	for (; *set; set++)
		all[n++] = *set;
	struct configuration c = configured(PRESET_SEED, all);
	r->d = dataset_new(&r->l, MISSING_ERROR);
	CHECK(!dataset_add(r->d, make("a,b,c", 2, 20, 4, 1)));
	CHECK(!holdout_cut(r->d, &(struct holdout){0}, &r->split) && r->split.trains == WINDOWS);
	struct training_data data = {r->d, r->d, r->split.train, r->split.valid, r->split.trains, 0, NULL};
	r->m = fit_model(&c, NULL, false, &data, r->pool, SEED, NULL);
	CHECK(r->m != NULL);
	r->start = NEW_ARRAY(real, r->m->params.count);
	memcpy(r->start, r->m->params.x, r->m->params.count * sizeof *r->start);
	struct trainer *t = trainer_new(r->m, &data, r->pool, SEED);
	CHECK(!trainer_run(t, &(struct watch){0}));
	CHECK(!trainer_save_state(t, "state.st", &no_history));
	r->state = st_read("state.st");
	CHECK(r->state != NULL);
	trainer_free(t);
	config_end(&c);
}

static void done(struct rig *r)
{
	free(r->start);
	st_free(r->state);
	model_free(r->m);
	holdout_split_free(&r->split);
	dataset_free(r->d);
	pool_free(r->pool);
	target_done(&r->l);
}

/* logits [WINDOWS][2] of a model; routing (NULL: not wanted) becomes the file "routing.st". */
static void ask(const struct rig *r, const struct model *m, bool routing, real *logits)
{
	int64_t item[WINDOWS];
	real gate[WINDOWS * 2];
	float weight[WINDOWS * 2];
	struct forward *f = forward_new(m, r->pool);
	struct selection *s = selection_new(m, &(struct selection_words){0});
	struct recorder *rec = routing ? recorder_new(m, s, WINDOWS) : NULL;
	if (rec)
		forward_besides(f, &(struct besides){.chosen = recorder_take, .context = rec});
	for (int i = 0; i < WINDOWS; i++)
		item[i] = i;
	CHECK(!dataset_scale(r->d, m));
	CHECK(!dataset_evaluate(r->d, f, item, WINDOWS, WINDOWS, 2, 2, logits, gate, NULL));
	for (int i = 0; i < WINDOWS * 2; i++) {
		CHECK(isfinite(logits[i]));
		weight[i] = (float)gate[i];
	}
	if (rec) {
		struct recorder_file *spool = recorder_file_new(rec, WINDOWS);
		struct st_writer *st = st_writer_new();
		struct output *o = output_open("routing.st", OUTPUT_BINARY);
		struct windows w = *dataset_windows(r->d, 0);
		w.layout.regions = r->l.regions;
		w.layout.region = r->l.region;
		CHECK(!recorder_file_add(spool, WINDOWS));
		windows_put_table(&w, st);
		routing_put_gate(st, WINDOWS, 2, weight);
		recorder_file_put(spool, st);
		CHECK(!st_write(st, o) && !output_commit(o));
		st_writer_free(st);
		recorder_file_free(spool);
	}
	recorder_free(rec);
	selection_free(s);
	forward_free(f);
}

/* The model is written, and what is read answers as it did; returned to be freed. */
static struct model *read_back(struct rig *r, bool routing)
{
	real before[WINDOWS * 2], after[WINDOWS * 2];
	CHECK(!model_save(r->m, "model.st", &no_history));
	struct model *m = model_load("model.st");
	CHECK(m != NULL);
	ask(r, r->m, false, before);
	ask(r, m, routing, after);
	CHECK(!memcmp(before, after, sizeof before));
	return m;
}

static struct text described(const char *path)
{
	struct text t = {0};
	struct st_file *f = st_read(path);
	CHECK(f && !describe_file(f, &t));
	st_free(f);
	return t;
}

/* The largest change of the tensors whose names end so. */
static double moved(const struct rig *r, const char *end, int *tensors)
{
	double most = 0;
	*tensors = 0;
	for (int i = 0; i < r->m->params.n; i++) {
		const struct param *p = &r->m->params.list[i];
		*tensors += text_ends(p->name, end);
		for (size_t j = p->offset; text_ends(p->name, end) && j < p->offset + p->count; j++)
			most = fmax(most, fabs((double)(r->m->params.x[j] - r->start[j])));
	}
	return most;
}

static bool refused(const char *const *set, const char *words)
{
	struct configuration c;
	bool bad = false;
	config_begin(&c, PRESET_SEED);
	for (; *set && !bad; set++)
		bad = config_set(&c, *set) != 0;
	bad = bad || config_check(&c);
	config_end(&c);
	if (bad && !strstr(err_text(), words))
		fprintf(stderr, "%s\n", err_text());
	return bad && err_status() == EX_CONFIG && strstr(err_text(), words);
}

#define REFUSED(WORDS, ...) CHECK(refused((const char *const[]){__VA_ARGS__, NULL}, WORDS))

static void traits_say_which_keys_have_an_effect(void)
{
	static const char *const good[] = {"moe.layers=all", "moe.router=tilted", "moe.top_k=1",
		"moe.score=sigmoid", "moe.bias=true", "moe.groups=2", "moe.jitter=0.1", "moe.temperature=2",
		"moe.capacity_factor=1", "moe.balance=bias", "moe.z_loss_weight=0.1", "moe.tilt=1.5",
		"moe.gain=3", "moe.expert_types=[\"ffn*2\",\"mapped*2\"]", "encoder.tokens=thinned",
		"encoder.every=4", "train.optimizer=descent", "train.augment=larger:2", NULL};
	struct configuration c = configured(PRESET_SEED, good);
	struct text json = {0}, list = {0};
	config_write_json(&c.value, &json);
	CHECK(strstr(json.s, "\"tilt\":1.5") && strstr(json.s, "\"gain\":3") &&
		strstr(json.s, "\"every\":4"));
	struct configuration again;
	config_begin(&again, PRESET_SEED);
	CHECK(!config_json(&again, json.s, json.n, FROM_MODEL, "json"));
	struct text second = {0};
	config_write_json(&again.value, &second);
	CHECK_TEXT(second.s, json.s);
	text_free(&second);
	config_print_mdoc(&list);
	CHECK(strstr(list.s, ".It Cm moe.tilt\nHow much a tilted router tilts") &&
		strstr(list.s, "| tilted") && strstr(list.s, "| thinned") && strstr(list.s, "| descent"));
	text_free(&list);
	text_free(&json);
	config_end(&again);
	config_end(&c);
	REFUSED("moe.tilt has no effect: moe.router is not tilted", "moe.layers=all", "moe.tilt=1");
	REFUSED("moe.gain has no effect: no expert is of type mapped", "moe.layers=all", "moe.gain=3");
	REFUSED("encoder.every has no effect: encoder.tokens is not thinned", "encoder.every=4");
	REFUSED("outside 0 to 8", "moe.layers=all", "moe.router=tilted", "moe.tilt=9");
	REFUSED("moe.gain is not a whole number", "moe.layers=all", "moe.expert_types=mapped",
		"moe.gain=1.5");
	REFUSED("moe.router_dim has no effect: moe.router is not cosine", "moe.layers=all",
		"moe.router=tilted", "moe.router_dim=3");
	REFUSED("moe.noise has no effect: moe.router is not noisy_topk", "moe.layers=all",
		"moe.router=tilted", "moe.noise=fixed");
	REFUSED("moe.levels has no effect", "moe.layers=all", "moe.router=tilted", "moe.levels=[2,2]");
	REFUSED("moe.ffn_dim has no effect", "moe.layers=all", "moe.expert_types=mapped", "moe.ffn_dim=4");
	REFUSED("encoder.bands has no effect: encoder.tokens is none of spectral, covariance, power, "
		"relative, "
		"cca and harmonic",
		"encoder.tokens=thinned", "encoder.bands=[4,8]");
	REFUSED("larger:11", "train.augment=larger:11");
}

static void every_row_has_its_help_for_the_pages(void)
{
	struct text t = {0};
	layers_help(&t);
	CHECK(strstr(t.s, "\n= router tilted\na router of a test\n") &&
		strstr(t.s, "\n= expert mapped\na type of a test\n"));
	CHECK(!strstr(t.s, "(null)"));
	text_free(&t);
}

static void a_router_and_experts_go_all_the_way(void)
{
	static const char *const set[] = {"encoder.tokens=sample", "moe.layers=all", "moe.router=tilted",
		"moe.top_k=2", "moe.tilt=1.5", "moe.num_experts=3", "moe.expert_types=mapped", "moe.gain=3",
		"train.lr=0.01", NULL};
	struct rig r;
	train(&r, set);
	int tensors;
	CHECK(moved(&r, ".moe.router.tilt.weight", &tensors) > 1e-4 && tensors == 4);
	CHECK(moved(&r, ".moe.experts.map.weight", &tensors) > 1e-4 && tensors == 4);
	struct model *m = read_back(&r, true);
	CHECK(m->router == &router_tilted && m->region[1].layer[1].part[0].type == &expert_mapped);
	struct model_size size = model_size(m);
	CHECK(size.total - size.active == 4 * (8 * 8 + 8)); /* one expert of three is idle */

	real with[WINDOWS * 2], tilted[WINDOWS * 2], gained[WINDOWS * 2]; /* the keys do something */
	ask(&r, m, false, with);
	struct configuration c = configured(PRESET_SEED,
		(const char *const[]){"moe.layers=all", "moe.router=tilted", "moe.tilt=8", NULL});
	double own[CONFIG_OWN];
	memcpy(own, m->config.own, sizeof own);
	m->config.own[0] = c.value.own[0];
	ask(&r, m, false, tilted);
	memcpy(m->config.own, own, sizeof own);
	m->config.own[1] = 7;
	ask(&r, m, false, gained);
	CHECK(memcmp(with, tilted, sizeof with) && memcmp(with, gained, sizeof with));
	config_end(&c);

	struct input *in = input_open("routing.st");
	struct routing *routing = NULL;
	CHECK(in && routing_next(in, &routing) == 1 && routing->n == WINDOWS && routing->layers == 4);
	for (int i = 0; routing && i < routing->layers; i++) {
		const struct routing_layer *l = &routing->layer[i];
		CHECK(l->experts == 3 && l->k == 2 && !l->capacity);
		for (int64_t j = 0; j < routing->n * l->tokens; j++) {
			CHECK(l->expert[j * 2] >= 0 && l->expert[j * 2 + 1] >= 0 && l->expert[j * 2] < 3 &&
				l->expert[j * 2 + 1] < 3 && l->expert[j * 2] != l->expert[j * 2 + 1]);
			CHECK_NEAR(l->weight[j * 2] + l->weight[j * 2 + 1], 1, 1e-5);
		}
	}
	routing_free(routing);
	input_close(in);
	struct text t = described("model.st");
	CHECK(strstr(t.s, "\"router\":\"tilted\"") && strstr(t.s, "\"tilt\":1.5") &&
		strstr(t.s, "\"gain\":3") && strstr(t.s, "\"expert_types\":[\"mapped\"]"));
	text_free(&t);
	model_free(m);
	done(&r);
}

static void a_tokeniser_goes_all_the_way(void)
{
	static const char *const set[] = {"encoder.tokens=thinned", "encoder.every=4", NULL};
	struct rig r;
	train(&r, set);
	struct model *m = read_back(&r, false);
	CHECK(m->region[1].tokeniser == &tokeniser_thinned && m->region[1].n == T / 4);
	struct text t = described("model.st");
	CHECK(strstr(t.s, "\"tokens\":\"thinned\"") && strstr(t.s, "\"every\":4"));
	text_free(&t);
	model_free(m);
	done(&r);
}

/* x falls by lr times the sum of its gradients, which the state holds. */
static void an_optimizer_goes_all_the_way(void)
{
	static const char *const set[] = {
		"train.optimizer=descent", "train.lr=0.125", "encoder.tokens=sample", NULL};
	struct rig r;
	train(&r, set);
	real *sum = NEW_ARRAY(real, r.m->params.count);
	CHECK(!model_read_slab(r.m, r.state, "optimizer.sum.", sum));
	double most = 0;
	for (size_t i = 0; i < r.m->params.count; i++) {
		most = fmax(most, fabs((double)sum[i]));
		CHECK_NEAR(r.m->params.x[i], r.start[i] - sum[i] / 8, 1e-5);
	}
	CHECK(most > 0.01);
	struct model *m = read_back(&r, false);
	struct text model = described("model.st"), state = described("state.st");
	const char *a = strstr(model.s, "\"parameters\""), *b = strstr(state.s, "\"parameters\"");
	CHECK(a && b && !strncmp(a, b, strcspn(a, "}"))); /* the sums are no parameters */
	CHECK(strstr(model.s, "\"optimizer\":\"descent\""));
	text_free(&state);
	text_free(&model);
	free(sum);
	model_free(m);
	done(&r);
}

static void an_augmentation_goes_all_the_way(void)
{
	static const char *const plain[] = {"encoder.tokens=sample", NULL},
				 *const once[] = {"encoder.tokens=sample", "train.augment=larger:1", NULL},
				 *const larger[] = {"encoder.tokens=sample", "train.augment=larger:3", NULL};
	struct rig r[3];
	train(&r[0], plain);
	train(&r[1], once);
	train(&r[2], larger);
	size_t bytes = r[0].m->params.count * sizeof(real);
	CHECK(!memcmp(r[0].m->params.x, r[1].m->params.x, bytes) &&
		memcmp(r[0].m->params.x, r[2].m->params.x, bytes));
	struct model *m = read_back(&r[2], false);
	struct text t = described("model.st");
	CHECK(strstr(t.s, "\"augment\":[\"larger:3\"]"));
	text_free(&t);
	model_free(m);
	for (int i = 0; i < 3; i++)
		done(&r[i]);
}

int main(void)
{
	if (!mkdtemp(folder) || chdir(folder))
		return 1;
	CASE(traits_say_which_keys_have_an_effect);
	CASE(every_row_has_its_help_for_the_pages);
	CASE(a_router_and_experts_go_all_the_way);
	CASE(a_tokeniser_goes_all_the_way);
	CASE(an_optimizer_goes_all_the_way);
	CASE(an_augmentation_goes_all_the_way);
	unlink("model.st");
	unlink("state.st");
	unlink("routing.st");
	return check_done() | (rmdir(folder) != 0);
}
