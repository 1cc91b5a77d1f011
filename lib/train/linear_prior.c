#include "train/linear_prior.h"

#include "base/error.h"
#include "base/mem.h"
#include "tensor/symmetric.h"
#include "dataset/tokens.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
	FOLDS = 8,  /* at most: a map is solved without each */
	BLOCKS = 5, /* of time, where all windows are of one recording */
	BATCH = 64, /* windows whose products are added up at a time */
};

/* Part of the gate's first weights that is the same for all regions: none begins with nothing. */
static const double even = 0.02;

struct ridge {
	const struct dataset *d;
	const struct model *m;
	int64_t n;
	const int64_t *item; /* [n] */
	int64_t rows;        /* windows that are solved with: item[i n / rows] */
	int64_t features;
	int classes, folds;
	double *root, *share; /* [classes] root of the weight of a class's windows; weighted shares */
	double *sure; /* [classes] how sure n windows of a class make of it at most: (n + 1) / (n + 2) */
	struct spill x_spill, fold_spill, out_of_fold_spill;
	float *x;            /* [rows][features], each row times its root */
	unsigned char *fold; /* [n] */
	double *out_of_fold; /* [n][K][classes] */
};

/* --- the table */

static int64_t place_of(const struct ridge *r, int64_t row)
{
	return row * r->n / r->rows;
}

static int label_at(const struct ridge *r, int64_t place)
{
	return r->d->item[r->item[place]].label;
}

/* Numbers of region k that the map reads; 0: the region has none. */
static size_t features_of(const struct model *m, int k)
{
	const struct region_params *r = &m->region[k];
	return r->linear_prior < 0 ? 0 : (size_t)r->kinds * (size_t)r->D;
}

/* Features of an item, [K][kinds][D]: the mean of each kind's tokens. */
static void read_features(const struct ridge *r, int64_t item, double *out)
{
	const struct model *m = r->m;
	for (int k = 0; k < m->layout.regions; k++) {
		size_t D = (size_t)m->region[k].D, kinds = (size_t)m->region[k].kinds;
		if (m->region[k].linear_prior < 0)
			continue;
		int n;
		const real *x = tokens_standardised(r->d->tokens, item, k, &n);
		memset(out, 0, kinds * D * sizeof *out);
		for (size_t i = 0; i < (size_t)n; i++) {
			double share = 1 / (double)tokeniser_rows_alike(n, (int)kinds, (int)i);
			for (size_t j = 0; j < D; j++)
				out[i % kinds * D + j] += share * (double)x[i * D + j];
		}
		out += kinds * D;
	}
}

static void fill_table(struct ridge *r)
{
	size_t d = (size_t)r->features;
	double *row = NEW_ARRAY(double, d);
	r->x = spill_grow(&r->x_spill, NULL, (size_t)r->rows * d * sizeof *r->x);
	for (int64_t i = 0; i < r->rows; i++) {
		int64_t at = place_of(r, i);
		read_features(r, r->item[at], row);
		for (size_t j = 0; j < d; j++)
			r->x[(size_t)i * d + j] = (float)(r->root[label_at(r, at)] * row[j]);
	}
	free(row);
}

/* Weights of mean 1, as train.class_weight says. */
static void weigh_classes(struct ridge *r)
{
	bool balanced = r->m->config.train.class_weight == CLASS_WEIGHT_BALANCED;
	double *count = NEW_ARRAY(double, r->classes), sum = 0;
	r->root = NEW_ARRAY(double, r->classes);
	r->share = NEW_ARRAY(double, r->classes);
	r->sure = NEW_ARRAY(double, r->classes);
	for (int64_t i = 0; i < r->n; i++)
		count[label_at(r, i)]++;
	for (int c = 0; c < r->classes; c++) {
		double weight = balanced && count[c] > 0 ? (double)r->n / (r->classes * count[c]) : 1;
		r->root[c] = sqrt(weight);
		r->share[c] = weight * count[c];
		r->sure[c] = (count[c] + 1) / (count[c] + 2);
		sum += r->share[c];
	}
	for (int c = 0; c < r->classes; c++)
		r->share[c] /= sum;
	free(count);
}

