/* A hash of what is trained on, by which a training that is resumed recognises its windows.
 *
 * It takes in, in the order of training, every window that trains or validates: label, place, names
 * of recording, group and condition, and its samples in the channels of the model, as they stand in
 * the file. Files made differently that hold the same windows have the same fingerprint. The pass
 * over the samples is that of train/survey.h; here are its pieces:
 *
 *     shard[c] = fingerprint_sample(shard[c], x)     from FINGERPRINT_EMPTY + c on, over the samples of a channel
 *     block = fingerprint_window(block, d, item, shard)    from FINGERPRINT_EMPTY on, over SUM_BLOCK windows (base/sum.h)
 *     h = fingerprint_blocks(h, block, n)            from FINGERPRINT_EMPTY on, first what trains, then what validates
 *     text = fingerprint_text(rule, h)               "windows:0123456789abcdef", for the state file
 */
#ifndef TRAIN_FINGERPRINT_H
#define TRAIN_FINGERPRINT_H

#include "dataset/dataset.h"

#include <string.h>

#define FINGERPRINT_EMPTY 0xcbf29ce484222325U /* the hash of nothing (FNV-1a) */

enum fingerprint_rule {
	FINGERPRINT_FIRST,     /* the first sample of each window only: in states of old */
	FINGERPRINT_WINDOWS,   /* all samples of all windows */
	FINGERPRINT_RECORDINGS /* and those between the windows, which train.scale=ems reads, too */
};

static inline uint64_t fingerprint_sample(uint64_t shard, float x)
{
	uint32_t bits;
	memcpy(&bits, &x, sizeof bits);
	return (shard ^ bits) * 0x9e3779b97f4a7c15U; /* 2^64 / golden ratio */
}

/* h goes on with an item and the shards [C] of its samples. */
uint64_t fingerprint_window(uint64_t h, const struct dataset *, int64_t item, const uint64_t *shard);
/* h goes on with n windows in blocks. */
uint64_t fingerprint_blocks(uint64_t h, const uint64_t *block, int64_t n);
/* For FINGERPRINT_RECORDINGS, before the items: h goes on with the files they come from, all rows
 * and where recordings begin in them. By the other rules it stays. */
uint64_t fingerprint_between(
	uint64_t h, enum fingerprint_rule, const struct dataset *, const int64_t *items, int64_t n);
/* h goes on with items by FINGERPRINT_FIRST, which has no shards. */
uint64_t fingerprint_first(uint64_t h, const struct dataset *, const int64_t *items, int64_t n);

/* To be freed. */
char *fingerprint_text(enum fingerprint_rule, uint64_t h);
/* The rule a text was made by; of one that names none FINGERPRINT_FIRST. */
enum fingerprint_rule fingerprint_rule_of(const char *text);

#endif
