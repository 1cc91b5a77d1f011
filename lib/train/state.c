/* The state file: the model as it stands, the optimizer's moments, the best parameters so far, and
 * where training was. */
#include "train/trainer_state.h"

#include "base/error.h"
#include "base/json.h"
#include "base/mem.h"
#include "dataset/tokens.h"
#include "train/survey.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Taken once: what is trained on does not change. */
static const char *fingerprint_of(struct trainer *t)
{
	if (!t->fingerprint)
		t->fingerprint = survey_fingerprint(&t->data, survey_rule(&t->m->config), t->pool);
	return t->fingerprint;
}

/* Whether the fingerprint of a state is that of this training's windows. */
static bool same_windows(struct trainer *t, const char *text)
{
	enum fingerprint_rule rule = fingerprint_rule_of(text);
	if (rule == survey_rule(&t->m->config))
		return !strcmp(text, fingerprint_of(t));
	char *mine = survey_fingerprint(&t->data, rule, t->pool);
	bool same = !strcmp(text, mine);
	free(mine);
	return same;
}

static void write_counters(struct trainer *t, struct text *s)
{
	const struct counters *c = &t->at;
	text_addf(s, "{\"step\":%ld,\"epoch\":%d,\"in_epoch\":%ld,\"loss_sum\":", c->step, c->epoch,
		c->in_epoch);
	json_double(s, c->loss_sum);
	text_add(s, ",\"task_sum\":");
	json_double(s, c->task_sum);
	text_add(s, ",\"aux_sum\":");
	json_double(s, c->aux_sum);
	text_add(s, ",\"z_sum\":");
	json_double(s, c->z_sum);
	text_addf(s, ",\"seen\":%lld,\"right\":%lld,\"batch_size\":%d,\"best_epoch\":%d,\"best_loss\":",
		(long long)c->seen, (long long)c->right, t->m->config.train.batch_size, c->best_epoch);
	json_double(s, c->best_loss);
	text_add(s, ",\"mixtures\":");
	expert_load_write(t->moe_layers, s);
	text_addf(s,
		",\"bad_epochs\":%d,\"finished\":%s,\"told\":%s,\"seed\":\"%llu\",\"trains\":%lld,\"valids\":"
		"%lld,\"fingerprint\":\"%s\"}",
		c->bad_epochs, c->finished ? "true" : "false",
		t->data.train->tokens && tokens_any_prior(t->data.train->tokens) ? "true" : "false",
		(unsigned long long)t->seed, (long long)t->data.trains, (long long)t->data.valids,
		fingerprint_of(t));
}

int trainer_save_state(struct trainer *t, const char *path, const struct history *h)
{
	struct output *o = output_open(path, OUTPUT_BINARY);
	if (!o)
		return -1;
	struct st_writer *w = st_writer_new();
	struct text s = {0};
	char *history = history_append(h, t->m->history);
	model_put(t->m, t->m->params.x, w, "state/1", history);
	write_counters(t, &s);
	st_put_meta(w, "moe.train", s.s);
	for (int i = 0; i < t->optimizer->slots; i++)
		model_put_slab(t->m, w, t->optimizer->slot[i], t->slot[i]);
	if (t->best && t->at.best_epoch)
		model_put_slab(t->m, w, "best.", t->best);
	int r = st_write(w, o);
	st_writer_free(w);
	text_free(&s);
	free(history);
	return output_end(o, r);
}

static double number(const cJSON *root, const char *key)
{
	const cJSON *v = json_get(root, key);
	return cJSON_IsNumber(v) ? v->valuedouble : NAN;
}

static int check_counters(const struct trainer *t, const cJSON *root, const char *what)
{
	const struct counters *c = &t->at;
	int batch = t->m->config.train.batch_size;
	long per_epoch = (long)((t->data.trains + batch - 1) / batch);
	if (c->in_epoch && number(root, "batch_size") != batch)
		return err_set(EX_CONFIG,
			"%s: training was stopped within an epoch, with train.batch_size=%.9g; it cannot go "
			"on with train.batch_size=%d",
			what, number(root, "batch_size"), batch);
	if (c->in_epoch >= per_epoch || c->seen > t->data.trains || c->right > c->seen ||
		(t->data.valids && c->epoch && !c->best_epoch) || c->best_epoch > c->epoch)
		return err_set(EX_DATAERR, "%s: the counters contradict each other", what);
	return 0;
}

/* That the windows are those of the state. The message names their numbers where these differ; old
 * states do not hold them. */
