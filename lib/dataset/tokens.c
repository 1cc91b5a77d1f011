#include "dataset/tokens.h"

#include "base/error.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

/* Sums over the tokens of a group, [kinds][D] of each region one after the other. */
struct sums {
	double *sum;
	int64_t *count; /* likewise [kinds]: tokens of each kind */
};

struct tokens {
	const struct dataset *d;
	const struct model *m;
	size_t *at, row;        /* [K] where a region's features lie in a row; numbers of a row */
	size_t *mean_at, mean;  /* [K] likewise in a subject mean */
	size_t *kind_at, kinds; /* [K] likewise where its kinds lie among those of all regions */
	struct spill spill, index_spill, mean_spill, mean_of_spill, out_of_fold_spill;
	real *x;        /* [kept][row] */
	int64_t *index; /* [indexed] row of an item, -1 = not kept */
	int64_t indexed, index_room, kept, room;
	int64_t finished, standardised; /* of the kept rows, from the first on */
	struct sums *group;             /* [groups] running */
	int groups;
	real *subject_mean;       /* [means][mean], or NULL */
	int64_t *subject_mean_of; /* [indexed] mean of an item, -1 = none */
	int64_t means, means_room;
	real *out_of_fold; /* [kept][1 + K * classes]: whether an item has one, and its linear prior; NULL: none */
	int64_t out_of_folds;
};

bool tokens_are_fixed(const struct model *m, int k)
{
	return m->region[k].tokeniser->standardised;
}

bool tokens_any_fixed(const struct model *m)
{
	for (int k = 0; k < m->layout.regions; k++)
		if (tokens_are_fixed(m, k))
			return true;
	return false;
}

bool tokens_all_fixed(const struct model *m)
{
	for (int k = 0; k < m->layout.regions; k++)
		if (!tokens_are_fixed(m, k))
			return false;
	return true;
}

struct tokens *tokens_new(const struct dataset *d, const struct model *m)
{
	struct tokens *t = NEW(struct tokens);
	int K = m->layout.regions;
	t->d = d;
	t->m = m;
	t->at = NEW_ARRAY(size_t, K);
	t->mean_at = NEW_ARRAY(size_t, K);
	t->kind_at = NEW_ARRAY(size_t, K);
	for (int k = 0; k < K; k++) {
		const struct region_params *r = &m->region[k];
		t->at[k] = t->row;
		t->mean_at[k] = t->mean;
		t->kind_at[k] = t->kinds;
		if (!tokens_are_fixed(m, k))
			continue;
		t->row += (size_t)r->n * (size_t)r->D;
		t->mean += (size_t)r->kinds * (size_t)r->D;
		t->kinds += (size_t)r->kinds;
	}
	return t;
}

void tokens_forget(struct tokens *t)
{
	t->indexed = t->kept = t->finished = t->standardised = t->means = t->out_of_folds = 0;
}

void tokens_free(struct tokens *t)
{
	if (!t)
		return;
	for (int g = 0; g < t->groups; g++) {
		free(t->group[g].sum);
		free(t->group[g].count);
	}
	free(t->group);
	spill_free(&t->spill, t->x);
	spill_free(&t->index_spill, t->index);
	spill_free(&t->mean_spill, t->subject_mean);
	spill_free(&t->mean_of_spill, t->subject_mean_of);
	spill_free(&t->out_of_fold_spill, t->out_of_fold);
	free(t->at);
	free(t->mean_at);
	free(t->kind_at);
	free(t);
}

/* Tokens of an item that are kept of region k */
int tokens_count(const struct tokens *t, int64_t item, int k)
{
	return tokens_are_fixed(t->m, k) ? model_tokens(t->m, k, dataset_samples(t->d, item)) : 0;
}

/* --- keeping */

