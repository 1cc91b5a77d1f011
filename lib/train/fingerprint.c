#include "train/fingerprint.h"

#include "base/mem.h"
#include "dataset/dataset.h"

#include <stdlib.h>
#include <string.h>

/* What a text begins with; nothing in states of old. */
static const char *const rule_name[] = {[FINGERPRINT_FIRST] = "",
	[FINGERPRINT_WINDOWS] = "windows:",
	[FINGERPRINT_RECORDINGS] = "recordings:"};

#define EMPTY 0xcbf29ce484222325U /* FNV-1a (Fowler, Noll, Vo): the hash of nothing, and its prime */
#define PRIME 0x100000001b3U

static uint64_t mix(uint64_t h, uint64_t x)
{
	for (int i = 0; i < 8; i++)
		h = (h ^ (x >> 8 * i & 255)) * PRIME;
	return h;
}

static uint64_t mix_text(uint64_t h, const char *s)
{
	while (*s)
		h = mix(h, (unsigned char)*s++);
	return h;
}

/* The first sample of every channel: all that states of old know of a window's samples. */
static uint64_t mix_first_sample(uint64_t h, const struct dataset *d, int64_t item)
{
	for (int c = 0; c < d->target->channels.n; c++) {
		float x = dataset_sample(d, item, c, 0);
		uint32_t bits;
		memcpy(&bits, &x, sizeof bits);
		h = (h ^ bits) * PRIME;
	}
	return h;
}

static uint64_t mix_items_first(uint64_t h, const struct dataset *d, const int64_t *items, int64_t n)
{
	for (int64_t i = 0; i < n; i++) {
		const struct item *it = &d->item[items[i]];
		const struct windows *w = dataset_windows(d, items[i]);
		h = mix(h, (uint64_t)it->label);
		h = mix(h, (uint64_t)w->sample[it->window]);
		h = mix_text(h, d->recordings.s[it->recording]);
		h = mix_text(h, d->groups.s[it->group]);
		if (w->condition && w->condition[it->window] >= 0)
			h = mix_text(h, w->conditions.s[w->condition[it->window]]);
		h = mix_first_sample(h, d, items[i]);
		if (dataset_samples(d, items[i]) < d->target->length)
			h = mix(h, (uint64_t)dataset_samples(d, items[i]));
	}
	return mix(h, (uint64_t)n);
}

/* Names follow each other without running into each other. */
static uint64_t mix_name(uint64_t h, const char *s)
{
	return mix(mix_text(h, s), strlen(s));
}

/* n rows from `from` on of the columns with the common input: a shard for each channel, so that the
 * products of a row do not wait for each other. shard [C]: room. */
static uint64_t mix_rows(uint64_t h, const struct windows *w, const struct channel_column *column, int C,
	int64_t from, int64_t n, uint64_t *shard)
{
	for (int c = 0; c < C; c++)
		shard[c] = EMPTY + (uint64_t)c;
	for (int64_t t = from; t < from + n; t++)
		for (int c = 0; c < C; c++) {
			uint32_t bits = 0;
			if (column[c].base && column[c].start == w->start)
				memcpy(&bits, &column[c].base[t * column[c].step], sizeof bits);
			shard[c] = (shard[c] ^ bits) * 0x9e3779b97f4a7c15U; /* 2^64 / golden ratio */
		}
	for (int c = 0; c < C; c++)
		h = mix(h, shard[c]);
	return mix(h, (uint64_t)n);
}

/* What window i of w holds in columns with an input of their own. */
static uint64_t mix_own(
	uint64_t h, const struct windows *w, const struct channel_column *column, int C, int64_t i)
{
	for (int c = 0; c < C; c++) {
		if (!column[c].base || column[c].start == w->start)
			continue;
		int n = windows_column_samples(w, &column[c], i);
		for (int64_t t = column[c].start[i]; t < column[c].start[i] + n; t++) {
			uint32_t bits;
			memcpy(&bits, &column[c].base[t * column[c].step], sizeof bits);
			h = (h ^ bits) * 0x9e3779b97f4a7c15U;
		}
		h = mix(h, (uint64_t)n);
	}
	return h;
}