static int check_windows(struct trainer *t, const cJSON *root, const char *what)
{
	const cJSON *print = json_get(root, "fingerprint");
	double trains = number(root, "trains"), valids = number(root, "valids");
	if (!cJSON_IsString(print))
		return err_set(EX_DATAERR, "%s: the fingerprint is missing", what);
	if (same_windows(t, print->valuestring))
		return 0;
	bool other = isfinite(trains) && isfinite(valids) &&
		     (trains != (double)t->data.trains || valids != (double)t->data.valids);
	char *counts = other ? mem_format(" (%.0f for training and %.0f for validation, here %lld and %lld)",
				       trains, valids, (long long)t->data.trains, (long long)t->data.valids)
			     : mem_text("");
	err_set(EX_DATAERR,
		"%s: the state belongs to other windows, or to another choice of validation windows%s; to "
		"continue a model on other windows use --init MODEL",
		what, counts);
	free(counts);
	return -1;
}

static int read_counters(struct trainer *t, const cJSON *root, const char *what)
{
	struct counters *c = &t->at;
	static const char *const keys[] = {"step", "epoch", "in_epoch", "seen", "right", "best_epoch",
		"bad_epochs", "loss_sum", "task_sum", "aux_sum", "z_sum", "best_loss"};
	enum { WHOLE = 7 };
	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
		double x = number(root, keys[i]);
		if (!isfinite(x) || (i < WHOLE && (x < 0 || x > 2e9 || x != floor(x))))
			return err_set(EX_DATAERR, "%s: %s is missing or not a valid number", what, keys[i]);
	}
	*c = (struct counters){.step = (long)number(root, "step"),
		.epoch = (int)number(root, "epoch"),
		.in_epoch = (long)number(root, "in_epoch"),
		.loss_sum = number(root, "loss_sum"),
		.task_sum = number(root, "task_sum"),
		.aux_sum = number(root, "aux_sum"),
		.z_sum = number(root, "z_sum"),
		.seen = (int64_t)number(root, "seen"),
		.right = (int64_t)number(root, "right"),
		.best_epoch = (int)number(root, "best_epoch"),
		.best_loss = number(root, "best_loss"),
		.bad_epochs = (int)number(root, "bad_epochs")};
	return check_windows(t, root, what) ||
			       expert_load_read(t->moe_layers, json_get(root, "mixtures"), c->seen, what)
		       ? -1
		       : check_counters(t, root, what);
}

/* The counters as JSON; *what names the place for messages and is the caller's. */
static cJSON *counters_of(const struct st_file *f, char **what)
{
	const char *counters = st_meta(f, "moe.train");
	*what = mem_format("%s: metadata moe.train", f->name);
	if (counters)
		return json_parse(counters, strlen(counters), *what);
	err_set(EX_DATAERR, "%s: not a training state (metadata moe.train is missing)", f->name);
	return NULL;
}

int trainer_state_start(const struct st_file *f, uint64_t *seed, bool *out_of_fold)
{
	char *what, *end = NULL;
	cJSON *root = counters_of(f, &what);
	const cJSON *v = json_get(root, "seed");
	int r = root ? 0 : -1;
	if (root && cJSON_IsString(v) && *v->valuestring >= '0' && *v->valuestring <= '9')
		*seed = strtoull(v->valuestring, &end, 10);
	if (root && (!end || *end))
		r = err_set(EX_DATAERR, "%s: seed is missing or no number", what);
	*out_of_fold = cJSON_IsTrue(json_get(root, "told"));
	cJSON_Delete(root);
	free(what);
	return r;
}

int trainer_resume(struct trainer *t, const struct st_file *f)
{
	char *what;
	cJSON *root = counters_of(f, &what);
	int r = root ? read_counters(t, root, what) : -1;
	cJSON_Delete(root);
	free(what);
	for (int i = 0; i < t->optimizer->slots && !r; i++)
		r = model_read_slab(t->m, f, t->optimizer->slot[i], t->slot[i]);
	if (!r && t->best && t->at.best_epoch)
		r = model_read_slab(t->m, f, "best.", t->best);
	/* by the configuration of now: more epochs may be wanted, or fewer */
	const struct config *c = &t->m->config;
	t->at.finished = !t->at.in_epoch &&
			 (t->at.epoch >= c->train.epochs || (t->data.valids && c->train.patience &&
								    t->at.bad_epochs >= c->train.patience));
	return r;
}