static void index_items(struct tokens *t)
{
	int64_t n = t->d->n;
	if (n <= t->indexed)
		return;
	if (n > t->index_room) {
		size_t bytes = (size_t)n * sizeof *t->index;
		t->index_room = n;
		t->index = spill_grow(&t->index_spill, t->index, bytes);
		t->subject_mean_of = spill_grow(&t->mean_of_spill, t->subject_mean_of, bytes);
	}
	for (; t->indexed < n; t->indexed++)
		t->index[t->indexed] = t->subject_mean_of[t->indexed] = -1;
}

enum { ROUND = 1 << 12 }; /* rows made at a time */

struct making {
	struct tokens *t;
	const int64_t *items;
	struct arena **scratch; /* [threads] */
	int64_t first;          /* row of items[0] */
};

static struct arena **new_scratch(const struct pool *pool)
{
	struct arena **scratch = NEW_ARRAY(struct arena *, pool_threads(pool));
	for (int i = 0; i < pool_threads(pool); i++)
		scratch[i] = arena_new();
	return scratch;
}

static void free_scratch(const struct pool *pool, struct arena **scratch)
{
	for (int i = 0; i < pool_threads(pool); i++)
		arena_free(scratch[i]);
	free(scratch);
}

static void make_features(void *context, int task, int worker)
{
	struct making *g = context;
	struct tokens *t = g->t;
	const struct model *m = t->m;
	const struct layout *l = &m->layout;
	struct arena *a = g->scratch[worker];
	real *row = t->x + (size_t)(g->first + task) * t->row;
	struct raw_window raw = dataset_raw(t->d, g->items[task]);
	for (int k = 0; k < l->regions; k++) {
		const struct region_params *r = &m->region[k];
		if (!tokens_are_fixed(m, k))
			continue;
		arena_reset(a);
		real *x = arena_take(a, (size_t)r->length * (size_t)l->region[k].width * sizeof *x);
		dataset_fill_from(t->d, &raw, g->items[task], k, x);
		if (r->tokeniser->raw)
			r->tokeniser->raw(&m->config, r->prepared, x, r->length, r->rate, &l->region[k],
				row + t->at[k], a);
		else
			r->tokeniser->features(&m->config, r->prepared, x, r->length, r->rate, &l->region[k],
				row + t->at[k], a);
	}
}

void tokens_keep(struct tokens *t, const int64_t *items, int64_t n, struct pool *pool)
{
	struct making g = {.t = t, .scratch = new_scratch(pool)};
	int64_t *fresh = NEW_ARRAY(int64_t, ROUND);
	index_items(t);
	for (int64_t i = 0; i < n;) {
		int some = 0;
		for (g.first = t->kept; i < n && some < ROUND; i++) {
			if (t->index[items[i]] >= 0)
				continue;
			t->index[items[i]] = t->kept++;
			fresh[some++] = items[i];
		}
		if (t->kept > t->room) {
			t->room = t->kept > 2 * t->room ? t->kept : 2 * t->room;
			t->x = spill_grow(&t->spill, t->x, (size_t)t->room * t->row * sizeof *t->x);
		}
		g.items = fresh;
		pool_run(pool, some, make_features, &g);
	}
	free_scratch(pool, g.scratch);
	free(fresh);
}

static void finish_row(void *context, int task, int worker)
{
	struct making *g = context;
	const struct tokens *t = g->t;
	const struct model *m = t->m;
	for (int k = 0; k < m->layout.regions; k++) {
		const struct region_params *r = &m->region[k];
		arena_reset(g->scratch[worker]);
		if (tokens_are_fixed(m, k) && r->tokeniser->finish)
			r->tokeniser->finish(&m->config, model_token_scale(m, k), r->n, &m->layout.region[k],
				t->x + (size_t)(g->first + task) * t->row + t->at[k], g->scratch[worker]);
	}
}

static bool any_finishes(const struct model *m)
{
	for (int k = 0; k < m->layout.regions; k++)
		if (m->region[k].tokeniser->finish)
			return true;
	return false;
}

