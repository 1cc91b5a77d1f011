/* The state file: the model as it stands, the optimizer's moments, the best parameters so far, and where training was. */
#include "train/trainer_state.h"

#include "base/error.h"
#include "base/json.h"
#include "base/mem.h"
#include "dataset/tokens.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* FNV-1a over 64-bit words (Fowler, Noll, Vo). */
static uint64_t mix(uint64_t h, uint64_t x)
{
	for (int i = 0; i < 8; i++)
		h = (h ^ (x >> 8 * i & 255)) * 0x100000001b3U;
	return h;
}

static uint64_t mix_text(uint64_t h, const char *s)
{
	while (*s)
		h = mix(h, (unsigned char)*s++);
	return h;
}

/* The first sample of every channel: enough to tell other recordings, or the same ones filtered, under the same names. */
static uint64_t mix_samples(uint64_t h, const struct dataset *d, int64_t item)
{
	for (int c = 0; c < d->target->channels.n; c++) {
		float x = dataset_sample(d, item, c, 0);
		uint32_t bits;
		memcpy(&bits, &x, sizeof bits);
		h = (h ^ bits) * 0x100000001b3U;
	}
	return h;
}

static uint64_t mix_items(uint64_t h, const struct dataset *d, const int64_t *items, int64_t n)
{
	for (int64_t i = 0; i < n; i++) {
		const struct item *it = &d->item[items[i]];
		h = mix(h, (uint64_t)it->label);
		h = mix(h, (uint64_t)dataset_windows(d, items[i])->sample[it->window]);
		h = mix_text(h, d->recordings.s[it->recording]);
		h = mix_text(h, d->groups.s[it->group]);
		const struct windows *w = dataset_windows(d, items[i]);
		if (w->condition && w->condition[it->window] >= 0)
			h = mix_text(h, w->conditions.s[w->condition[it->window]]);
		h = mix_samples(h, d, items[i]);
		if (dataset_samples(d, items[i]) < d->target->length)
			h = mix(h, (uint64_t)dataset_samples(d, items[i]));
	}
	return mix(h, (uint64_t)n);
}

uint64_t trainer_fingerprint(const struct trainer *t)
{
	uint64_t h = 0xcbf29ce484222325U;
	h = mix_items(h, t->data.train, t->data.train_item, t->data.trains);
	if (t->data.valids)
		h = mix_items(h, t->data.valid, t->data.valid_item, t->data.valids);
	return h;
}

static void write_counters(const struct trainer *t, struct text *s)
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
	mixtures_write(t->mixtures, s);
	text_addf(s,
		",\"bad_epochs\":%d,\"finished\":%s,\"told\":%s,\"seed\":\"%llu\",\"fingerprint\":\"%"
		"016llx\"}",
		c->bad_epochs, c->finished ? "true" : "false",
		t->data.train->tokens && tokens_tell_any(t->data.train->tokens) ? "true" : "false",
		(unsigned long long)t->seed, (unsigned long long)trainer_fingerprint(t));
}

int trainer_save_state(const struct trainer *t, const char *path, const struct history *h)
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
			"%s: training was stopped within an epoch of batches of %.9g, which "
			"train.batch_size=%d does "
			"not continue",
			what, number(root, "batch_size"), batch);
	if (c->in_epoch >= per_epoch || c->seen > t->data.trains || c->right > c->seen ||
		(t->data.valids && c->epoch && !c->best_epoch) || c->best_epoch > c->epoch)
		return err_set(EX_DATAERR, "%s: counters that contradict each other", what);
	return 0;
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
			return err_set(EX_DATAERR, "%s: %s is missing or no such number", what, keys[i]);
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
	const cJSON *print = json_get(root, "fingerprint");
	char *mine = mem_format("%016llx", (unsigned long long)trainer_fingerprint(t));
	int r = 0;
	if (!cJSON_IsString(print))
		r = err_set(EX_DATAERR, "%s: the fingerprint is missing", what);
	else if (strcmp(print->valuestring, mine))
		r = err_set(EX_DATAERR,
			"%s: the state belongs to other windows, or to another choice of validation windows",
			what);
	free(mine);
	return r || mixtures_read(t->mixtures, json_get(root, "mixtures"), c->seen, what)
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

int trainer_state_start(const struct st_file *f, uint64_t *seed, bool *told)
{
	char *what, *end = NULL;
	cJSON *root = counters_of(f, &what);
	const cJSON *v = json_get(root, "seed");
	int r = root ? 0 : -1;
	if (root && cJSON_IsString(v) && *v->valuestring >= '0' && *v->valuestring <= '9')
		*seed = strtoull(v->valuestring, &end, 10);
	if (root && (!end || *end))
		r = err_set(EX_DATAERR, "%s: seed is missing or no number", what);
	*told = cJSON_IsTrue(json_get(root, "told"));
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
