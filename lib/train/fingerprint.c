#include "train/fingerprint.h"

#include "base/mem.h"
#include "base/sum.h"

#include <stdlib.h>
#include <string.h>

/* What a text begins with; nothing in states of old. */
static const char *const rule_name[] = {[FINGERPRINT_FIRST] = "",
	[FINGERPRINT_WINDOWS] = "windows:",
	[FINGERPRINT_RECORDINGS] = "recordings:"};

#define EMPTY FINGERPRINT_EMPTY
#define PRIME 0x100000001b3U /* FNV-1a (Fowler, Noll, Vo) */

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

uint64_t fingerprint_first(uint64_t h, const struct dataset *d, const int64_t *items, int64_t n)
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
 * products of a row do not wait for each other. shard [C] out. */
static void hash_rows(const struct windows *w, const struct channel_column *column, int C, int64_t from,
	int64_t n, uint64_t *shard)
{
	for (int c = 0; c < C; c++)
		shard[c] = EMPTY + (uint64_t)c;
	for (int64_t t = from; t < from + n; t++)
		for (int c = 0; c < C; c++) {
			bool there = column[c].base && column[c].start == w->start;
			shard[c] =
				fingerprint_sample(shard[c], there ? column[c].base[t * column[c].step] : 0);
		}
}

static uint64_t mix_shards(uint64_t h, const uint64_t *shard, int C, int64_t n)
{
	for (int c = 0; c < C; c++)
		h = mix(h, shard[c]);
	return mix(h, (uint64_t)n);
}

uint64_t fingerprint_window(uint64_t h, const struct dataset *d, int64_t i, const uint64_t *shard)
{
	const struct item *it = &d->item[i];
	const struct windows *w = dataset_windows(d, i);
	bool condition = w->condition && w->condition[it->window] >= 0;
	h = mix(h, (uint64_t)it->label);
	h = mix(h, (uint64_t)w->sample[it->window]);
	h = mix_name(h, d->recordings.s[it->recording]);
	h = mix_name(h, d->groups.s[it->group]);
	h = mix_name(h, condition ? w->conditions.s[w->condition[it->window]] : "");
	h = mix_shards(h, shard, d->target->channels.n, dataset_samples(d, i));
	for (int c = 0; c < d->target->channels.n; c++) { /* channels with an input of their own */
		const struct channel_column *from = &dataset_columns(d, i)[c];
		if (from->base && from->start != w->start)
			h = mix(h, (uint64_t)windows_column_samples(w, from, it->window));
	}
	return h;
}

uint64_t fingerprint_blocks(uint64_t h, const uint64_t *block, int64_t n)
{
	for (int64_t i = 0; i < n; i += SUM_BLOCK)
		h = mix(h, block[i / SUM_BLOCK]);
	return mix(h, (uint64_t)n);
}

/* Everything in the files that the items come from: all rows, and where recordings begin in
 * them. */
static uint64_t mix_recordings(uint64_t h, const struct dataset *d, const int64_t *items, int64_t n)
{
	uint64_t *shard = NEW_ARRAY(uint64_t, d->target->channels.n);
	int source = -1;
	for (int64_t i = 0; i < n; i++) {
		const struct windows *w = dataset_windows(d, items[i]);
		if (d->item[items[i]].source == source)
			continue;
		source = d->item[items[i]].source;
		for (int64_t j = 0; j < w->n; j++)
			h = mix(h, (uint64_t)(w->start[j] - w->sample[j]));
		hash_rows(w, dataset_columns(d, items[i]), d->target->channels.n, 0, w->samples, shard);
		h = mix_shards(h, shard, d->target->channels.n, w->samples);
	}
	free(shard);
	return h;
}

uint64_t fingerprint_between(
	uint64_t h, enum fingerprint_rule rule, const struct dataset *d, const int64_t *items, int64_t n)
{
	return rule == FINGERPRINT_RECORDINGS ? mix_recordings(h, d, items, n) : h;
}

char *fingerprint_text(enum fingerprint_rule rule, uint64_t h)
{
	return mem_format("%s%016llx", rule_name[rule], (unsigned long long)h);
}

enum fingerprint_rule fingerprint_rule_of(const char *text)
{
	enum fingerprint_rule rule = FINGERPRINT_RECORDINGS;
	while (rule != FINGERPRINT_FIRST && !text_starts(text, rule_name[rule]))
		rule--;
	return rule;
}
