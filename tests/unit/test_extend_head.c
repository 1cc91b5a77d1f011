/* A head of numbers instead of classes, all of it in this file and entered by one line, on the
 * whole way from windows to predictions: training with validation, model file, one model and two,
 * the line of JSON.
 *   out [B][1] = W (sum_k w_k s_k) + b;  loss: the square of the distance to a number of the window's own */
#include "check.h"
#include "configured.h"
#include "made.h"

#include "base/error.h"
#include "base/pool.h"
#include "model/head.h"
#include "predict/prediction.h"
#include "predict/ensemble.h"
#include "train/cv.h"
#include "train/fit.h"

#include <unistd.h>

/* --- the head --- */

static int one(const struct model *m)
{
	(void)m;
	return 1;
}

static void declare(struct model *m)
{
	head_linear(m, "value", 1, m->config.encoder.hidden_dim);
}

static struct head_output forward(
	const struct model *m, struct tape *t, const struct head_input *in, const struct gradient_view *v)
{
	struct node *mixed = op_mix(t, in->gate, in->summary, m->layout.regions);
	CHECK(!in->token && !in->first); /* it did not ask for them */
	return (struct head_output){
		.out = op_linear(t, mixed, at(v, m->head_tensor[0]), at(v, m->head_tensor[1]), 1)};
}

static double total(const struct model *m, const struct head_targets *target, int B)
{
	(void)m;
	(void)target;
	return B;
}

struct square {
	const real *value;
	double total;
};

static void square_backward(struct tape *t, struct node *y)
{
	const struct square *s = y->saved;
	struct node *x = y->in[0];
	(void)t;
	for (int b = 0; b < x->rows; b++)
		x->g[b] += y->g[0] * 2 * (x->x[b] - s->value[b]) / (real)s->total;
}

static struct head_loss loss(const struct model *m, struct tape *t, const struct head_input *in,
	const struct head_output *out, const struct head_targets *target, double windows)
{
	struct node *x = out->out, *y = tape_node(t, 1, 1, 1, &x, square_backward);
	struct square *s = y->saved = tape_take(t, sizeof *s);
	double sum = 0;
	(void)in;
	CHECK(!target->class.label);
	*s = (struct square){target->value, windows};
	for (int b = 0; b < x->rows; b++)
		sum += m->head->score(m, x->x + b, target->value + b, 0);
	y->x[0] = (real)(sum / windows);
	return (struct head_loss){.task = y};
}

static double score(const struct model *m, const real *out, const real *value, int samples)
{
	double off = (double)out[0] - (double)value[0];
	(void)m;
	(void)samples;
	return off * off;
}

static void decode(const struct model *m, const real *out, double *p)
{
	(void)m;
	p[0] = (double)out[0];
}

static void write_value(const struct head_prediction *a, struct text *t)
{
	head_write_list(t, "value", a->p, a->n);
}

static const struct head_type head_value = {.name = "value",
	.help = "a number for each window",
	.outputs = one,
	.targets = one,
	.declare = declare,
	.forward = forward,
	.total = total,
	.loss = loss,
	.score = score,
	.decode = decode,
	.write = write_value};

/* The line that enters it. */
const struct head_type *const head_table[] = {&head_classifier, &head_answers, &head_value, NULL};

/* --- its way --- */

static const char *const keys[] = {"head.type=value", "encoder.tokens=patch", "encoder.patch=2",
	"encoder.hidden_dim=8", "encoder.heads=2", "encoder.ffn_dim=8", "encoder.layers=1",
	"encoder.dropout=0", "train.epochs=20", "train.lr=0.01", "train.warmup_steps=0",
	"train.batch_size=16", NULL};

/* Channel a in the mean of the window, in units of what it varies by */
static void mean_of_a(const struct dataset *d, int64_t item, real *out)
{
	double sum = 0;
	for (int t = 0; t < T; t++)
		sum += ((double)dataset_sample(d, item, 0, t) - 1000) / 10;
	*out = (real)sum / T;
}

struct course {
	double loss[2], valid[2]; /* of the first epoch and of the last */
	int epochs;
};

static void note(void *context, const struct epoch_report *e)
{
	struct course *c = context;
	c->loss[c->epochs > 0] = e->loss;
	c->valid[c->epochs++ > 0] = e->valid_loss;
	CHECK(isnan(e->accuracy) && isnan(e->valid_accuracy));
}

