#include "train/trainer_state.h"

#include "base/error.h"
#include "base/mem.h"
#include "base/progress.h"
#include "base/rng.h"
#include "model/head.h"
#include "train/augment.h"
#include "train/calibrate.h"
#include "train/schedule.h"
#include "dataset/tokens.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* balanced: n / (classes * windows of the class) */
static real *balanced_weights(const struct trainer *t)
{
	int classes = t->m->layout.classes.n;
	real *w = NEW_ARRAY(real, classes);
	for (int64_t i = 0; i < t->data.trains; i++)
		w[t->data.train->item[t->data.train_item[i]].label] += 1;
	for (int c = 0; c < classes; c++)
		w[c] = w[c] > 0 ? (real)t->data.trains / ((real)classes * w[c]) : 0;
	return w;
}

struct trainer *trainer_new(
	struct model *m, const struct training_data *data, struct pool *pool, uint64_t seed)
{
	struct trainer *t = NEW(struct trainer);
	size_t n = m->params.count;
	int batch = m->config.train.batch_size;
	t->m = m;
	t->data = *data;
	t->pool = pool;
	t->seed = seed;
	t->forward = forward_new(m, pool);
	t->optimizer = optimizer_table[m->config.train.optimizer];
	t->update = update_new(t->optimizer, &m->params, pool);
	t->gradient = NEW_ARRAY(real, n);
	for (int i = 0; i < t->optimizer->slots; i++)
		t->slot[i] = NEW_ARRAY(real, n);
	t->best = data->valids ? NEW_ARRAY(real, n) : NULL;
	t->class_weight = m->config.train.class_weight == CLASS_WEIGHT_BALANCED ? balanced_weights(t) : NULL;
	t->order = spill_grow(&t->order_spill, NULL, (size_t)data->trains * sizeof *t->order);
	t->order_epoch = -1;
	t->moe_layers = expert_load_new(m);
	t->label = NEW_ARRAY(int, batch);
	t->group = NEW_ARRAY(int, batch);
	t->condition = NEW_ARRAY(int, batch);
	if (augmentation_pairing(m->config.train.augment) >= 0) {
		t->partner = NEW_ARRAY(int, batch);
		t->other = NEW_ARRAY(int, batch);
		t->share = NEW_ARRAY(real, batch);
		t->mixed_prior = NEW_ARRAY(
			real, (size_t)batch * (size_t)m->layout.regions * (size_t)m->layout.classes.n);
	}
	t->logits = NEW_ARRAY(real, (size_t)batch * (size_t)head_outputs(m));
	return t;
}

void trainer_free(struct trainer *t)
{
	if (!t)
		return;
	forward_free(t->forward);
	expert_load_free(t->moe_layers);
	update_free(t->update);
	names_free(&t->warnings);
	free(t->fingerprint);
	free(t->gradient);
	for (int i = 0; i < OPTIMIZER_SLOTS; i++)
		free(t->slot[i]);
	free(t->best);
	free(t->class_weight);
	spill_free(&t->order_spill, t->order);
	free(t->label);
	free(t->group);
	free(t->condition);
	free(t->partner);
	free(t->other);
	free(t->share);
	free(t->mixed_prior);
	free(t->logits);
	free(t);
}

void trainer_know_fingerprint(struct trainer *t, const char *fingerprint)
{
	free(t->fingerprint);
	t->fingerprint = mem_text(fingerprint);
}

int trainer_best_epoch(const struct trainer *t)
{
	return t->at.best_epoch;
}

double trainer_best_loss(const struct trainer *t)
{
	return t->at.best_loss;
}

bool trainer_calibrates(const struct trainer *t)
{
	return t->data.valids && t->m->config.train.calibrate == CALIBRATE_TEMPERATURE;
}

static long steps_of_epoch(const struct trainer *t)
{
	int64_t batch = t->m->config.train.batch_size;
	return (long)((t->data.trains + batch - 1) / batch);
}

