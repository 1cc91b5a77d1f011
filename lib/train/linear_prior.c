#include "train/linear_prior.h"

#include "base/error.h"
#include "base/json.h"
#include "base/mem.h"
#include "dataset/tokens.h"
#include "train/ridge.h"
#include "train/view_weights.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Part of the gate's first weights that is the same for all regions: none begins with nothing. */
static const double even = 0.02;

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
		int label = ridge_label(r, (int64_t)i);
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
			int label = ridge_label(r, (int64_t)i);
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

/* A view's map, and how much it counts. */
struct maps {
	double *W; /* [classes][features] */
	size_t features;
	double weight;
	double deviation, accuracy; /* of its out-of-fold predictions */
};

/* --- weights of views */

/* target [classes][classes] of never quite 1 (log_loss) */
static void fill_targets(const struct ridge *r, double *target)
{
	int C = r->classes;
	for (int label = 0; label < C; label++)
		for (int c = 0; c < C; c++)
			target[label * C + c] = C == 1       ? 1
						: c == label ? r->sure[label]
							     : (1 - r->sure[label]) / (C - 1);
}

/* score [n][views][classes], a window's less their mean */
static void fill_scores(const struct ridge *r, double *score)
{
	size_t K = (size_t)r->m->layout.regions, V = (size_t)r->views, C = (size_t)r->classes;
	memset(score, 0, (size_t)r->n * V * C * sizeof *score);
	for (size_t i = 0; i < (size_t)r->n; i++) {
		for (size_t k = 0; k < K; k++)
			for (size_t c = 0; c < C; c++)
				score[(i * V + (size_t)r->view_of[k]) * C + c] +=
					r->out_of_fold[(i * K + k) * C + c];
		for (size_t v = 0; v < V; v++) {
			double *s = score + (i * V + v) * C, mean = 0;
			for (size_t c = 0; c < C; c++)
				mean += s[c] / (double)C;
			for (size_t c = 0; c < C; c++)
				s[c] -= mean;
		}
	}
}

/* deviation and accuracy of a view */
static void find_earnings(const struct ridge *r, const double *score, const int *label, const double *prior,
	int view, struct maps *map)
{
	size_t V = (size_t)r->views, C = (size_t)r->classes;
	double square = 0;
	int64_t right = 0;
	for (size_t i = 0; i < (size_t)r->n; i++) {
		const double *s = score + (i * V + (size_t)view) * C;
		size_t best = 0;
		for (size_t c = 0; c < C; c++) {
			square += s[c] * s[c];
			best = s[c] + prior[c] > s[best] + prior[best] ? c : best;
		}
		right += (int)best == label[i];
	}
	map->deviation = sqrt(square / ((double)r->n * (double)C));
	map->accuracy = (double)right / (double)r->n;
}

/* The weights of views as a table in JSON: fractions of the whole, and how often a view alone finds
 * the class of a window it was not fitted on. */
static char *views_table(const struct ridge *r, const struct maps *maps)
{
	struct text t = {0};
	double sum = 0;
	for (int v = 0; v < r->views; v++)
		sum += maps[v].weight * maps[v].deviation;
	for (int k = 0, v = -1; k < r->m->layout.regions; k++) {
		if (r->view_of[k] == v)
			continue;
		v = r->view_of[k];
		char *name = layout_view_name(&r->m->layout, k);
		text_add(&t, v ? ",{\"view\":" : "[{\"view\":");
		json_string(&t, name);
		text_add(&t, ",\"weight\":");
		json_float(&t, sum > 0 ? maps[v].weight * maps[v].deviation / sum : 0);
		text_add(&t, ",\"accuracy\":");
		json_float(&t, maps[v].accuracy);
		text_add(&t, "}");
		free(name);
	}
	text_add(&t, "]");
	return text_take(&t);
}

