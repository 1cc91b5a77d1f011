#include "train/ridge.h"

#include "base/error.h"
#include "base/mem.h"
#include "tensor/symmetric.h"
#include "dataset/tokens.h"
#include "model/tokeniser.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
	FOLDS = 8,  /* at most: a map is solved without each */
	BLOCKS = 5, /* of time, where all windows are of one recording */
	BATCH = 64, /* windows whose products are added up at a time */
};

/* --- the table */

static int64_t place_of(const struct ridge *r, int64_t row)
{
	return row * r->n / r->rows;
}

int ridge_label(const struct ridge *r, int64_t place)
{
	return r->d->item[r->item[place]].label;
}

size_t ridge_features(const struct model *m, int k)
{
	const struct region_params *r = &m->region[k];
	return r->linear_prior < 0 ? 0 : (size_t)r->kinds * (size_t)r->D;
}

static bool in_view(const struct ridge *r, int k)
{
	return r->view_of[k] == r->view && r->m->region[k].linear_prior >= 0;
}

/* Features of an item, [kinds][D] of each region of the view: the mean of each kind's tokens. */
static void read_features(const struct ridge *r, int64_t item, double *out)
{
	const struct model *m = r->m;
	for (int k = 0; k < m->layout.regions; k++) {
		size_t D = (size_t)m->region[k].D, kinds = (size_t)m->region[k].kinds;
		if (!in_view(r, k))
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
	r->x = spill_grow(&r->x_spill, r->x, (size_t)r->rows * d * sizeof *r->x);
	for (int64_t i = 0; i < r->rows; i++) {
		int64_t at = place_of(r, i);
		read_features(r, r->item[at], row);
		for (size_t j = 0; j < d; j++)
			r->x[(size_t)i * d + j] = (float)(r->root[ridge_label(r, at)] * row[j]);
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
		count[ridge_label(r, i)]++;
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
	int label = ridge_label(r, place);
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
	r->units = units < 2 ? BLOCKS : units;
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

/* Of the view at hand, for each window */
static double penalty_of(const struct ridge *r)
{
	double times = 1;
	for (int k = 0; k < r->m->layout.regions; k++)
		if (in_view(r, k) && r->m->region[k].tokeniser->ridge > 0)
			times = r->m->region[k].tokeniser->ridge;
	return times * r->m->config.train.ridge;
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
		G[i * d + i] += penalty_of(r) * (double)rows;
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
		G[i * n + i] += penalty_of(r) * (double)n;
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
			size_t some = ridge_features(m, (int)k);
			for (size_t c = 0; c < C && in_view(r, (int)k); c++) {
				double sum = 0;
				for (size_t j = from; j < from + some; j++)
					sum += W[c * d + j] * x[j];
				r->out_of_fold[(i * K + k) * C + c] = sum;
			}
			from += in_view(r, (int)k) ? some : 0;
		}
	}
	free(x);
}

/* --- a view */

double *ridge_solve(struct ridge *r, int view, int64_t most)
{
	r->view = view;
	r->features = 0;
	for (int k = 0; k < r->m->layout.regions; k++)
		r->features += in_view(r, k) ? (int64_t)ridge_features(r->m, k) : 0;
	if (!r->features)
		return NEW(double); /* a view of other tokens: it says nothing */
	r->rows = r->features > most && r->n > most ? most : r->n;
	fill_table(r);
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
	free(all);
	free(G);
	free(R);
	if (!bad)
		return W;
	free(W);
	return NULL;
}

void ridge_begin(struct ridge *r)
{
	size_t K = (size_t)r->m->layout.regions;
	r->classes = r->m->layout.classes.n;
	r->out_of_fold = spill_grow(
		&r->out_of_fold_spill, NULL, (size_t)r->n * K * (size_t)r->classes * sizeof *r->out_of_fold);
	memset(r->out_of_fold, 0, (size_t)r->n * K * (size_t)r->classes * sizeof *r->out_of_fold);
	r->view_of = NEW_ARRAY(int, K);
	r->views = layout_views(&r->m->layout, r->view_of);
	weigh_classes(r);
	cut_folds(r);
}

void ridge_end(struct ridge *r)
{
	spill_free(&r->x_spill, r->x);
	spill_free(&r->fold_spill, r->fold);
	spill_free(&r->out_of_fold_spill, r->out_of_fold);
	free(r->view_of);
	free(r->root);
	free(r->share);
	free(r->sure);
}
