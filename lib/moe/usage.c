#include "moe/usage.h"

#include "base/error.h"
#include "base/mem.h"

#include <math.h>
#include <stdlib.h>

static const double units = 0x1p52;

static void carry(struct exact *e)
{
	if (e->part >= (int64_t)1 << 52) {
		e->part -= (int64_t)1 << 52;
		e->whole++;
	}
}

void exact_add(struct exact *e, double x)
{
	int64_t whole = (int64_t)x; /* x >= 0 */
	e->whole += whole;
	e->part += (int64_t)((x - (double)whole) * units + 0.5);
	carry(e);
}

double exact_value(const struct exact *e)
{
	return (double)e->whole + (double)e->part / units;
}

static void exact_merge(struct exact *e, const struct exact *other)
{
	e->whole += other->whole;
	e->part += other->part;
	carry(e);
}

void usage_new(struct usage *u, int experts, int k)
{
	must(experts > 0 && k > 0 && k <= experts);
	*u = (struct usage){.experts = experts, .k = k, .weight_min = INFINITY, .weight_max = -INFINITY};
	u->served = NEW_ARRAY(int64_t, k + 1);
	u->count = NEW_ARRAY(int64_t, experts);
	u->pair = mem_new((size_t)experts * (size_t)experts, sizeof *u->pair);
	u->importance = NEW_ARRAY(struct exact, experts);
	u->weight = NEW_ARRAY(struct exact, experts);
	u->square = NEW_ARRAY(struct exact, experts);
	u->room = NEW_ARRAY(int64_t, experts);
}

void usage_free(struct usage *u)
{
	free(u->served);
	free(u->count);
	free(u->pair);
	free(u->importance);
	free(u->weight);
	free(u->square);
	free(u->room);
	*u = (struct usage){0};
}

/* (s_k - s_k+1) / s_k: walks down the values of p [E] from the largest; equal ones count as often
 * as they stand there. */
static double margin(const float *p, int experts, int k)
{
	if (k >= experts)
		return 0;
	double bound = INFINITY, kth = 0;
	for (int taken = 0; taken <= k;) {
		double next = -1;
		int equal = 0;
		for (int i = 0; i < experts; i++)
			if ((double)p[i] < bound && (double)p[i] > next) {
				next = (double)p[i];
				equal = 1;
			} else if ((double)p[i] == next) {
				equal++;
			}
		if (taken < k && taken + equal >= k)
			kth = next;
		taken += equal;
		if (taken > k)
			return kth > 0 ? (kth - next) / kth : 0;
		bound = next;
	}
	return 0;
}

static double entropy_of(const float *p, int experts)
{
	double entropy = 0;
	for (int i = 0; i < experts; i++)
		entropy -= (double)p[i] * log((double)p[i] + 1e-10);
	return entropy > 0 ? entropy : 0;
}

static void add_choices(struct usage *u, const int32_t *expert, const float *weight)
{
	int served = 0;
	for (int j = 0; j < u->k; j++) {
		if (expert[j] < 0) {
			u->dropped++;
			continue;
		}
		served++;
		u->count[expert[j]]++;
		exact_add(&u->weight[expert[j]], (double)weight[j]);
		u->weight_min = fminf(u->weight_min, weight[j]);
		u->weight_max = fmaxf(u->weight_max, weight[j]);
		for (int i = 0; i < u->k; i++)
			if (expert[i] >= 0 && i != j)
				u->pair[(int64_t)expert[j] * u->experts + expert[i]]++;
	}
	u->served[served]++;
}

static void add_probabilities(struct usage *u, const float *p)
{
	double largest = 0, smallest = INFINITY;
	for (int i = 0; i < u->experts; i++) {
		double x = (double)p[i];
		exact_add(&u->importance[i], x);
		exact_add(&u->square[i], x * x);
		largest = fmax(largest, x);
		smallest = fmin(smallest, x);
	}
	exact_add(&u->largest, largest);
	exact_add(&u->smallest, smallest);
}

void usage_add_to(
	struct usage *const *u, int n, const float *probability, const int32_t *expert, const float *weight)
{
	float any = 0;
	for (int i = 0; i < u[0]->experts; i++)
		any = probability[i] > any ? probability[i] : any;
	if (!(any > 0))
		return;
	double entropy = entropy_of(probability, u[0]->experts),
	       gap = margin(probability, u[0]->experts, u[0]->k);
	for (int a = 0; a < n; a++) {
		u[a]->tokens++;
		add_probabilities(u[a], probability);
		exact_add(&u[a]->entropy, entropy);
		exact_add(&u[a]->margin, gap);
		add_choices(u[a], expert, weight);
	}
}

void usage_add(struct usage *u, const float *probability, const int32_t *expert, const float *weight)
{
	usage_add_to(&u, 1, probability, expert, weight);
}

