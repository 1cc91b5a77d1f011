#include "dataset/tokens.h"

#include "base/mem.h"
#include "base/sum.h"

#include <math.h>
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
	size_t *mean_at, mean;  /* [K] likewise in a mean */
	size_t *kind_at, kinds; /* [K] likewise where its kinds lie among those of all regions */
	struct spill spill, index_spill, centre_spill, centre_of_spill, told_spill;
	real *x;        /* [kept][row] */
	int64_t *index; /* [indexed] row of an item, -1 = not kept */
	int64_t indexed, index_room, kept, room;
	struct sums *group; /* [groups] running */
	int groups;
	real *centre;       /* [means][mean], or NULL */
	int64_t *centre_of; /* [indexed] mean of an item, -1 = none */
	int64_t means, means_room;
	real *told; /* [kept][1 + K * classes]: whether there is any, and the linear prior; NULL: none */
	int64_t tolds;
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
	t->indexed = t->kept = t->means = t->tolds = 0;
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
	spill_free(&t->centre_spill, t->centre);
	spill_free(&t->centre_of_spill, t->centre_of);
	spill_free(&t->told_spill, t->told);
	free(t->at);
	free(t->mean_at);
	free(t->kind_at);
	free(t);
}

/* Tokens of an item that are kept of region k */
static int count_of(const struct tokens *t, int64_t item, int k)
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
		t->centre_of = spill_grow(&t->centre_of_spill, t->centre_of, bytes);
	}
	for (; t->indexed < n; t->indexed++)
		t->index[t->indexed] = t->centre_of[t->indexed] = -1;
}

struct making {
	struct tokens *t;
	const int64_t *items;
	struct arena **scratch; /* [threads] */
	int64_t first;          /* row of items[0] */
};

static void make(void *context, int task, int worker)
{
	struct making *g = context;
	struct tokens *t = g->t;
	const struct model *m = t->m;
	const struct layout *l = &m->layout;
	struct arena *a = g->scratch[worker];
	real *row = t->x + (size_t)(g->first + task) * t->row;
	for (int k = 0; k < l->regions; k++) {
		const struct region_params *r = &m->region[k];
		if (!tokens_are_fixed(m, k))
			continue;
		arena_reset(a);
		real *x = arena_take(a, (size_t)r->length * (size_t)l->region[k].width * sizeof *x);
		dataset_fill(t->d, g->items[task], k, x);
		r->tokeniser->features(&m->config, r->prepared, model_token_scale(m, k), x, r->length,
			r->rate, &l->region[k], row + t->at[k], a);
	}
}

void tokens_keep(struct tokens *t, const int64_t *items, int64_t n, struct pool *pool)
{
	enum { ROUND = 1 << 12 };
	int threads = pool_threads(pool);
	struct making g = {.t = t, .scratch = NEW_ARRAY(struct arena *, threads)};
	int64_t *fresh = NEW_ARRAY(int64_t, ROUND);
	for (int i = 0; i < threads; i++)
		g.scratch[i] = arena_new();
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
		pool_run(pool, some, make, &g);
	}
	for (int i = 0; i < threads; i++)
		arena_free(g.scratch[i]);
	free(g.scratch);
	free(fresh);
}

bool tokens_kept(const struct tokens *t, int64_t item)
{
	return item < t->indexed && t->index[item] >= 0;
}

static const real *row_of(const struct tokens *t, int64_t item, int k)
{
	return t->x + (size_t)t->index[item] * t->row + t->at[k];
}

bool tokens_read(const struct tokens *t, int64_t item, int k, real *out)
{
	if (!tokens_are_fixed(t->m, k))
		return false;
	memcpy(out, row_of(t, item, k),
		(size_t)count_of(t, item, k) * (size_t)t->m->region[k].D * sizeof *out);
	return true;
}

int tokens_standard(const struct tokens *t, int64_t item, int k, real *out)
{
	int n = count_of(t, item, k);
	tokens_read(t, item, k, out);
	model_standardise(t->m, k, n, tokens_centre_of(t, item, k), out);
	return n;
}

/* --- linear prior */

static size_t told_row(const struct tokens *t)
{
	return 1 + (size_t)t->m->layout.regions * (size_t)t->m->layout.classes.n;
}