static void make_order(struct trainer *t)
{
	if (t->order_epoch == t->at.epoch)
		return;
	t->order_epoch = t->at.epoch;
	if (t->m->config.train.shuffle) {
		struct rng r = rng_stream(t->seed, "order", (uint64_t)t->at.epoch, 0);
		rng_permutation(&r, t->order, t->data.trains);
	} else {
		for (int64_t i = 0; i < t->data.trains; i++)
			t->order[i] = i;
	}
}

struct filling {
	const struct trainer *t;
	int64_t from;
};

static int64_t item_of(const struct filling *f, int b)
{
	return f->t->data.train_item[f->t->order[f->from + b]];
}

static bool read_tokens(void *context, int b, int k, real *out)
{
	const struct filling *f = context;
	return tokens_read(f->t->data.train->tokens, item_of(f, b), k, out);
}

static const real *subject_mean(void *context, int b, int k)
{
	const struct filling *f = context;
	return tokens_subject_mean(f->t->data.train->tokens, item_of(f, b), k);
}

/* Of a window that is mixed of two: the prior of both, by their shares. */
static const real *out_of_fold_prior(void *context, int b, int k)
{
	const struct filling *f = context;
	const struct trainer *t = f->t;
	const struct tokens *tokens = t->data.train->tokens;
	const real *own = tokens_prior(tokens, item_of(f, b), k);
	if (!own || !t->partner || t->partner[b] == b)
		return own;
	const real *other = tokens_prior(tokens, item_of(f, t->partner[b]), k);
	int classes = t->m->layout.classes.n;
	real *mixed =
		t->mixed_prior + ((size_t)b * (size_t)t->m->layout.regions + (size_t)k) * (size_t)classes;
	for (int c = 0; other && c < classes; c++)
		mixed[c] = t->share[b] * own[c] + (1 - t->share[b]) * other[c];
	return other ? mixed : NULL;
}

static int count_samples(void *context, int b)
{
	const struct filling *f = context;
	return dataset_samples(f->t->data.train, item_of(f, b));
}

static void read_target(void *context, int b, real *out)
{
	const struct filling *f = context;
	f->t->data.target(f->t->data.train, item_of(f, b), out);
}

static struct augment changes(const struct trainer *t)
{
	return (struct augment){t->m->config.train.augment, &t->m->layout, t->seed, (uint64_t)t->at.step};
}

static void fill_alone(const struct filling *f, int b, int k, real *x)
{
	const struct dataset *d = f->t->data.train;
	struct augment a = changes(f->t);
	dataset_fill(d, item_of(f, b), k, x);
	augment_window(&a, b, k, dataset_region_samples(d, item_of(f, b), k), x);
}

static void fill_window(void *context, int b, int k, real *x)
{
	const struct filling *f = context;
	const struct trainer *t = f->t;
	fill_alone(f, b, k, x);
	if (!t->partner || t->partner[b] == b)
		return;
	size_t W = (size_t)t->m->layout.region[k].width,
	       n = (size_t)dataset_region_samples(t->data.train, item_of(f, b), k) * W;
	real *y = NEW_ARRAY(real, (size_t)t->m->region[k].length * W);
	fill_alone(f, t->partner[b], k, y);
	for (size_t i = 0; i < n; i++)
		x[i] = t->share[b] * x[i] + (1 - t->share[b]) * y[i];
	free(y);
}

/* Who is mixed with whom in this step. */
static void make_pairs(struct trainer *t, int B)
{
	struct augment a = changes(t);
	if (!t->partner)
		return;
	augment_pairs(&a, B, t->partner, t->share);
	for (int b = 0; b < B; b++)
		t->other[b] = t->label[t->partner[b]];
}

/* The conditions of the batch; some are taken as unknown, so that there is something to learn
 * from. */