void usage_add_capacity(struct usage *u, const int32_t *capacity, const int32_t *count)
{
	u->limited++;
	for (int i = 0; i < u->experts; i++) {
		u->room[i] += capacity[i];
		u->filled += count[i];
	}
}

int usage_largest(const float *w, int n)
{
	int best = 0;
	for (int i = 1; i < n; i++)
		if (w[i] > w[best])
			best = i;
	return best;
}

void usage_add_gate(struct usage *u, const float *w)
{
	int32_t best = usage_largest(w, u->experts);
	must(u->k == 1);
	usage_add(u, w, &best, &w[best]);
}

void usage_merge(struct usage *u, const struct usage *other)
{
	must(u->experts == other->experts && u->k == other->k);
	u->tokens += other->tokens;
	u->dropped += other->dropped;
	u->limited += other->limited;
	u->filled += other->filled;
	for (int j = 0; j <= u->k; j++)
		u->served[j] += other->served[j];
	for (int i = 0; i < u->experts; i++) {
		u->count[i] += other->count[i];
		u->room[i] += other->room[i];
		exact_merge(&u->importance[i], &other->importance[i]);
		exact_merge(&u->weight[i], &other->weight[i]);
		exact_merge(&u->square[i], &other->square[i]);
	}
	for (int64_t i = 0; i < (int64_t)u->experts * u->experts; i++)
		u->pair[i] += other->pair[i];
	exact_merge(&u->entropy, &other->entropy);
	exact_merge(&u->margin, &other->margin);
	exact_merge(&u->largest, &other->largest);
	exact_merge(&u->smallest, &other->smallest);
	u->weight_min = fminf(u->weight_min, other->weight_min);
	u->weight_max = fmaxf(u->weight_max, other->weight_max);
}

/* What follows from how many experts the tokens have. */
static void served_metrics(const struct usage *u, double n, struct usage_metrics *f)
{
	int64_t more = 0;
	f->at_least = NEW_ARRAY(double, u->k);
	for (int j = u->k; j > 0; j--) {
		more += u->served[j];
		f->at_least[j - 1] = (double)more / n;
	}
	while (f->fewest < u->k && u->tokens && !u->served[f->fewest])
		f->fewest++;
	for (int j = 0; j <= u->k; j++)
		if (u->served[j])
			f->most = j;
	f->unrouted = (double)u->served[0] / n;
	f->weight_min = isfinite(u->weight_min) ? (double)u->weight_min : NAN;
	f->weight_max = isfinite(u->weight_max) ? (double)u->weight_max : NAN;
}

static void capacity_metrics(const struct usage *u, struct usage_metrics *f)
{
	int64_t room = 0;
	f->capacity = NEW_ARRAY(double, u->experts);
	for (int i = 0; i < u->experts; i++) {
		room += u->room[i];
		f->capacity[i] = u->limited ? (double)u->room[i] / (double)u->limited : NAN;
	}
	f->capacity_utilisation = room ? (double)u->filled / (double)room : NAN;
}

struct usage_metrics usage_metrics(const struct usage *u)
{
	int E = u->experts;
	struct usage_metrics f = {.fraction = NEW_ARRAY(double, E),
		.importance = NEW_ARRAY(double, E),
		.importance_deviation = NEW_ARRAY(double, E),
		.average_weight = NEW_ARRAY(double, E)};
	double n = u->tokens ? (double)u->tokens : 1, places = n * u->k, sum = 0, square = 0, most = 0,
	       least = INFINITY;
	for (int i = 0; i < E; i++) {
		double c = (double)u->count[i];
		f.fraction[i] = c / places;
		double p = f.importance[i] = exact_value(&u->importance[i]) / n;
		f.importance_deviation[i] = sqrt(fmax(exact_value(&u->square[i]) / n - p * p, 0));
		f.average_weight[i] = u->count[i] ? exact_value(&u->weight[i]) / c : NAN;
		sum += c;
		most = fmax(most, c);
		least = fmin(least, c);
	}
	double mean = sum / E;
	for (int i = 0; i < E; i++)
		square += ((double)u->count[i] - mean) * ((double)u->count[i] - mean);
	if (sum > 0) {
		f.cv = sqrt(square / E) / mean;
		f.max_over_mean = most / mean;
		f.max_over_min = (most + 1) / (least + 1);
	}
	f.entropy = exact_value(&u->entropy) / n;
	f.entropy_normalised = E > 1 ? f.entropy / log(E) : 0;
	f.overflow = (double)u->dropped / places;
	f.margin = exact_value(&u->margin) / n;
	f.max_probability = exact_value(&u->largest) / n;
	f.min_probability = exact_value(&u->smallest) / n;
	served_metrics(u, n, &f);
	capacity_metrics(u, &f);
	return f;
}

void usage_metrics_free(struct usage_metrics *f)
{
	free(f->fraction);
	free(f->importance);
	free(f->importance_deviation);
	free(f->average_weight);
	free(f->at_least);
	free(f->capacity);
}
