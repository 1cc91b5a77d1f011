/* How experts are used: counts and sums over tokens, and the metrics that follow from them.
 *
 *     usage_new(&u, E, k);  usage_add(&u, p, expert, weight) for every token;  usage_merge(&u, &other);  usage_metrics(...)
 *
 * Sums are kept exactly, in units of 2^-52 of what is added, so that adding up parts in any order
 * gives the same bits as the whole. Definitions: for N tokens, each given to at most k of E
 * experts, c_i = tokens of expert i, p = router probabilities:
 *
 *     share_i       c_i / (k N)                         importance_i   mean of p_i
 *     entropy       mean of -sum_i p_i ln(p_i + 1e-10), nats; normalised: divided by ln E (E = 1: 0)
 *     cv            standard deviation (population) of c over its mean       max_over_mean   largest c over their mean
 *     coselection   M_ij = tokens given to both i and j, i != j              overflow        places left empty / (k N)
 *     margin        mean of (s_k - s_k+1) / s_k, s = p falling; 0 when k = E or s_k = 0
 *     average_weight_i   sum of the weights of expert i / c_i         unrouted   tokens with no expert at all / N
 *     at_least_j    tokens with j experts or more / N; fewest, most: experts a token has; weight_min, weight_max: of what was chosen
 *     capacity_i    places of expert i in a window, where they are limited; capacity_utilisation   places taken / all there were
 *     max_over_min  (largest c + 1) / (smallest c + 1)                 max_probability, min_probability   means of max_i p_i, min_i p_i
 *
 * Expert -1 marks an empty place: a token that was dropped for want of capacity. A token whose
 * probabilities are all 0 is none (a window that ends early has fewer), and counts nowhere. (Switch
 * Transformers, Fedus et al. 2021, for share and overflow; Shazeer et al. 2017 for importance and
 * cv; Riquelme et al. 2021 for at_least and the range of the weights.)
 */
#ifndef MOE_USAGE_H
#define MOE_USAGE_H

#include <stdint.h>

/* A sum of numbers >= 0: whole + part * 2^-52, part below 2^52. */
struct exact {
	int64_t whole, part;
};

struct usage {
	int experts, k;                    /* E, k */
	int64_t tokens, dropped;           /* N; empty places */
	int64_t *served;                   /* [k + 1] tokens with so many experts */
	int64_t *count;                    /* [E] */
	int64_t *pair;                     /* [E][E] symmetric, diagonal 0 */
	struct exact *importance, *weight; /* [E] */
	struct exact *square;              /* [E] of p_i^2 */
	struct exact entropy, margin, largest, smallest;
	int64_t limited, filled; /* windows whose experts have a capacity; tokens given to experts there */
	int64_t *room;           /* [E] places in those */
	float weight_min, weight_max; /* infinite, with opposite signs, while there is none */
};

void exact_add(struct exact *, double x); /* 0 <= x < 2^53 */
double exact_value(const struct exact *);

void usage_new(struct usage *, int experts, int k);
void usage_free(struct usage *);
/* One token: probability [E], expert [k] (-1 = empty), weight [k]. */
void usage_add(struct usage *, const float *probability, const int32_t *expert, const float *weight);
/* The same token to several usages [n] of equal E and k: its entropy and margin are worked out
 * once. */
void usage_add_to(
	struct usage *const *, int n, const float *probability, const int32_t *expert, const float *weight);
/* One window, of which each expert takes so many tokens at most, capacity [E]; count [E]: how many
 * it took. */
void usage_add_capacity(struct usage *, const int32_t *capacity, const int32_t *count);
/* One window of the gate, k = 1: its largest weight is its choice, the lowest index among equals. w
 * [E]. */
void usage_add_gate(struct usage *, const float *w);
int usage_largest(const float *w, int n); /* the index of the largest, the lowest among equals */
/* Adds what the other has counted; both have the same E and k. */
void usage_merge(struct usage *, const struct usage *other);

/* Figures; 0 where nothing was counted. Arrays [E], at_least [k]. average_weight is NAN for an
 * expert without tokens, the range of the weights where nothing was chosen, capacity and its
 * utilisation where there is none. importance_deviation is that of p_i over the tokens
 * (population). */
struct usage_metrics {
	double *fraction, *importance, *importance_deviation, *average_weight, *at_least;
	int fewest, most; /* experts of a token */
	double entropy, entropy_normalised, cv, max_over_mean, max_over_min, overflow, margin, unrouted;
	double max_probability, min_probability, weight_min, weight_max;
	double *capacity, capacity_utilisation; /* [E] */
};
struct usage_metrics usage_metrics(const struct usage *);
void usage_metrics_free(struct usage_metrics *);

#endif