/* Row y [classes] of Y for the window at this place: 1 for its class, less the shares, times its
 * root. */
static void target_row(const struct ridge *r, int64_t place, double *y)
{
	int label = label_at(r, place);
	for (int c = 0; c < r->classes; c++)
		y[c] = r->root[label] * ((label == c) - r->share[c]);
}

/* Numbers 1, 2, ... in the order in which the items' groups, or recordings, come: of [names];
 * returns how many. */
static int number_units(const struct ridge *r, bool by_group, int *number)
{
	int units = 0;
	for (int64_t i = 0; i < r->n; i++) {
		const struct item *it = &r->d->item[r->item[i]];
		int *to = &number[by_group ? it->group : it->recording];
		if (!*to)
			*to = ++units;
	}
	return units;
}

/* Folds that are left out one after the other: consecutive groups, recordings or segments. */
static void cut_folds(struct ridge *r)
{
	int *group = NEW_ARRAY(int, r->d->groups.n), *recording = NEW_ARRAY(int, r->d->recordings.n);
	int groups = number_units(r, true, group), recordings = number_units(r, false, recording);
	bool by_group = groups > 1;
	int units = by_group ? groups : recordings;
	r->folds = units < 2 ? BLOCKS : units < FOLDS ? units : FOLDS;
	r->fold = spill_grow(&r->fold_spill, NULL, (size_t)r->n * sizeof *r->fold);
	for (int64_t i = 0; i < r->n; i++) {
		const struct item *it = &r->d->item[r->item[i]];
		int unit = by_group ? group[it->group] : recording[it->recording];
		r->fold[i] = (unsigned char)(units < 2 ? i * BLOCKS / r->n
						       : (int64_t)(unit - 1) * r->folds / units);
	}
	free(group);
	free(recording);
}

/* --- systems */

/* A batch of rows in double: those of one fold (fold >= 0), or all. Returns how many; *at goes
 * on. */
static int next_rows(const struct ridge *r, int fold, int64_t *at, double *X, double *Y)
{
	size_t d = (size_t)r->features, C = (size_t)r->classes;
	int n = 0;
	for (; *at < r->rows && n < BATCH; ++*at) {
		int64_t place = place_of(r, *at);
		if (fold >= 0 && r->fold[place] != fold)
			continue;
		for (size_t j = 0; j < d; j++)
			X[(size_t)n * d + j] = (double)r->x[(size_t)*at * d + j];
		target_row(r, place, Y + (size_t)n++ * C);
	}
	return n;
}

/* G [d][d], upper triangle, = X^T X and R [classes][d] = Y^T X over the rows of a fold, or all
 * (-1); returns the rows. */
static int64_t sum_products(const struct ridge *r, int fold, double *G, double *R)
{
	size_t d = (size_t)r->features, C = (size_t)r->classes;
	double *X = NEW_ARRAY(double, BATCH *d), *Y = NEW_ARRAY(double, BATCH *C);
	int64_t rows = 0, at = 0;
	memset(G, 0, d * d * sizeof *G);
	memset(R, 0, C * d * sizeof *R);
	for (int n; (n = next_rows(r, fold, &at, X, Y)) > 0; rows += n) {
		gram_add(false, n, (int)d, X, (int)d, G);
		for (size_t i = 0; i < (size_t)n; i++)
			for (size_t c = 0; c < C; c++)
				for (size_t j = 0; j < d; j++)
					R[c * d + j] += Y[i * C + c] * X[i * d + j];
	}
	free(X);
	free(Y);
	return rows;
}

/* The map where there is no window to solve with: nothing is known. */
static int zero_map(size_t n, double *W)
{
	memset(W, 0, n * sizeof *W);
	return 0;
}