void tokens_tell(struct tokens *t, int64_t item, const real *linear_prior)
{
	size_t row = told_row(t);
	if (t->tolds < t->kept) {
		t->told = spill_grow(&t->told_spill, t->told, (size_t)t->kept * row * sizeof *t->told);
		memset(t->told + (size_t)t->tolds * row, 0,
			(size_t)(t->kept - t->tolds) * row * sizeof *t->told);
		t->tolds = t->kept;
	}
	real *to = t->told + (size_t)t->index[item] * row;
	*to = 1;
	memcpy(to + 1, linear_prior, (row - 1) * sizeof *to);
}

const real *tokens_told(const struct tokens *t, int64_t item, int k)
{
	if (!tokens_kept(t, item) || t->index[item] >= t->tolds)
		return NULL;
	const real *from = t->told + (size_t)t->index[item] * told_row(t);
	return *from > 0 ? from + 1 + (size_t)k * (size_t)t->m->layout.classes.n : NULL;
}

bool tokens_tell_any(const struct tokens *t)
{
	return t->tolds > 0;
}

/* --- centres */

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
			row_of(t, item, k), (size_t)count_of(t, item, k) * (size_t)t->m->region[k].D);
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
static void add(const struct tokens *t, int64_t item, struct sums *s)
{
	if (!all_finite(t, item))
		return;
	for (int k = 0; k < t->m->layout.regions; k++) {
		size_t D = (size_t)t->m->region[k].D, kinds = (size_t)t->m->region[k].kinds;
		int n = count_of(t, item, k);
		const real *x = row_of(t, item, k);
		for (size_t i = 0; i < (size_t)n; i++)
			s->count[t->kind_at[k] + i % kinds]++;
		for (size_t i = 0; i < (size_t)n; i++)
			for (size_t j = 0; j < D; j++)
				s->sum[t->mean_at[k] + i % kinds * D + j] += (double)x[i * D + j];
	}
}

/* A further mean; its number */
static int64_t new_centre(struct tokens *t, const struct sums *s)
{
	if (t->means == t->means_room) {
		t->means_room = 2 * t->means + 16;
		t->centre = spill_grow(
			&t->centre_spill, t->centre, (size_t)t->means_room * t->mean * sizeof *t->centre);
	}
	real *to = t->centre + (size_t)t->means * t->mean;
	for (int k = 0; k < t->m->layout.regions; k++) {
		size_t D = (size_t)t->m->region[k].D, kinds = (size_t)t->m->region[k].kinds;
		const int64_t *count = s->count + t->kind_at[k];
		for (size_t j = 0; tokens_are_fixed(t->m, k) && j < kinds * D; j++)
			to[t->mean_at[k] + j] =
				count[j / D] ? (real)(s->sum[t->mean_at[k] + j] / (double)count[j / D]) : 0;
	}
	return t->means++;
}

void tokens_centre(struct tokens *t, const int64_t *items, int64_t n)
{
	for (int64_t i = 0; i < n; i++)
		add(t, items[i], sums_of(t, items[i]));
	int64_t *number = NEW_ARRAY(int64_t, t->groups); /* 1 + that of a group */
	for (int64_t i = 0; i < n; i++) {
		int g = t->d->item[items[i]].group;
		if (!number[g])
			number[g] = 1 + new_centre(t, &t->group[g]);
		t->centre_of[items[i]] = number[g] - 1;
	}
	free(number);
}

void tokens_centre_running(struct tokens *t, const int64_t *items, int64_t n)
{
	for (int64_t i = 0; i < n; i++) {
		add(t, items[i], sums_of(t, items[i]));
		t->centre_of[items[i]] = new_centre(t, sums_of(t, items[i]));
	}
}

const real *tokens_centre_of(const struct tokens *t, int64_t item, int k)
{
	int64_t centre = t->means && tokens_are_fixed(t->m, k) ? t->centre_of[item] : -1;
	return centre < 0 ? NULL : t->centre + (size_t)centre * t->mean + t->mean_at[k];
}

/* --- statistics */

struct levelling {
	const struct dataset *d;
	const int64_t *items;
	const struct model *m;
};