void tokens_finish(struct tokens *t, struct pool *pool)
{
	struct making g = {.t = t, .first = t->finished};
	int64_t n = t->kept - t->finished;
	t->finished = t->kept;
	if (!any_finishes(t->m))
		return;
	g.scratch = new_scratch(pool);
	for (int64_t some; n > 0; n -= some, g.first += some) {
		some = n < ROUND ? n : ROUND;
		pool_run(pool, (int)some, finish_row, &g);
	}
	free_scratch(pool, g.scratch);
}

bool tokens_kept(const struct tokens *t, int64_t item)
{
	return item < t->indexed && t->index[item] >= 0;
}

const real *tokens_row(const struct tokens *t, int64_t item, int k)
{
	return t->x + (size_t)t->index[item] * t->row + t->at[k];
}

static bool is_standardised(const struct tokens *t, int64_t item)
{
	return t->index[item] < t->standardised;
}

bool tokens_read(const struct tokens *t, int64_t item, int k, real *out)
{
	if (!tokens_are_fixed(t->m, k))
		return false;
	must(is_standardised(t, item));
	memcpy(out, tokens_row(t, item, k),
		(size_t)tokens_count(t, item, k) * (size_t)t->m->region[k].D * sizeof *out);
	return true;
}

void tokens_standardise(struct tokens *t, const int64_t *items, int64_t n)
{
	int64_t fresh = 0;
	for (int64_t i = 0; i < n; i++) {
		int64_t row = t->index[items[i]];
		if (row < t->standardised)
			continue;
		for (int k = 0; k < t->m->layout.regions; k++)
			if (tokens_are_fixed(t->m, k))
				model_standardise(t->m, k, tokens_count(t, items[i], k),
					tokens_subject_mean(t, items[i], k),
					t->x + (size_t)row * t->row + t->at[k]);
		fresh++;
	}
	must(fresh == t->kept - t->standardised && t->finished == t->kept);
	t->standardised = t->kept;
}

const real *tokens_standardised(const struct tokens *t, int64_t item, int k, int *n)
{
	must(is_standardised(t, item));
	*n = tokens_count(t, item, k);
	return tokens_row(t, item, k);
}

/* --- linear prior */

static size_t out_of_fold_row(const struct tokens *t)
{
	return 1 + (size_t)t->m->layout.regions * (size_t)t->m->layout.classes.n;
}

void tokens_keep_prior(struct tokens *t, int64_t item, const real *linear_prior)
{
	size_t row = out_of_fold_row(t);
	if (t->out_of_folds < t->kept) {
		t->out_of_fold = spill_grow(&t->out_of_fold_spill, t->out_of_fold,
			(size_t)t->kept * row * sizeof *t->out_of_fold);
		memset(t->out_of_fold + (size_t)t->out_of_folds * row, 0,
			(size_t)(t->kept - t->out_of_folds) * row * sizeof *t->out_of_fold);
		t->out_of_folds = t->kept;
	}
	real *to = t->out_of_fold + (size_t)t->index[item] * row;
	*to = 1;
	memcpy(to + 1, linear_prior, (row - 1) * sizeof *to);
}

const real *tokens_prior(const struct tokens *t, int64_t item, int k)
{
	if (!tokens_kept(t, item) || t->index[item] >= t->out_of_folds)
		return NULL;
	const real *from = t->out_of_fold + (size_t)t->index[item] * out_of_fold_row(t);
	return *from > 0 ? from + 1 + (size_t)k * (size_t)t->m->layout.classes.n : NULL;
}

bool tokens_any_prior(const struct tokens *t)
{
	return t->out_of_folds > 0;
}

/* --- subject means */

static struct sums *sums_of(struct tokens *t, int64_t item)
{
	int g = t->d->item[item].group, before = t->groups;
	if (g >= t->groups) {
		t->groups = g + 1;
		GROW(t->group, t->groups);
		memset(t->group + before, 0, (size_t)(t->groups - before) * sizeof *t->group);
	}
	if (!t->group[g].sum) {
		t->group[g].sum = NEW_ARRAY(double, t->mean);
		t->group[g].count = NEW_ARRAY(int64_t, t->kinds);
	}
	return &t->group[g];
}

