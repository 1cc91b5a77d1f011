#include "train/view_weights.h"

#include "base/mem.h"
#include "tensor/symmetric.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static const double SHRINK = 3, BENEFIT = 1, FARTHEST = 6; /* of t from its mean */

enum { STEPS = 30, HALVINGS = 20 };

struct search {
	const struct view_scores *s;
	double *scale;              /* [views] f_v */
	bool *kept;                 /* [views] */
	int V;                      /* views */
	double *slope, *curve;      /* [V], [V][V] of the cross-entropy by the weights */
	double *p, *mean;           /* [classes], [V]: room */
	double *step, *system, *to; /* [V], [V][V], [V]: room */
};

/* Mean cross-entropy with the weights w [V] of scaled scores; slope and curve where they are
 * wanted. */
static double cross_entropy(struct search *h, const double *w, bool derivatives)
{
	const struct view_scores *s = h->s;
	int V = h->V, C = s->classes;
	double loss = 0, total = 0;
	if (derivatives) {
		memset(h->slope, 0, (size_t)V * sizeof *h->slope);
		memset(h->curve, 0, (size_t)V * (size_t)V * sizeof *h->curve);
	}
	for (int64_t i = 0; i < s->n; i++) {
		const double *z = s->score + (size_t)i * (size_t)V * (size_t)C,
			     *q = s->target + (size_t)s->label[i] * (size_t)C;
		double top = -INFINITY, sum = 0, weight = s->weight[s->label[i]];
		for (int c = 0; c < C; c++) {
			double x = s->prior[c];
			for (int v = 0; v < V; v++)
				x += w[v] * h->scale[v] * z[v * C + c];
			h->p[c] = x;
			top = fmax(top, x);
		}
		for (int c = 0; c < C; c++)
			sum += exp(h->p[c] - top);
		for (int c = 0; c < C; c++) {
			loss += weight * q[c] * (top + log(sum) - h->p[c]);
			h->p[c] = exp(h->p[c] - top) / sum;
		}
		total += weight;
		if (!derivatives)
			continue;
		for (int v = 0; v < V; v++) {
			h->mean[v] = 0;
			for (int c = 0; c < C; c++) {
				h->mean[v] += h->p[c] * h->scale[v] * z[v * C + c];
				h->slope[v] += weight * (h->p[c] - q[c]) * h->scale[v] * z[v * C + c];
			}
		}
		for (int v = 0; v < V; v++)
			for (int u = v; u < V; u++) {
				double both = 0;
				for (int c = 0; c < C; c++)
					both += h->p[c] * h->scale[v] * z[v * C + c] * h->scale[u] *
						z[u * C + c];
				h->curve[v * V + u] += weight * (both - h->mean[v] * h->mean[u]);
			}
	}
	for (int v = 0; v < V && derivatives; v++) {
		h->slope[v] /= total;
		for (int u = v; u < V; u++)
			h->curve[v * V + u] /= total;
	}
	return loss / total;
}

static double mean_of(const struct search *h, const double *t)
{
	double sum = 0;
	int n = 0;
	for (int v = 0; v < h->V; v++) {
		sum += h->kept[v] ? t[v] : 0;
		n += h->kept[v];
	}
	return sum / n;
}

static double penalty(const struct search *h, const double *t)
{
	double mean = mean_of(h, t), sum = 0;
	for (int v = 0; v < h->V; v++)
		sum += h->kept[v] ? (t[v] - mean) * (t[v] - mean) : 0;
	return SHRINK / 2 * sum;
}

static double objective(struct search *h, const double *t, bool derivatives)
{
	double *w = h->step; /* not in use meanwhile */
	for (int v = 0; v < h->V; v++)
		w[v] = h->kept[v] ? exp(t[v]) : 0;
	return h->s->subjects * cross_entropy(h, w, derivatives) + penalty(h, t);
}

/* The step of Newton's method from t, with the part of the curvature that cannot be negative; views
 * left out do not move. */
static bool newton(struct search *h, const double *t)
{
	int V = h->V, n = 0;
	double mean = mean_of(h, t), G = h->s->subjects;
	for (int v = 0; v < V; v++)
		n += h->kept[v];
	for (int v = 0; v < V; v++) {
		double slope = G * h->slope[v] * exp(t[v]) + SHRINK * (t[v] - mean);
		for (int u = v; u < V; u++)
			h->system[v * V + u] =
				h->kept[v] && h->kept[u]
					? G * h->curve[v * V + u] * exp(t[v] + t[u]) - SHRINK / n
					: 0;
		h->system[v * V + v] = h->kept[v] ? h->system[v * V + v] + SHRINK + 1e-9 +
							    fmax(0, G * h->slope[v] * exp(t[v]))
						  : 1;
		h->to[v] = h->kept[v] ? -slope : 0;
	}
	return solve_definite(V, h->system, 1, h->to);
}