static void fill_conditions(struct trainer *t, int64_t from, int B)
{
	const struct model *m = t->m;
	for (int b = 0; b < B && m->conditions; b++) {
		struct rng r = rng_stream(t->seed, "condition", (uint64_t)t->at.step, (uint64_t)b);
		bool unknown = m->unknown >= 0 && rng_uniform(&r) < m->config.moe.condition_unknown;
		t->condition[b] =
			unknown ? m->unknown
				: t->data.train->item[t->data.train_item[t->order[from + b]]].condition;
	}
}

static void count_right(struct trainer *t, int B)
{
	int classes = t->m->layout.classes.n;
	for (int b = 0; b < B && t->m->head->classes; b++)
		t->at.right +=
			metrics_predicted(t->logits + (size_t)b * (size_t)classes, classes) == t->label[b];
}

/* The first window of a batch whose answer is not finite while that to another one is, so that it
 * is due to the window and not to the parameters; -1 where there is none. */
static int64_t window_without_answer(const struct trainer *t, int64_t from, int B)
{
	int outputs = head_outputs(t->m), first = -1, lost = 0;
	for (int b = 0; b < B; b++) {
		bool finite = reals_finite(t->logits + b * outputs, (size_t)outputs);
		lost += !finite;
		if (!finite && first < 0)
			first = b;
	}
	return first >= 0 && lost < B ? t->data.train_item[t->order[from + first]] : -1;
}

/* The next batch: 0, or -1 when loss, gradient or parameters stopped being finite (the parameters
 * are as before then). */
static int one_step(struct trainer *t, struct step_report *r)
{
	struct config *c = &t->m->config;
	int64_t from = (int64_t)t->at.in_epoch * c->train.batch_size;
	int B = t->data.trains - from < c->train.batch_size ? (int)(t->data.trains - from)
							    : c->train.batch_size;
	make_order(t);
	for (int b = 0; b < B; b++) {
		const struct item *it = &t->data.train->item[t->data.train_item[t->order[from + b]]];
		t->label[b] = it->label;
		t->group[b] = it->group;
	}
	fill_conditions(t, from, B);
	make_pairs(t, B);
	struct train_step step = {.label = t->m->head->classes ? t->label : NULL,
		.other = t->other,
		.share = t->share,
		.group = t->group,
		.class_weight = t->class_weight,
		.smoothing = (real)c->train.label_smoothing,
		.dropout = (real)c->encoder.dropout,
		.seed = t->seed,
		.number = (uint64_t)t->at.step,
		.logits = t->logits,
		.losses = &r->parts};
	struct filling f = {t, from};
	bool tokens = t->data.train->tokens != NULL;
	struct window_source source = {.context = &f,
		.fill = fill_window,
		.samples = count_samples,
		.tokens = tokens && !augments(c) ? read_tokens : NULL,
		.subject_mean = tokens ? subject_mean : NULL,
		.linear_prior = tokens ? out_of_fold_prior : NULL,
		.target = t->data.target ? read_target : NULL,
		.condition = t->m->conditions ? t->condition : NULL};
	const char *bad, *lost;
	r->loss = (double)forward_train(t->forward, B, &source, &step, t->gradient);
	r->grad_norm = update_norm(t->update, t->gradient, &bad);
	r->lr = schedule_rate(c, t->at.step, r->steps);
	int64_t window = isfinite(r->loss) ? -1 : window_without_answer(t, from, B);
	if (window >= 0)
		return dataset_no_answer(t->data.train, window);
	if (!isfinite(r->loss) || bad)
		return err_set(EX_DATAERR,
			"step %ld: the loss is %g, %s%s; the parameters before this step are kept; try a "
			"smaller train.lr, or train.clip_norm=1",
			t->at.step + 1, r->loss,
			bad ? "the gradient overflows, first in tensor " : "the gradient is finite",
			bad ? bad : "");
	lost = update_step(t->update, t->gradient, t->slot, c, r->grad_norm, r->lr, t->at.step + 1);
	if (lost)
		return err_set(EX_DATAERR,
			"step %ld: tensor %s would no longer be finite; the parameters before this step are "
			"kept; try a smaller train.lr",
			t->at.step + 1, lost);
	forward_rebalance(t->forward, &t->m->params);
	count_right(t, B);
	expert_load_add(t->moe_layers, t->forward, B);
	t->at.loss_sum += r->loss * B;
	t->at.task_sum += r->parts.task * B;
	t->at.aux_sum += r->parts.aux * B;
	t->at.z_sum += r->parts.z * B;
	t->at.seen += B;
	t->at.step++;
	t->at.in_epoch++;
	r->step = t->at.step;
	return 0;
}

