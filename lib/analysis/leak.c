#include "analysis/leak.h"

#include "base/error.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

/* --- samples */

/* Channels that every part has, by name. */
static int common_channels(const struct leak_side *train, const struct leak_side *test, struct names *common)
{
	const struct leak_side *side[] = {train, test};
	struct channel_column column;
	const struct windows *first = test->part[0];
	for (int c = 0; c < first->layout.channels.n; c++) {
		const char *name = first->layout.channels.s[c];
		bool everywhere = true;
		for (int i = 0; i < 2; i++)
			for (int p = 0; p < side[i]->parts && everywhere; p++) {
				const struct windows *w = side[i]->part[p];
				int at = names_find(&w->layout.channels, name);
				everywhere = at >= 0 && windows_column(w, at, &column);
			}
		if (everywhere)
			names_add(common, name);
	}
	if (!common->n)
		return err_set(EX_DATAERR, "%s and %s have no channel in common; there is nothing to compare",
			train->name, test->name);
	names_sort(common);
	return 0;
}

/* [common] of a part */
static struct channel_column *columns_of(const struct windows *w, const struct names *common)
{
	struct channel_column *column = NEW_ARRAY(struct channel_column, common->n);
	for (int c = 0; c < common->n; c++)
		must(windows_column(w, names_find(&w->layout.channels, common->s[c]), &column[c]));
	return column;
}

/* [parts] */
static struct channel_column **all_columns(const struct leak_side *s, const struct names *common)
{
	struct channel_column **column = NEW_ARRAY(struct channel_column *, s->parts);
	for (int p = 0; p < s->parts; p++)
		column[p] = columns_of(s->part[p], common);
	return column;
}

static void free_columns(struct channel_column **column, int parts)
{
	for (int p = 0; p < parts; p++)
		free(column[p]);
	free(column);
}

static uint32_t bits_of(const float *x)
{
	uint32_t u;
	memcpy(&u, x, sizeof u);
	return u;
}

/* Of all samples of a window; false when no channel changes in it. Mixed by the finaliser of
 * SplitMix64 (base/rng.h). */
static bool hash_of(
	const struct windows *w, const struct channel_column *column, int channels, int64_t i, uint64_t *hash)
{
	uint64_t h = (uint64_t)windows_samples(w, i);
	bool changes = false;
	for (int c = 0; c < channels; c++) {
		int n = windows_column_samples(w, &column[c], i);
		const float *x = column[c].base + column[c].start[i] * column[c].step;
		uint32_t first = bits_of(x);
		for (int t = 0; t < n; t++, x += column[c].step) {
			uint32_t u = bits_of(x);
			changes |= u != first;
			h = (h ^ u) * 0xbf58476d1ce4e5b9U;
			h ^= h >> 29;
		}
	}
	*hash = h;
	return changes;
}

/* --- what is looked for */

struct entry {
	uint64_t key;          /* a hash, or the recording's index among those of training */
	int64_t sample, after; /* of the recording: from, and the first that is not in it */
	struct leak_place place;
};

static int compare_entries(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	return x->key != y->key         ? (x->key > y->key) - (x->key < y->key)
	       : x->sample != y->sample ? (x->sample > y->sample) - (x->sample < y->sample)
	       : x->place.part != y->place.part
		       ? x->place.part - y->place.part
		       : (x->place.window > y->place.window) - (x->place.window < y->place.window);
}