/* Fewer features than windows: W [classes][d] from all sums less those of a fold. */
static int solve_features(
	const struct ridge *r, int fold, const double *all, const double *all_R, double *G, double *W)
{
	size_t d = (size_t)r->features, C = (size_t)r->classes;
	int64_t rows = r->rows;
	if (fold >= 0) {
		rows -= sum_products(r, fold, G, W);
		for (size_t i = 0; i < d; i++)
			for (size_t j = i; j < d; j++)
				G[i * d + j] = all[i * d + j] - G[i * d + j];
		for (size_t i = 0; i < C * d; i++)
			W[i] = all_R[i] - W[i];
	} else {
		memcpy(G, all, d * d * sizeof *G);
		memcpy(W, all_R, C * d * sizeof *W);
	}
	if (!rows)
		return zero_map(C * d, W);
	for (size_t i = 0; i < d; i++)
		G[i * d + i] += r->m->config.train.ridge * (double)rows;
	return solve_definite((int)d, G, (int)C, W) ? 0 : -1;
}

/* K [n][n], upper triangle, = X X^T, some columns of X at a time */
static void kernel(const struct ridge *r, double *K)
{
	size_t d = (size_t)r->features, n = (size_t)r->rows;
	double *X = NEW_ARRAY(double, BATCH *n);
	memset(K, 0, n * n * sizeof *K);
	for (size_t from = 0; from < d; from += BATCH) {
		size_t some = d - from < BATCH ? d - from : BATCH;
		for (size_t i = 0; i < n; i++)
			for (size_t j = 0; j < some; j++)
				X[i * some + j] = (double)r->x[i * d + from + j];
		gram_add(true, (int)n, (int)some, X, (int)n, K);
	}
	free(X);
}

/* Fewer windows than features: the same W = X^T (X X^T + ridge n I)^-1 Y. */
static int solve_windows(const struct ridge *r, int fold, const double *K, double *G, double *W)
{
	size_t d = (size_t)r->features, C = (size_t)r->classes, all = (size_t)r->rows, n = 0;
	size_t *row = NEW_ARRAY(size_t, all);
	double *beta = NEW_ARRAY(double, C *all), *y = NEW_ARRAY(double, C);
	for (size_t i = 0; i < all; i++)
		if (fold < 0 || r->fold[place_of(r, (int64_t)i)] != fold)
			row[n++] = i;
	for (size_t i = 0; i < n; i++) {
		for (size_t j = i; j < n; j++)
			G[i * n + j] = K[row[i] * all + row[j]];
		G[i * n + i] += r->m->config.train.ridge * (double)n;
		target_row(r, place_of(r, (int64_t)row[i]), y);
		for (size_t c = 0; c < C; c++)
			beta[c * n + i] = y[c];
	}
	bool solved = !n || solve_definite((int)n, G, (int)C, beta);
	zero_map(C * d, W);
	for (size_t i = 0; i < n && solved; i++)
		for (size_t c = 0; c < C; c++)
			for (size_t j = 0; j < d; j++)
				W[c * d + j] += beta[c * n + i] * (double)r->x[row[i] * d + j];
	free(beta);
	free(row);
	free(y);
	return solved ? 0 : -1;
}

/* --- out-of-fold predictions */

/* out_of_fold [n][K][classes] of the windows of a fold, by the map W solved without it */
static void predict_out_of_fold(struct ridge *r, int fold, const double *W)
{
	const struct model *m = r->m;
	size_t d = (size_t)r->features, C = (size_t)r->classes, K = (size_t)m->layout.regions;
	double *x = NEW_ARRAY(double, d);
	for (size_t i = 0; i < (size_t)r->n; i++) {
		if (r->fold[i] != fold)
			continue;
		read_features(r, r->item[i], x);
		for (size_t k = 0, from = 0; k < K; k++) {
			size_t some = features_of(m, (int)k);
			for (size_t c = 0; c < C; c++) {
				double sum = 0;
				for (size_t j = from; j < from + some; j++)
					sum += W[c * d + j] * x[j];
				r->out_of_fold[(i * K + k) * C + c] = sum;
			}
			from += some;
		}
	}
	free(x);
}