static int powers_of(const struct region_params *r)
{
	return r->tokeniser->power ? r->kinds : 0;
}

/* sum: [kinds] of each region whose tokeniser needs mean powers, one after the other */
static void add_powers(void *context, int64_t i, struct arena *scratch, double *sum)
{
	const struct levelling *v = context;
	const struct model *m = v->m;
	const struct layout *l = &m->layout;
	for (int k = 0; k < l->regions; k++) {
		const struct region_params *r = &m->region[k];
		if (!powers_of(r))
			continue;
		arena_reset(scratch);
		real *x = arena_take(scratch, (size_t)r->length * (size_t)l->region[k].width * sizeof *x),
		     *power = arena_take(scratch, (size_t)r->kinds * sizeof *power);
		dataset_fill(v->d, v->items[i], k, x);
		r->tokeniser->power(&m->config, r->prepared, x, dataset_region_samples(v->d, v->items[i], k),
			r->rate, &l->region[k], power, scratch);
		for (int j = 0; j < r->kinds; j++)
			*sum++ += (double)power[j];
	}
}

void tokens_level(
	const struct dataset *d, const int64_t *items, int64_t n, struct pool *pool, struct model *m)
{
	int powers = 0;
	for (int k = 0; k < m->layout.regions; k++)
		powers += powers_of(&m->region[k]);
	if (!powers)
		return;
	double *total = NEW_ARRAY(double, powers), *sum = total;
	sum_items(pool, n, add_powers, &(struct levelling){d, items, m}, powers, total);
	for (int k = 0; k < m->layout.regions; k++)
		for (int j = 0; j < powers_of(&m->region[k]); j++) {
			real mean = (real)(*sum++ / (double)n);
			m->params.x[m->params.list[m->region[k].token_scale].offset + (size_t)j] =
				mean > 0 ? mean : 1;
		}
	free(total);
}

struct fitting {
	const struct tokens *t;
	const int64_t *items;
	int64_t n;
	struct model *m;
};

static int kinds_kept(const struct model *m, int k)
{
	return tokens_are_fixed(m, k) ? m->region[k].kinds : 0;
}

/* mean, std [D] of one kind and region, in two passes */
static void fit_kind(void *context, int task, int worker)
{
	const struct fitting *f = context;
	const struct tokens *t = f->t;
	struct model *m = f->m;
	int k = 0, kind = task; /* among those of all regions */
	while (kind >= kinds_kept(m, k))
		kind -= kinds_kept(m, k++);
	const struct region_params *r = &m->region[k];
	size_t D = (size_t)r->D, first = (size_t)kind * D;
	real *mean = m->params.x + m->params.list[r->token_mean].offset + first,
	     *std = m->params.x + m->params.list[r->token_std].offset + first;
	double *sum = NEW_ARRAY(double, D), *square = NEW_ARRAY(double, D);
	int64_t count = 0;
	(void)worker;
	for (int pass = 0; pass < 2; pass++) {
		for (int64_t i = 0; i < f->n; i++) {
			const real *x = row_of(t, f->items[i], k), *c = tokens_centre_of(t, f->items[i], k);
			int n = count_of(t, f->items[i], k);
			for (int row = kind; row < n; row += r->kinds) {
				count += !pass;
				for (size_t j = 0; j < D; j++) {
					double v = (double)x[(size_t)row * D + j] -
						   (c ? (double)c[first + j] : 0);
					if (pass)
						square[j] += (v - sum[j]) * (v - sum[j]);
					else
						sum[j] += v;
				}
			}
		}
		for (size_t j = 0; j < D && !pass; j++)
			sum[j] /= count ? (double)count : 1;
	}
	for (size_t j = 0; j < D; j++) {
		double var = square[j] / (count ? (double)count : 1);
		mean[j] = (real)sum[j];
		std[j] = var > 1e-12 ? (real)sqrt(var) : 1;
	}
	free(sum);
	free(square);
}

void tokens_fit(const struct tokens *t, const int64_t *items, int64_t n, struct pool *pool, struct model *m)
{
	struct fitting f = {t, items, n, m};
	pool_run(pool, (int)t->kinds, fit_kind, &f);
}
