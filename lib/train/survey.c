#include "train/survey.h"

#include "base/error.h"
#include "base/sum.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define FLAT 1e-12 /* the variance of what does not vary */

struct pass {
	const struct dataset *d;
	const int64_t *items;
	const struct survey *s;
	uint64_t *hash; /* [blocks] of each block of windows; NULL: not wanted */
	bool *refused;  /* [blocks] whether one of them cannot be trained on */
};

/* A channel of a window: whether it is finite. sum [3] += count, sum and sum of squares of x -
 * shift, NULL: not wanted; hash, NULL: not wanted. */
static bool read_channel(const struct raw_channel *x, double shift, double *sum, uint64_t *hash)
{
	bool finite = true;
	double total = sum ? sum[1] : 0, square = sum ? sum[2] : 0;
	uint64_t h = hash ? *hash : 0;
	for (int t = 0; t < x->n; t++) {
		float v = x->first[t * x->step];
		double e = (double)v - shift;
		finite &= isfinite(v) != 0;
		total += e;
		square += e * e;
		h = hash ? fingerprint_sample(h, v) : h;
	}
	if (sum) {
		sum[0] += x->n;
		sum[1] = total;
		sum[2] = square;
	}
	if (hash)
		*hash = h;
	return finite;
}

/* A channel that is missing has zeros in the fingerprint. */
static uint64_t hash_missing(uint64_t h, int n)
{
	for (int t = 0; t < n; t++)
		h = fingerprint_sample(h, 0);
	return h;
}

/* sum [C][3] */
static void read_window(void *context, int64_t i, struct arena *scratch, double *sum)
{
	const struct pass *p = context;
	const struct survey *s = p->s;
	struct raw_window w = dataset_raw(p->d, p->items[i]);
	int C = p->d->target->channels.n;
	int64_t block = i / SUM_BLOCK;
	uint64_t *shard = p->hash ? arena_take(scratch, (size_t)C * sizeof *shard) : NULL;
	bool usable = !s->model || dataset_has_tokens(s->model, w.n);
	for (int c = 0; c < C; c++) {
		struct raw_channel x = raw_channel(&w, c);
		double shift = s->mean ? (double)s->mean[c] : 0;
		if (shard)
			shard[c] = FINGERPRINT_EMPTY + (uint64_t)c;
		usable &= read_channel(
			&x, shift, s->mean ? sum + 3 * (size_t)c : NULL, shard ? &shard[c] : NULL);
		if (shard && !x.n)
			shard[c] = hash_missing(shard[c], w.n);
	}
	p->refused[block] |= !usable;
	if (!shard)
		return;
	if (i % SUM_BLOCK == 0)
		p->hash[block] = FINGERPRINT_EMPTY;
	p->hash[block] = fingerprint_window(p->hash[block], p->d, p->items[i], shard);
}

/* total [C][3] as above; mean: what was taken off every sample. */
static void finish_scaler(const double *total, int C, float *mean, float *std)
{
	for (int c = 0; c < C; c++) {
		double count = total[3 * c], sum = total[3 * c + 1], square = total[3 * c + 2];
		double m = count > 0 ? sum / count : 0, var = count > 0 ? square / count - m * m : 0;
		std[c] = var > FLAT ? (float)sqrt(var) : 1;
		mean[c] = (float)(m + (double)mean[c]);
	}
}

static int refuse_first(const struct pass *p, int64_t n)
{
	for (int64_t from = 0; from < n; from += SUM_BLOCK) {
		int64_t some = n - from < SUM_BLOCK ? n - from : SUM_BLOCK;
		if (p->refused[from / SUM_BLOCK] && dataset_check(p->d, p->s->model, p->items + from, some))
			return -1;
	}
	return 0;
}

int survey_windows(
	const struct dataset *d, const int64_t *items, int64_t n, struct pool *pool, const struct survey *s)
{
	int C = d->target->channels.n;
	int64_t blocks = (n + SUM_BLOCK - 1) / SUM_BLOCK;
	double *total = NEW_ARRAY(double, 3 * (size_t)C);
	struct pass p = {d, items, s, s->hash ? NEW_ARRAY(uint64_t, blocks) : NULL, NEW_ARRAY(bool, blocks)};
	/* sums around a sample of the channel: an offset costs no digits */
	for (int c = 0; c < C && s->mean; c++)
		s->mean[c] = n ? dataset_sample(d, items[0], c, 0) : 0;
	sum_items(pool, n, read_window, &p, 3 * C, total);
	int bad = refuse_first(&p, n);
	if (s->mean)
		finish_scaler(total, C, s->mean, s->std);
	if (s->hash)
		*s->hash = fingerprint_blocks(*s->hash, p.hash, n);
	free(p.hash);
	free(p.refused);
	free(total);
	return bad;
}

/* h goes on with what trains or what validates. */
static int survey_subset(const struct dataset *d, const int64_t *items, int64_t n, enum fingerprint_rule rule,
	struct pool *pool, const struct survey *s)
{
	if (s->hash)
		*s->hash = fingerprint_between(*s->hash, rule, d, items, n);
	return survey_windows(d, items, n, pool, s);
}

int survey_training(const struct training_data *t, const struct model *m, float *mean, float *std,
	enum fingerprint_rule rule, char **fingerprint, struct pool *pool)
{
	uint64_t h = FINGERPRINT_EMPTY, *hash = fingerprint ? &h : NULL;
	struct survey train = {m, mean, std, hash}, valid = {.model = m, .hash = hash};
	if (survey_subset(t->train, t->train_item, t->trains, rule, pool, &train) ||
		(t->valids && survey_subset(t->valid, t->valid_item, t->valids, rule, pool, &valid)))
		return -1;
	if (fingerprint)
		*fingerprint = fingerprint_text(rule, h);
	return 0;
}

enum fingerprint_rule survey_rule(const struct config *c)
{
	return c->train.scale == SCALE_EMS ? FINGERPRINT_RECORDINGS : FINGERPRINT_WINDOWS;
}

char *survey_fingerprint(const struct training_data *t, enum fingerprint_rule rule, struct pool *pool)
{
	char *text;
	if (rule == FINGERPRINT_FIRST) {
		uint64_t h = fingerprint_first(FINGERPRINT_EMPTY, t->train, t->train_item, t->trains);
		if (t->valids)
			h = fingerprint_first(h, t->valid, t->valid_item, t->valids);
		return fingerprint_text(rule, h);
	}
	must(!survey_training(t, NULL, NULL, NULL, rule, &text, pool)); /* fit_model has checked them */
	return text;
}