static uint64_t mix_item(uint64_t h, const struct dataset *d, int64_t i, uint64_t *shard)
{
	const struct item *it = &d->item[i];
	const struct windows *w = dataset_windows(d, i);
	bool condition = w->condition && w->condition[it->window] >= 0;
	h = mix(h, (uint64_t)it->label);
	h = mix(h, (uint64_t)w->sample[it->window]);
	h = mix_name(h, d->recordings.s[it->recording]);
	h = mix_name(h, d->groups.s[it->group]);
	h = mix_name(h, condition ? w->conditions.s[w->condition[it->window]] : "");
	const struct channel_column *column = dataset_columns(d, i);
	int C = d->target->channels.n;
	h = mix_rows(h, w, column, C, w->start[it->window], dataset_samples(d, i), shard);
	return mix_own(h, w, column, C, it->window);
}

enum { BLOCK = 64 }; /* windows hashed one after the other */

struct hashing {
	const struct dataset *d;
	const int64_t *items;
	int64_t n;
	uint64_t *block; /* [blocks] */
	uint64_t *shard; /* [threads][C] */
};

static void hash_block(void *context, int b, int worker)
{
	struct hashing *g = context;
	int64_t to = (int64_t)(b + 1) * BLOCK < g->n ? (int64_t)(b + 1) * BLOCK : g->n;
	uint64_t h = EMPTY, *shard = g->shard + (size_t)worker * (size_t)g->d->target->channels.n;
	for (int64_t i = (int64_t)b * BLOCK; i < to; i++)
		h = mix_item(h, g->d, g->items[i], shard);
	g->block[b] = h;
}

static uint64_t mix_items(
	uint64_t h, const struct dataset *d, const int64_t *items, int64_t n, struct pool *pool)
{
	int blocks = (int)((n + BLOCK - 1) / BLOCK);
	struct hashing g = {d, items, n, NEW_ARRAY(uint64_t, blocks),
		NEW_ARRAY(uint64_t, (size_t)pool_threads(pool) * (size_t)d->target->channels.n)};
	pool_run(pool, blocks, hash_block, &g);
	for (int b = 0; b < blocks; b++)
		h = mix(h, g.block[b]);
	free(g.block);
	free(g.shard);
	return mix(h, (uint64_t)n);
}

/* Everything in the files that the items come from: all rows, and where recordings begin in
 * them. */
static uint64_t mix_recordings(uint64_t h, const struct dataset *d, const int64_t *items, int64_t n)
{
	uint64_t *shard = NEW_ARRAY(uint64_t, d->target->channels.n);
	int part = -1;
	for (int64_t i = 0; i < n; i++) {
		const struct windows *w = dataset_windows(d, items[i]);
		if (d->item[items[i]].part == part)
			continue;
		part = d->item[items[i]].part;
		for (int64_t j = 0; j < w->n; j++)
			h = mix(h, (uint64_t)(w->start[j] - w->sample[j]));
		h = mix_rows(h, w, dataset_columns(d, items[i]), d->target->channels.n, 0, w->samples, shard);
	}
	free(shard);
	return h;
}

static uint64_t mix_side(uint64_t h, enum fingerprint_rule rule, const struct dataset *d,
	const int64_t *items, int64_t n, struct pool *pool)
{
	if (rule == FINGERPRINT_FIRST)
		return mix_items_first(h, d, items, n);
	if (rule == FINGERPRINT_RECORDINGS)
		h = mix_recordings(h, d, items, n);
	return mix_items(h, d, items, n, pool);
}

char *fingerprint_text(const struct training_data *t, enum fingerprint_rule rule, struct pool *pool)
{
	uint64_t h = mix_side(EMPTY, rule, t->train, t->train_item, t->trains, pool);
	if (t->valids)
		h = mix_side(h, rule, t->valid, t->valid_item, t->valids, pool);
	return mem_format("%s%016llx", rule_name[rule], (unsigned long long)h);
}

bool fingerprint_fits(const char *text, const struct training_data *t, struct pool *pool)
{
	enum fingerprint_rule rule = FINGERPRINT_RECORDINGS;
	while (rule != FINGERPRINT_FIRST && !text_starts(text, rule_name[rule]))
		rule--;
	char *mine = fingerprint_text(t, rule, pool);
	bool fits = !strcmp(text, mine);
	free(mine);
	return fits;
}
