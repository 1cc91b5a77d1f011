/* The state file: the model as it stands, the optimizer's moments, the best parameters so far, and where training was. */
#include "train/trainer_state.h"

#include "base/error.h"
#include "base/json.h"
#include "base/mem.h"

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

static uint64_t mix_items(uint64_t h, const struct dataset *d, const int64_t *items, int64_t n)
{
	for (int64_t i = 0; i < n; i++) {
		const struct item *it = &d->item[items[i]];
		h = mix(h, (uint64_t)it->label);
		h = mix(h, (uint64_t)dataset_windows(d, items[i])->sample[it->window]);
		h = mix_text(h, d->recordings.s[it->recording]);
		h = mix_text(h, d->groups.s[it->group]);
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
	text_addf(s, ",\"seen\":%lld,\"right\":%lld,\"best_epoch\":%d,\"best_loss\":", (long long)c->seen,
		(long long)c->right, c->best_epoch);
	json_double(s, c->best_loss);
	text_addf(s, ",\"bad_epochs\":%d,\"finished\":%s,\"seed\":\"%llu\",\"fingerprint\":\"%016llx\"}",
		c->bad_epochs, c->finished ? "true" : "false", (unsigned long long)t->seed,
		(unsigned long long)trainer_fingerprint(t));
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
	if (!r)
		return output_commit(o);
	output_discard(o);
	return -1;
}

static double number(const cJSON *root, const char *key)
{
	const cJSON *v = json_get(root, key);
	return cJSON_IsNumber(v) ? v->valuedouble : NAN;
}

static int read_counters(struct trainer *t, const cJSON *root, const char *what)
{
	struct counters *c = &t->at;
	static const char *const keys[] = {"step", "epoch", "in_epoch", "loss_sum", "seen", "right",
		"best_epoch", "best_loss", "bad_epochs"};
	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
		if (!(fabs(number(root, keys[i])) < 1e15))
			return err_set(EX_DATAERR, "%s: %s is missing or no number", what, keys[i]);
	*c = (struct counters){(long)number(root, "step"), (int)number(root, "epoch"),
		(long)number(root, "in_epoch"), number(root, "loss_sum"), (int64_t)number(root, "seen"),
		(int64_t)number(root, "right"), (int)number(root, "best_epoch"), number(root, "best_loss"),
		(int)number(root, "bad_epochs"), cJSON_IsTrue(json_get(root, "finished"))};
	long per_epoch =
		(long)((t->data.trains + t->m->config.train.batch_size - 1) / t->m->config.train.batch_size);
	if (c->step < 0 || c->epoch < 0 || c->in_epoch < 0 || c->in_epoch > per_epoch || c->seen < 0 ||
		c->best_epoch < 0 || c->bad_epochs < 0)
		return err_set(EX_DATAERR,
			"%s: counters out of range (another train.batch_size than the state's?)", what);
	const cJSON *seed = json_get(root, "seed"), *print = json_get(root, "fingerprint");
	char *mine = mem_format("%016llx", (unsigned long long)trainer_fingerprint(t));
	int r = 0;
	if (!cJSON_IsString(seed) || !cJSON_IsString(print))
		r = err_set(EX_DATAERR, "%s: seed or fingerprint is missing", what);
	else if (strcmp(print->valuestring, mine))
		r = err_set(EX_DATAERR,
			"%s: the state belongs to other windows, or to another choice of validation windows",
			what);
	else
		t->seed = strtoull(seed->valuestring, NULL, 10);
	free(mine);
	return r;
}

int trainer_resume(struct trainer *t, const struct st_file *f)
{
	const char *counters = st_meta(f, "moe.train");
	if (!counters)
		return err_set(
			EX_DATAERR, "%s: not a training state (metadata moe.train is missing)", f->name);
	char *what = mem_format("%s: metadata moe.train", f->name);
	cJSON *root = json_parse(counters, strlen(counters), what);
	int r = root ? read_counters(t, root, what) : -1;
	cJSON_Delete(root);
	free(what);
	for (int i = 0; i < t->optimizer->slots && !r; i++)
		r = model_read_slab(t->m, f, t->optimizer->slot[i], t->slot[i]);
	if (!r && t->best && t->at.best_epoch)
		r = model_read_slab(t->m, f, "best.", t->best);
	if (!r && t->at.finished && t->at.epoch < t->m->config.train.epochs &&
		!(t->data.valids && t->m->config.train.patience &&
			t->at.bad_epochs >= t->m->config.train.patience))
		t->at.finished = false; /* more epochs are wanted now */
	return r;
}