enum { BATCH = 64 }; /* of validation */

static int label_of(const struct trainer *t, int64_t valid)
{
	return t->data.valid->item[t->data.valid_item[valid]].label;
}

/* Validation windows from .. from + the number returned: out [..][outputs]. gate [BATCH][K]: room.
 * -1 when one has no answer. */
static int64_t evaluate(struct trainer *t, int64_t from, real *out, real *gate)
{
	int64_t n = t->data.valids - from < BATCH ? t->data.valids - from : BATCH;
	return dataset_evaluate(t->data.valid, t->forward, t->data.valid_item + from, n, BATCH,
		       head_outputs(t->m), t->m->layout.regions, out, gate, NULL)
		       ? err_at("validation after step %ld", t->at.step)
		       : n;
}

/* By the head's own measure, where it has no classes. */
static int validate_values(struct trainer *t, struct epoch_report *r)
{
	const struct model *m = t->m;
	int outputs = head_outputs(m);
	real *out = NEW_ARRAY(real, BATCH * outputs), *gate = NEW_ARRAY(real, BATCH * m->layout.regions),
	     *value = NEW_ARRAY(real, head_targets(m));
	double sum = 0;
	int64_t n = 0;
	for (int64_t from = 0; from < t->data.valids && n >= 0; from += n) {
		n = evaluate(t, from, out, gate);
		for (int64_t i = 0; i < n; i++) {
			int64_t item = t->data.valid_item[from + i];
			t->data.target(t->data.valid, item, value);
			sum += m->head->score(
				m, out + i * outputs, value, dataset_samples(t->data.valid, item));
		}
	}
	r->valids = t->data.valids;
	r->valid_loss = sum / (double)t->data.valids;
	r->valid_accuracy = r->valid_balanced_accuracy = NAN;
	free(out);
	free(gate);
	free(value);
	return n < 0 ? -1 : 0;
}

static int validate(struct trainer *t, struct epoch_report *r)
{
	if (!t->m->head->classes)
		return validate_values(t, r);
	int classes = t->m->layout.classes.n, K = t->m->layout.regions;
	real *logits = NEW_ARRAY(real, BATCH * classes), *gate = NEW_ARRAY(real, BATCH * K);
	struct metrics m;
	metrics_begin(&m, classes);
	int64_t n = 0;
	for (int64_t from = 0; from < t->data.valids && n >= 0; from += n) {
		n = evaluate(t, from, logits, gate);
		for (int64_t i = 0; i < n; i++)
			metrics_add(&m, logits + i * classes, label_of(t, from + i));
	}
	r->valids = t->data.valids;
	r->valid_loss = metrics_loss(&m);
	r->valid_accuracy = metrics_accuracy(&m);
	r->valid_balanced_accuracy = metrics_balanced_accuracy(&m);
	metrics_end(&m);
	free(logits);
	free(gate);
	return n < 0 ? -1 : 0;
}

