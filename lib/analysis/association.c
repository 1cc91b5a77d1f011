#include "analysis/association.h"

#include "base/mem.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* table [labels][E] of assignments, by these labels. */
static void tabulate(const struct labelled_counts *c, const int *label, int64_t *table)
{
	memset(table, 0, (size_t)c->labels * (size_t)c->E * sizeof *table);
	for (int64_t i = 0; i < c->n; i++) {
		const int32_t *count = c->count + i * c->E;
		int64_t *row = label[i] < 0 ? NULL : table + (int64_t)label[i] * c->E;
		for (int e = 0; row && e < c->E; e++)
			row[e] += count[e];
	}
}

/* specialisation [E] of a table; returns the mutual information. */
static double specialisation_of(const struct labelled_counts *c, const int64_t *table, double *specialisation)
{
	double all = 0, information = 0;
	for (int64_t i = 0; i < (int64_t)c->labels * c->E; i++)
		all += (double)table[i];
	for (int l = 0; l < c->labels && all > 0; l++) { /* H(label) */
		double row = 0;
		for (int e = 0; e < c->E; e++)
			row += (double)table[(int64_t)l * c->E + e];
		information -= row > 0 ? row / all * log(row / all) : 0;
	}
	for (int e = 0; e < c->E; e++) { /* less H(label | expert) */
		double sum = 0, entropy = 0;
		for (int l = 0; l < c->labels; l++)
			sum += (double)table[(int64_t)l * c->E + e];
		for (int l = 0; l < c->labels; l++) {
			double q = sum > 0 ? (double)table[(int64_t)l * c->E + e] / sum : 0;
			entropy -= q > 0 ? q * log(q) : 0;
		}
		specialisation[e] = sum > 0 && c->labels > 1 ? 1 - entropy / log(c->labels) : NAN;
		information -= all > 0 ? sum / all * entropy : 0;
	}
	return fmax(information, 0);
}

/* The labelled windows, stratum by stratum. */
struct strata {
	int64_t *member; /* [n] */
	int64_t *first;  /* [strata + 1] */
	bool mixed;      /* some stratum has two labels */
};

static struct strata sort_into_strata(const struct labelled_counts *c)
{
	struct strata s = {NEW_ARRAY(int64_t, c->n), NEW_ARRAY(int64_t, c->strata + 1), false};
	int64_t *next = NEW_ARRAY(int64_t, c->strata);
	int *label = NEW_ARRAY(int, c->strata); /* 1 + the first met */
	for (int64_t i = 0; i < c->n; i++) {
		if (c->label[i] < 0)
			continue;
		int *met = &label[c->stratum[i]];
		s.mixed |= *met && *met != 1 + c->label[i];
		*met = 1 + c->label[i];
		s.first[c->stratum[i] + 1]++;
	}
	for (int t = 0; t < c->strata; t++) {
		s.first[t + 1] += s.first[t];
		next[t] = s.first[t];
	}
	for (int64_t i = 0; i < c->n; i++)
		if (c->label[i] >= 0)
			s.member[next[c->stratum[i]]++] = i;
	free(next);
	free(label);
	return s;
}

/* The labels of each stratum in another, random order. order [n] is room. */
static void permute_labels(
	const struct labelled_counts *c, const struct strata *s, struct rng *r, int64_t *order, int *label)
{
	for (int t = 0; t < c->strata; t++) {
		const int64_t *member = s->member + s->first[t];
		int64_t n = s->first[t + 1] - s->first[t];
		rng_permutation(r, order, n);
		for (int64_t i = 0; i < n; i++)
			label[member[i]] = c->label[member[order[i]]];
	}
}

static void permutation_test(const struct labelled_counts *c, const struct strata *s, int permutations,
	struct rng *r, struct association *a)
{
	int64_t *table = mem_new((size_t)c->labels * (size_t)c->E, sizeof *table),
		*order = NEW_ARRAY(int64_t, c->n);
	int *label = NEW_ARRAY(int, c->n);
	double *by_chance = NEW_ARRAY(double, c->E), reached = 1;
	const double digits = 1e-12; /* sums in another order are not less */
	memcpy(label, c->label, (size_t)c->n * sizeof *label);
	for (int e = 0; e < c->E; e++)
		a->p[e] = isnan(a->specialisation[e]) ? NAN : 1;
	for (int i = 0; i < permutations; i++) {
		permute_labels(c, s, r, order, label);
		tabulate(c, label, table);
		reached += specialisation_of(c, table, by_chance) >= a->information - digits;
		for (int e = 0; e < c->E; e++)
			a->p[e] += by_chance[e] >= a->specialisation[e] - digits;
	}
	a->information_p = reached / (1 + permutations);
	for (int e = 0; e < c->E; e++)
		a->p[e] /= 1 + permutations;
	free(table);
	free(order);
	free(label);
	free(by_chance);
}

struct association association_of(const struct labelled_counts *c, int permutations, struct rng *r)
{
	struct association a = {NEW_ARRAY(double, c->E), NEW_ARRAY(double, c->E), 0, NAN};
	int64_t *table = mem_new((size_t)c->labels * (size_t)c->E, sizeof *table);
	struct strata s = sort_into_strata(c);
	tabulate(c, c->label, table);
	a.information = specialisation_of(c, table, a.specialisation);
	for (int e = 0; e < c->E; e++)
		a.p[e] = NAN;
	if (s.mixed && permutations)
		permutation_test(c, &s, permutations, r, &a);
	free(table);
	free(s.member);
	free(s.first);
	return a;
}

void association_free(struct association *a)
{
	free(a->specialisation);
	free(a->p);
}