/* Fills t [views]; returns the objective there. */
static double minimise(struct search *h, double *t)
{
	double *best = NEW_ARRAY(double, h->V), now = objective(h, t, true);
	for (int step = 0; step < STEPS && newton(h, t); step++) {
		double before = now, length = 1;
		for (int halving = 0; halving < HALVINGS; halving++, length /= 2) {
			for (int v = 0; v < h->V; v++)
				best[v] = fmin(fmax(t[v] + length * h->to[v], -FARTHEST), FARTHEST);
			now = objective(h, best, false);
			if (now < before)
				break;
		}
		if (!(now < before)) {
			now = before;
			break;
		}
		memcpy(t, best, (size_t)h->V * sizeof *t);
		if (before - now < 1e-10)
			break;
		objective(h, t, true);
	}
	free(best);
	return now;
}

/* Leaves out, one after the other, the view without which the objective is smallest. */
static void leave_out(struct search *h, double *t)
{
	size_t bytes = (size_t)h->V * sizeof *t;
	double now = minimise(h, t), *trial = NEW_ARRAY(double, h->V), *least = NEW_ARRAY(double, h->V);
	for (int left = h->V; left > 1; left--) {
		int out = -1;
		double smallest = now - BENEFIT;
		for (int v = 0; v < h->V; v++) {
			if (!h->kept[v])
				continue;
			h->kept[v] = false;
			memcpy(trial, t, bytes);
			double without = minimise(h, trial);
			h->kept[v] = true;
			if (without < smallest) {
				smallest = without;
				out = v;
				memcpy(least, trial, bytes);
			}
		}
		if (out < 0)
			break;
		h->kept[out] = false;
		now = smallest;
		memcpy(t, least, bytes);
	}
	free(trial);
	free(least);
}

/* 1 / deviation of each view's scores, 0 where they are all 0. Returns how many have any. */
static int find_scales(struct search *h)
{
	const struct view_scores *s = h->s;
	size_t V = (size_t)h->V, C = (size_t)s->classes;
	int some = 0;
	for (size_t v = 0; v < V; v++) {
		double square = 0;
		for (size_t i = 0; i < (size_t)s->n; i++)
			for (size_t c = 0; c < C; c++) {
				double z = s->score[(i * V + v) * C + c];
				square += z * z;
			}
		h->kept[v] = square > 0;
		h->scale[v] = h->kept[v] ? 1 / sqrt(square / ((double)s->n * (double)C)) : 0;
		some += h->kept[v];
	}
	return some;
}

/* The factor under which each view alone has the least cross-entropy. t [views]: room, 0
 * afterwards. */
static void calibrate(struct search *h, double *t)
{
	size_t V = (size_t)h->V;
	bool *all = NEW_ARRAY(bool, V);
	memcpy(all, h->kept, V * sizeof *all);
	for (size_t v = 0; v < V; v++) {
		memset(h->kept, 0, V * sizeof *h->kept);
		h->kept[v] = all[v];
		if (all[v])
			minimise(h, t);
		h->scale[v] *= exp(t[v]);
		t[v] = 0;
	}
	memcpy(h->kept, all, V * sizeof *all);
	free(all);
}

void view_weights(const struct view_scores *s, double *weight)
{
	size_t V = (size_t)s->views;
	double *t = NEW_ARRAY(double, V);
	struct search h = {.s = s,
		.V = s->views,
		.scale = NEW_ARRAY(double, V),
		.kept = NEW_ARRAY(bool, V),
		.slope = NEW_ARRAY(double, V),
		.curve = NEW_ARRAY(double, V *V),
		.p = NEW_ARRAY(double, s->classes),
		.mean = NEW_ARRAY(double, V),
		.step = NEW_ARRAY(double, V),
		.system = NEW_ARRAY(double, V *V),
		.to = NEW_ARRAY(double, V)};
	int some = find_scales(&h);
	if (V > 1 && some) {
		calibrate(&h, t);
		leave_out(&h, t);
	}
	for (size_t v = 0; v < V; v++)
		weight[v] = V == 1 || !some ? 1 : h.kept[v] ? exp(t[v]) * h.scale[v] : 0;
	free(t);
	free(h.scale);
	free(h.kept);
	free(h.slope);
	free(h.curve);
	free(h.p);
	free(h.mean);
	free(h.step);
	free(h.system);
	free(h.to);
}
