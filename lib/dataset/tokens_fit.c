/* What a model's tokenisers and encoders need to know of the features of its training windows. */
#include "dataset/tokens.h"

#include "base/mem.h"
#include "base/sum.h"

#include <math.h>
#include <stdlib.h>

struct levelling {
	const struct tokens *t;
	const struct model *m;
	const int64_t *items;
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
	for (int k = 0; k < m->layout.regions; k++) {
		const struct region_params *r = &m->region[k];
		if (!powers_of(r))
			continue;
		arena_reset(scratch);
		real *power = arena_take(scratch, (size_t)r->kinds * sizeof *power);
		r->tokeniser->power(&m->config, tokens_row(v->t, v->items[i], k),
			tokens_count(v->t, v->items[i], k), &m->layout.region[k], power);
		for (int j = 0; j < r->kinds; j++)
			*sum++ += (double)power[j];
	}
}

void tokens_level(const struct tokens *t, const int64_t *items, int64_t n, struct pool *pool, struct model *m)
{
	int powers = 0;
	for (int k = 0; k < m->layout.regions; k++)
		powers += powers_of(&m->region[k]);
	if (!powers)
		return;
	double *total = NEW_ARRAY(double, powers), *sum = total;
	sum_items(pool, n, add_powers, &(struct levelling){t, m, items}, powers, total);
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
			const real *x = tokens_row(t, f->items[i], k),
				   *c = tokens_subject_mean(t, f->items[i], k);
			int n = tokens_count(t, f->items[i], k);
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
	int kinds = 0;
	for (int k = 0; k < m->layout.regions; k++)
		kinds += kinds_kept(m, k);
	pool_run(pool, kinds, fit_kind, &f);
}