/* Mean cross-entropy of softmax(factor * linear prior + log share) and targets that are never quite
 * 1 (Platt 1999): where all answers are right the best factor is no matter of how many digits there
 * are. */
static double log_loss(const struct ridge *r, double factor)
{
	size_t C = (size_t)r->classes, K = (size_t)r->m->layout.regions;
	double loss = 0, weight = 0, *z = NEW_ARRAY(double, C);
	for (size_t i = 0; i < (size_t)r->n; i++) {
		double top = -INFINITY, sum = 0;
		for (size_t c = 0; c < C; c++) {
			double e = 0;
			for (size_t k = 0; k < K; k++)
				e += r->out_of_fold[(i * K + k) * C + c];
			z[c] = factor * e + log(r->share[c] > 0 ? r->share[c] : 1e-9);
			top = fmax(top, z[c]);
		}
		for (size_t c = 0; c < C; c++)
			sum += exp(z[c] - top);
		int label = label_at(r, (int64_t)i);
		double w = r->root[label] * r->root[label];
		double rest = C > 1 ? (1 - r->sure[label]) / (double)(C - 1) : 0;
		loss += w * (top + log(sum) - (C > 1 ? r->sure[label] - rest : 1) * z[label]);
		for (size_t c = 0; c < C; c++)
			loss -= w * rest * z[c];
		weight += w;
	}
	free(z);
	return loss / weight;
}

/* The factor of least loss, by golden sections of its logarithm (the loss is convex in the
 * factor). */
static double best_factor(const struct ridge *r)
{
	double low = log(1e-2), high = log(1e3), ratio = (sqrt(5) - 1) / 2;
	double a = high - ratio * (high - low), b = low + ratio * (high - low);
	double at_a = log_loss(r, exp(a)), at_b = log_loss(r, exp(b));
	for (int i = 0; i < 40; i++) {
		if (at_a <= at_b) {
			high = b, b = a, at_b = at_a;
			a = high - ratio * (high - low);
			at_a = log_loss(r, exp(a));
		} else {
			low = a, a = b, at_a = at_b;
			b = low + ratio * (high - low);
			at_b = log_loss(r, exp(b));
		}
	}
	return exp((low + high) / 2);
}

/* share [K]: each region's share of the out-of-fold evidence for the true class against the
 * others. */
static void find_shares(const struct ridge *r, double *share)
{
	size_t C = (size_t)r->classes, K = (size_t)r->m->layout.regions;
	double sum = 0;
	for (size_t k = 0; k < K; k++) {
		double evidence = 0;
		for (size_t i = 0; i < (size_t)r->n; i++) {
			const double *e = r->out_of_fold + (i * K + k) * C;
			int label = label_at(r, (int64_t)i);
			double mean = 0;
			for (size_t c = 0; c < C; c++)
				mean += e[c] / (double)C;
			evidence += r->root[label] * r->root[label] * (e[label] - mean);
		}
		share[k] = fmax(evidence, 0);
		sum += share[k];
	}
	for (size_t k = 0; k < K; k++)
		share[k] = (1 - even) * (sum > 0 ? share[k] / sum : 1 / (double)K) + even / (double)K;
}

/* --- into the model */

/* The gate begins with these weights. A region's map is divided by its weight times K, so that the
 * gate's sum is that of all maps. */
static void set_gate(struct model *m, const double *share)
{
	int i = m->gate_fc2_bias >= 0 ? m->gate_fc2_bias : m->gate_fc1_bias;
	for (int k = 0; k < m->layout.regions && i >= 0; k++)
		m->params.x[m->params.list[i].offset + (size_t)k] =
			(real)(m->config.gate.temperature * log(share[k]));
}