/* The model's temperature, by its answers to the validation windows. */
static int calibrate(struct trainer *t)
{
	int bad = 0;
	int classes = t->m->layout.classes.n;
	struct spill spill[2] = {{0}, {0}};
	size_t n = (size_t)t->data.valids;
	real *logits = spill_grow(&spill[0], NULL, n * (size_t)classes * sizeof *logits),
	     *gate = NEW_ARRAY(real, BATCH * t->m->layout.regions);
	int *label = spill_grow(&spill[1], NULL, n * sizeof *label);
	for (int64_t from = 0; from < t->data.valids && !bad; from += BATCH)
		bad = evaluate(t, from, logits + from * classes, gate) < 0;
	for (int64_t i = 0; i < t->data.valids; i++)
		label[i] = label_of(t, i);
	if (!bad)
		t->m->temperature = calibrate_temperature(logits, label, t->data.valids, classes);
	spill_free(&spill[0], logits);
	spill_free(&spill[1], label);
	free(gate);
	return bad ? -1 : 0;
}

/* Ends the epoch at hand: validation, best parameters, patience. */
static int end_epoch(struct trainer *t, struct epoch_report *r)
{
	struct counters *c = &t->at;
	r->loss = c->loss_sum / (double)c->seen;
	r->parts.task = c->task_sum / (double)c->seen;
	r->parts.aux = c->aux_sum / (double)c->seen;
	r->parts.z = c->z_sum / (double)c->seen;
	r->accuracy = t->m->head->classes ? (double)c->right / (double)c->seen : (double)NAN;
	c->epoch++;
	c->in_epoch = 0;
	c->loss_sum = c->task_sum = c->aux_sum = c->z_sum = 0;
	c->seen = c->right = 0;
	r->epoch = c->epoch;
	names_free(&t->warnings);
	r->moe_layer = expert_load_end_epoch(t->moe_layers, &r->moe_layers, &t->warnings);
	r->warnings = &t->warnings;
	if (t->data.valids) {
		if (validate(t, r))
			return -1;
		if (!isfinite(r->valid_loss))
			return err_set(EX_DATAERR,
				"step %ld: the validation loss of epoch %d is %g; try a smaller train.lr",
				t->at.step, r->epoch, r->valid_loss);
		r->best = !c->best_epoch || r->valid_loss < c->best_loss;
		c->bad_epochs = r->best ? 0 : c->bad_epochs + 1;
		if (r->best) {
			c->best_epoch = c->epoch;
			c->best_loss = r->valid_loss;
			memcpy(t->best, t->m->params.x, t->m->params.count * sizeof(real));
		}
	}
	int patience = t->m->config.train.patience;
	c->finished = c->epoch >= t->m->config.train.epochs ||
		      (t->data.valids && patience && c->bad_epochs >= patience);
	return 0;
}

int trainer_calibrate(struct trainer *t)
{
	return trainer_calibrates(t) ? calibrate(t) : 0;
}

int trainer_run(struct trainer *t, const struct watch *w)
{
	long per_epoch = steps_of_epoch(t), steps = schedule_steps(&t->m->config, t->data.trains);
	double start = progress_now();
	int64_t windows = 0;
	while (!t->at.finished) {
		struct step_report s = {
			.epoch = t->at.epoch + 1, .epochs = t->m->config.train.epochs, .steps = steps};
		int64_t before = t->at.seen;
		if (one_step(t, &s))
			return -1;
		windows += t->at.seen - before;
		s.windows_per_s = (double)windows / (progress_now() - start + 1e-9);
		if (w->step)
			w->step(w->context, &s);
		if (t->at.in_epoch == per_epoch) {
			struct epoch_report r = {.epochs = s.epochs,
				.step = t->at.step,
				.steps = steps,
				.lr = s.lr,
				.grad_norm = s.grad_norm,
				.windows_per_s = s.windows_per_s};
			if (end_epoch(t, &r))
				return -1;
			if (w->epoch)
				w->epoch(w->context, &r);
		}
		if (w->stop && *w->stop && !t->at.finished)
			return 1;
	}
	if (t->data.valids) {
		memcpy(t->m->params.x, t->best, t->m->params.count * sizeof(real));
		if (trainer_calibrate(t))
			return -1;
	}
	return 0;
}