/* The first entry whose key and sample are not below these. */
static int64_t entry_from(const struct entry *e, int64_t n, uint64_t key, int64_t sample)
{
	int64_t low = 0, high = n;
	while (low < high) {
		int64_t mid = low + (high - low) / 2;
		if (e[mid].key < key || (e[mid].key == key && e[mid].sample < sample))
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static void note_window(struct leak_windows *l, struct leak_place test, struct leak_place train)
{
	if (l->n < LEAKS_NAMED) {
		l->test[l->n] = test;
		l->train[l->n] = train;
	}
	l->n++;
}

struct search {
	struct leak *leak;
	const struct leak_side *train, *test;
	struct names common;
	struct channel_column **train_column, **test_column; /* [parts][common] */
	struct entry *entry;                                 /* [n] of windows of training, sorted */
	int64_t n, room;
	struct spill spill;
};

static void add_entry(struct search *s, struct entry e)
{
	SPILL_ROOM_FOR_ONE(&s->spill, s->entry, s->n, s->room);
	s->entry[s->n++] = e;
}

static void sort_entries(struct search *s)
{
	if (s->n)
		qsort(s->entry, (size_t)s->n, sizeof *s->entry, compare_entries);
}

static void find_equal(struct search *s)
{
	uint64_t hash;
	s->n = 0;
	for (int64_t i = 0; i < s->train->n; i++) {
		struct leak_place p = s->train->place[i];
		if (hash_of(s->train->part[p.part], s->train_column[p.part], s->common.n, p.window, &hash))
			add_entry(s, (struct entry){.key = hash, .place = p});
	}
	sort_entries(s);
	for (int64_t i = 0; i < s->test->n; i++) {
		struct leak_place p = s->test->place[i];
		if (!hash_of(s->test->part[p.part], s->test_column[p.part], s->common.n, p.window, &hash)) {
			s->leak->flat++;
			continue;
		}
		int64_t at = entry_from(s->entry, s->n, hash, 0);
		if (at < s->n && s->entry[at].key == hash)
			note_window(&s->leak->equal, p, s->entry[at].place);
	}
}

/* Samples from .. after - 1 of a recording, in a window of either side. */
static bool same_samples(
	const struct search *s, struct leak_place test, struct leak_place train, int64_t from, int64_t after)
{
	const struct windows *w = s->test->part[test.part], *v = s->train->part[train.part];
	int64_t at = w->start[test.window] + from - w->sample[test.window],
		in = v->start[train.window] + from - v->sample[train.window];
	for (int c = 0; c < s->common.n; c++) {
		struct channel_column x = s->test_column[test.part][c], y = s->train_column[train.part][c];
		if (x.start != w->start || y.start != v->start) /* an input of its own has other rows */
			continue;
		for (int64_t t = 0; t < after - from; t++)
			if (bits_of(x.base + (at + t) * x.step) != bits_of(y.base + (in + t) * y.step))
				return false;
	}
	return true;
}

static void find_overlap_of_window(struct search *s, uint64_t key, struct leak_place test, int64_t longest)
{
	const struct windows *w = s->test->part[test.part];
	int64_t from = w->sample[test.window], after = from + windows_samples(w, test.window);
	bool same_time = false;
	for (int64_t i = entry_from(s->entry, s->n, key, from - longest + 1);
		i < s->n && s->entry[i].key == key && s->entry[i].sample < after; i++) {
		const struct entry *e = &s->entry[i];
		if (e->after <= from)
			continue;
		same_time = true;
		if (same_samples(s, test, e->place, from > e->sample ? from : e->sample,
			    after < e->after ? after : e->after)) {
			note_window(&s->leak->overlapping, test, e->place);
			return;
		}
	}
	if (same_time)
		names_intern(&s->leak->same_name, w->recordings.s[w->recording[test.window]]);
}

/* Numbers for the names of recordings, [parts][recordings] of a side: as in `known`, to which they
 * are added or, when not, -1. */
static int **recording_keys(const struct leak_side *s, struct names *known, bool add)
{
	int **key = NEW_ARRAY(int *, s->parts);
	for (int p = 0; p < s->parts; p++) {
		const struct names *names = &s->part[p]->recordings;
		key[p] = NEW_ARRAY(int, names->n + 1);
		for (int r = 0; r < names->n; r++)
			key[p][r] = add ? names_intern(known, names->s[r]) : names_find(known, names->s[r]);
	}
	return key;
}

static int key_of(const struct leak_side *s, int **key, struct leak_place p)
{
	return key[p.part][s->part[p.part]->recording[p.window]];
}

static void free_keys(int **key, int parts)
{
	for (int p = 0; p < parts; p++)
		free(key[p]);
	free(key);
}

/* Only windows of training whose recording's name occurs in the test are looked at. */
static void find_overlapping(struct search *s)
{
	struct names recordings = {0};
	int **test_key = recording_keys(s->test, &recordings, true),
	    **train_key = recording_keys(s->train, &recordings, false);
	int64_t longest = 0;
	s->n = 0;
	for (int64_t i = 0; i < s->train->n; i++) {
		struct leak_place p = s->train->place[i];
		const struct windows *w = s->train->part[p.part];
		int key = key_of(s->train, train_key, p);
		if (key < 0)
			continue;
		add_entry(s, (struct entry){(uint64_t)key, w->sample[p.window],
				     w->sample[p.window] + windows_samples(w, p.window), p});
		longest = w->layout.length > longest ? w->layout.length : longest;
	}
	sort_entries(s);
	for (int64_t i = 0; i < s->test->n && s->n; i++)
		find_overlap_of_window(s, (uint64_t)key_of(s->test, test_key, s->test->place[i]),
			s->test->place[i], longest);
	free_keys(test_key, s->test->parts);
	free_keys(train_key, s->train->parts);
	names_free(&recordings);
}

static int check_rates(const struct leak_side *train, const struct leak_side *test)
{
	const struct leak_side *side[] = {train, test};
	double rate = test->part[0]->layout.rate;
	for (int i = 0; i < 2; i++)
		for (int p = 0; p < side[i]->parts; p++) {
			double other = side[i]->part[p]->layout.rate;
			if (other < rate || other > rate)
				return err_set(EX_DATAERR,
					"%s has a sampling rate of %.10g Hz, but %s has %.10g Hz; cut both "
					"at the same rate (moe-split --like)",
					side[i]->name, other, test->name, rate);
		}
	return 0;
}

static int search_windows(struct leak *l, bool equal)
{
	struct search s = {.leak = l, .train = l->train, .test = l->test};
	int bad = common_channels(s.train, s.test, &s.common);
	if (!bad) {
		s.train_column = all_columns(s.train, &s.common);
		s.test_column = all_columns(s.test, &s.common);
		if (equal)
			find_equal(&s);
		find_overlapping(&s);
		spill_free(&s.spill, s.entry);
		free_columns(s.train_column, s.train->parts);
		free_columns(s.test_column, s.test->parts);
	}
	names_free(&s.common);
	return bad;
}

int leak_check(struct leak *l, const struct leak_side *train, const struct leak_side *test)
{
	*l = (struct leak){.train = train, .test = test};
	for (int g = 0; g < test->groups.n; g++)
		if (names_find(&train->groups, test->groups.s[g]) >= 0)
			names_add(&l->groups, test->groups.s[g]);
	return train->model ? 0 : check_rates(train, test) || search_windows(l, true) ? -1 : 0;
}

int leak_check_overlap(struct leak *l, const struct leak_side *train, const struct leak_side *test)
{
	*l = (struct leak){.train = train, .test = test};
	return search_windows(l, false) ? -1 : 0;
}

bool leak_found(const struct leak *l)
{
	return l->groups.n || l->equal.n || l->overlapping.n;
}

void leak_free(struct leak *l)
{
	names_free(&l->groups);
	names_free(&l->same_name);
}