static void set_maps(
	const struct ridge *r, struct model *m, const double *W, double factor, const double *share)
{
	size_t d = (size_t)r->features;
	real *bias = m->params.x + m->params.list[m->prior_bias].offset;
	for (int c = 0; c < r->classes; c++) {
		size_t from = 0;
		bias[c] = (real)log(r->share[c] > 0 ? r->share[c] : 1e-9);
		for (int k = 0; k < m->layout.regions; k++) {
			size_t some = features_of(m, k);
			if (!some)
				continue;
			const struct param *p = &m->params.list[m->region[k].linear_prior];
			for (size_t j = 0; j < some; j++)
				m->params.x[p->offset + (size_t)c * some + j] =
					(real)(factor * W[(size_t)c * d + from + j] /
						(share[k] * (double)m->layout.regions));
			from += some;
		}
	}
}

static void keep_out_of_fold(const struct ridge *r, struct tokens *t, double factor, const double *share)
{
	size_t K = (size_t)r->m->layout.regions, C = (size_t)r->classes, each = C * K;
	real *row = NEW_ARRAY(real, each);
	for (size_t i = 0; i < (size_t)r->n; i++) {
		for (size_t j = 0; j < each; j++)
			row[j] = (real)(factor * r->out_of_fold[i * each + j] / (share[j / C] * (double)K));
		tokens_keep_prior(t, r->item[i], row);
	}
	free(row);
}

static int solve(struct ridge *r, struct dataset *data, struct model *m, bool begins)
{
	size_t d = (size_t)r->features, C = (size_t)r->classes;
	bool by_windows = r->rows < r->features;
	size_t size = by_windows ? (size_t)r->rows : d;
	double *all = NEW_ARRAY(double, size *size), *G = NEW_ARRAY(double, size *size),
	       *R = NEW_ARRAY(double, C *d), *W = NEW_ARRAY(double, C *d);
	int bad = 0;
	if (by_windows)
		kernel(r, all);
	else
		sum_products(r, -1, all, R);
	for (int fold = 0; fold < r->folds && !bad; fold++) {
		bad = by_windows ? solve_windows(r, fold, all, G, W) : solve_features(r, fold, all, R, G, W);
		if (!bad)
			predict_out_of_fold(r, fold, W);
	}
	bad = bad || (by_windows ? solve_windows(r, -1, all, G, W) : solve_features(r, -1, all, R, G, W));
	if (bad) {
		err_set(EX_DATAERR, "encoder.evidence: the ridge regression of the features cannot be "
				    "solved; make train.ridge "
				    "larger, or set encoder.evidence=none");
	} else {
		double factor = best_factor(r), *share = NEW_ARRAY(double, m->layout.regions);
		find_shares(r, share);
		if (begins) {
			set_gate(m, share);
			set_maps(r, m, W, factor, share);
		}
		keep_out_of_fold(r, data->tokens, factor, share);
		free(share);
	}
	free(all);
	free(G);
	free(R);
	free(W);
	return bad;
}

int linear_prior_fit(
	struct dataset *d, struct model *m, const int64_t *items, int64_t n, int64_t most, bool begins)
{
	struct ridge r = {.d = d, .m = m, .n = n, .item = items, .rows = n, .classes = m->layout.classes.n};
	for (int k = 0; k < m->layout.regions; k++)
		r.features += (int64_t)features_of(m, k);
	if (r.features > most && n > most)
		r.rows = most;
	size_t each = (size_t)m->layout.regions * (size_t)r.classes;
	r.out_of_fold = spill_grow(&r.out_of_fold_spill, NULL, (size_t)n * each * sizeof *r.out_of_fold);
	weigh_classes(&r);
	cut_folds(&r);
	fill_table(&r);
	int bad = solve(&r, d, m, begins);
	spill_free(&r.x_spill, r.x);
	spill_free(&r.fold_spill, r.fold);
	spill_free(&r.out_of_fold_spill, r.out_of_fold);
	free(r.root);
	free(r.share);
	free(r.sure);
	return bad;
}