/* A model trained by so many threads, at path; its parameters are kept. */
static struct model *train(const char *path, int threads, struct course *course)
{
	struct layout l = target();
	struct dataset *d = dataset_new(&l, MISSING_ERROR);
	struct configuration c = configured(PRESET_DEFAULT, keys);
	struct pool *pool = pool_new(threads);
	struct holdout_split s;
	CHECK(!dataset_add(d, make("a,b,c", 4, 40, 8, 1)));
	CHECK(!holdout_cut(d, &(struct holdout){.fraction = 0.25, .seed = 1}, &s) && s.valids > 0);
	struct training_data data = {d, d, s.train, s.valid, s.trains, s.valids, NULL};
	CHECK(!fit_model(&c, NULL, false, &data, pool, 1, NULL));
	CHECK(strstr(err_text(), "head.type=value is trained on targets of its own"));
	data.target = mean_of_a;
	struct model *m = fit_model(&c, NULL, false, &data, pool, 1, NULL);
	CHECK(m && m->head == &head_value && m->prior_bias < 0);
	struct trainer *t = trainer_new(m, &data, pool, 3);
	CHECK(!trainer_run(t, &(struct watch){.context = course, .epoch = note}));
	CHECK(!model_save(m, path, &(struct history){.off = true}));
	trainer_free(t);
	holdout_split_free(&s);
	dataset_free(d);
	pool_free(pool);
	config_end(&c);
	target_done(&l);
	return m;
}

enum { WINDOWS = 20 };

/* What models at these paths say of windows they have not seen. */
static void predict(const struct names *paths, double p[WINDOWS], struct text *first)
{
	struct pool *pool = pool_new(2);
	struct ensemble *c = ensemble_load(paths, &(struct selection_words){0}, MISSING_ERROR, pool);
	real out[WINDOWS];
	double gate[2 * WINDOWS];
	bool none[WINDOWS];
	CHECK(c && !ensemble_add(c, make("a,b,c", 1, WINDOWS, 8, 1)));
	CHECK(!ensemble_predict(c, 0, WINDOWS, 7, p, out, gate, none) && !none[0]);
	struct prediction a = prediction_of_item(c->member[0].data, 0, c->member[0].m, 0, p, out, gate);
	CHECK(!a.class && a.outputs == 1 && a.samples == T);
	for (int i = 0; i < WINDOWS; i++)
		CHECK((double)out[i] >= p[i] - 1e-6 && (double)out[i] <= p[i] + 1e-6);
	first->n = 0;
	prediction_json(&a, "", first);
	ensemble_free(c);
	pool_free(pool);
}

static void it_goes_all_the_way(void)
{
	char path[] = "/tmp/extend_head_XXXXXX", wanted[200];
	struct course c[2] = {{{0}, {0}, 0}, {{0}, {0}, 0}};
	struct names paths = {0};
	struct text line = {0};
	double p[WINDOWS], both[WINDOWS];
	CHECK(!close(mkstemp(path)));
	struct model *m = train(path, 1, &c[0]), *again = train(path, 3, &c[1]);
	CHECK(c[0].epochs > 1 && c[0].loss[1] < 0.5 * c[0].loss[0] && c[0].valid[1] < 0.5 * c[0].valid[0]);
	CHECK(!memcmp(&c[0], &c[1], sizeof c[0]));
	CHECK(!memcmp(m->params.x, again->params.x, m->params.count * sizeof(real)));
	names_add(&paths, path);
	predict(&paths, p, &line);
	snprintf(wanted, sizeof wanted,
		"{\"recording\":\"r0\",\"group\":\"g0\",\"start\":0,\"time\":0,\"label\":\"rest\",\"value\":["
		"%.9g]}\n",
		p[0]);
	CHECK_TEXT(text_string(&line), wanted);
	names_add(&paths, path);
	predict(&paths, both, &line);
	CHECK(!memcmp(p, both, sizeof p));
	unlink(path);
	names_free(&paths);
	text_free(&line);
	model_free(m);
	model_free(again);
}

/* What is about classes says that there are none. */
static void classes_are_not_made_up(void)
{
	static const char *const without[] = {"train.class_weight=balanced", "train.label_smoothing=0.1",
		"train.calibrate=temperature", "train.augment=mixup:0.2", "encoder.evidence=ridge"};
	for (size_t i = 0; i < sizeof without / sizeof *without; i++) {
		struct configuration c;
		config_begin(&c, PRESET_DEFAULT);
		CHECK(!config_set(&c, "head.type=value") && !config_check(&c));
		CHECK(!config_set(&c, without[i]));
		CHECK(config_check(&c) && strstr(err_text(), "head.type"));
		struct cv cv = {.config = &c};
		CHECK(cv_check(&cv, NULL) && strstr(err_text(), "head.type=value predicts no classes"));
		config_end(&c);
	}
}

int main(void)
{
	CASE(it_goes_all_the_way);
	CASE(classes_are_not_made_up);
	return check_done();
}