/* What each view counts, which its out-of-fold predictions are multiplied by. */
static void weigh_views(struct ridge *r, struct maps *maps)
{
	size_t K = (size_t)r->m->layout.regions, V = (size_t)r->views, C = (size_t)r->classes,
	       n = (size_t)r->n;
	struct spill spill = {0};
	double *score = spill_grow(&spill, NULL, n * V * C * sizeof *score), *prior = NEW_ARRAY(double, C),
	       *target = NEW_ARRAY(double, C *C), *root = NEW_ARRAY(double, C),
	       *weight = NEW_ARRAY(double, V);
	int *label = NEW_ARRAY(int, n);
	for (size_t c = 0; c < C; c++) {
		prior[c] = log(r->share[c] > 0 ? r->share[c] : 1e-9);
		root[c] = r->root[c] * r->root[c];
	}
	for (size_t i = 0; i < n; i++)
		label[i] = ridge_label(r, (int64_t)i);
	fill_scores(r, score);
	fill_targets(r, target);
	view_weights(&(struct view_scores){r->n, r->views, r->classes, score, target, prior, label, root,
			     (double)r->units},
		weight);
	for (size_t v = 0; v < V; v++) {
		maps[v].weight = weight[v];
		find_earnings(r, score, label, prior, (int)v, &maps[v]);
	}
	for (size_t i = 0; i < n * K && V > 1; i++)
		for (size_t c = 0; c < C; c++)
			r->out_of_fold[i * C + c] *= weight[r->view_of[i % K]];
	spill_free(&spill, score);
	free(prior);
	free(target);
	free(root);
	free(weight);
	free(label);
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

/* Where a region's features begin among those of its view. */
static size_t first_feature(const struct ridge *r, int k)
{
	size_t from = 0;
	for (int i = 0; i < k; i++)
		from += r->view_of[i] == r->view_of[k] ? ridge_features(r->m, i) : 0;
	return from;
}

static void set_maps(
	const struct ridge *r, struct model *m, const struct maps *maps, double factor, const double *share)
{
	real *bias = m->params.x + m->params.list[m->prior_bias].offset;
	for (int c = 0; c < r->classes; c++) {
		bias[c] = (real)log(r->share[c] > 0 ? r->share[c] : 1e-9);
		for (int k = 0; k < m->layout.regions; k++) {
			const struct maps *v = &maps[r->view_of[k]];
			size_t some = ridge_features(m, k), from = first_feature(r, k);
			for (size_t j = 0; j < some; j++)
				m->params.x[m->params.list[m->region[k].linear_prior].offset +
					    (size_t)c * some + j] =
					(real)(factor * v->weight * v->W[(size_t)c * v->features + from + j] /
						(share[k] * (double)m->layout.regions));
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

static void set_prior(struct ridge *r, struct dataset *d, struct model *m, struct maps *maps, bool begins)
{
	double *share = NEW_ARRAY(double, m->layout.regions);
	weigh_views(r, maps);
	double factor = best_factor(r);
	find_shares(r, share);
	if (begins) {
		set_gate(m, share);
		set_maps(r, m, maps, factor, share);
		free(m->views);
		m->views = r->views > 1 ? views_table(r, maps) : NULL;
	}
	keep_out_of_fold(r, d->tokens, factor, share);
	free(share);
}

int linear_prior_fit(
	struct dataset *d, struct model *m, const int64_t *items, int64_t n, int64_t most, bool begins)
{
	struct ridge r = {.d = d, .m = m, .n = n, .item = items};
	bool bad = false;
	ridge_begin(&r);
	struct maps *maps = NEW_ARRAY(struct maps, r.views);
	for (int v = 0; v < r.views && !bad; v++) {
		maps[v].W = ridge_solve(&r, v, most);
		maps[v].features = (size_t)r.features;
		bad = !maps[v].W;
	}
	if (bad)
		err_set(EX_DATAERR, "encoder.evidence: the ridge regression of the features cannot be "
				    "solved; increase train.ridge, or set encoder.evidence=none");
	else
		set_prior(&r, d, m, maps, begins);
	for (int v = 0; v < r.views; v++)
		free(maps[v].W);
	free(maps);
	ridge_end(&r);
	return bad ? -1 : 0;
}