static bool all_finite(const struct tokens *t, int64_t item)
{
	bool finite = true;
	for (int k = 0; k < t->m->layout.regions; k++)
		finite &= reals_finite(
			tokens_row(t, item, k), (size_t)tokens_count(t, item, k) * (size_t)t->m->region[k].D);
	return finite;
}

int tokens_check(const struct tokens *t, const int64_t *items, int64_t n)
{
	for (int64_t i = 0; i < n; i++)
		if (!all_finite(t, items[i]))
			return dataset_no_answer(t->d, items[i]);
	return 0;
}

/* A window whose tokens are not finite has no answer and no say in the mean of its group. */
static void add_to_sums(const struct tokens *t, int64_t item, struct sums *s)
{
	if (!all_finite(t, item))
		return;
	for (int k = 0; k < t->m->layout.regions; k++) {
		size_t D = (size_t)t->m->region[k].D, kinds = (size_t)t->m->region[k].kinds;
		int n = tokens_count(t, item, k);
		const real *x = tokens_row(t, item, k);
		for (size_t i = 0; i < (size_t)n; i++)
			s->count[t->kind_at[k] + i % kinds]++;
		for (size_t i = 0; i < (size_t)n; i++)
			for (size_t j = 0; j < D; j++)
				s->sum[t->mean_at[k] + i % kinds * D + j] += (double)x[i * D + j];
	}
}

/* Appends the mean of these sums; its number. */
static int64_t new_subject_mean(struct tokens *t, const struct sums *s)
{
	if (t->means == t->means_room) {
		t->means_room = 2 * t->means + 16;
		t->subject_mean = spill_grow(&t->mean_spill, t->subject_mean,
			(size_t)t->means_room * t->mean * sizeof *t->subject_mean);
	}
	real *to = t->subject_mean + (size_t)t->means * t->mean;
	for (int k = 0; k < t->m->layout.regions; k++) {
		size_t D = (size_t)t->m->region[k].D, kinds = (size_t)t->m->region[k].kinds;
		const int64_t *count = s->count + t->kind_at[k];
		for (size_t j = 0; tokens_are_fixed(t->m, k) && j < kinds * D; j++)
			to[t->mean_at[k] + j] =
				count[j / D] ? (real)(s->sum[t->mean_at[k] + j] / (double)count[j / D]) : 0;
	}
	return t->means++;
}

void tokens_subject_means(struct tokens *t, const int64_t *items, int64_t n)
{
	for (int64_t i = 0; i < n; i++)
		if (!is_standardised(t, items[i]))
			add_to_sums(t, items[i], sums_of(t, items[i]));
	int64_t *number = NEW_ARRAY(int64_t, t->groups); /* 1 + that of a group */
	for (int64_t i = 0; i < n; i++) {
		if (is_standardised(t, items[i]))
			continue;
		int g = t->d->item[items[i]].group;
		if (!number[g])
			number[g] = 1 + new_subject_mean(t, &t->group[g]);
		t->subject_mean_of[items[i]] = number[g] - 1;
	}
	free(number);
}

void tokens_running_subject_means(struct tokens *t, const int64_t *items, int64_t n)
{
	for (int64_t i = 0; i < n; i++) {
		if (is_standardised(t, items[i]))
			continue;
		add_to_sums(t, items[i], sums_of(t, items[i]));
		t->subject_mean_of[items[i]] = new_subject_mean(t, sums_of(t, items[i]));
	}
}

const real *tokens_subject_mean(const struct tokens *t, int64_t item, int k)
{
	int64_t subject_mean = t->means && tokens_are_fixed(t->m, k) ? t->subject_mean_of[item] : -1;
	return subject_mean < 0 ? NULL : t->subject_mean + (size_t)subject_mean * t->mean + t->mean_at[k];
}
