/* K regions of neighbours, as equal in size as can be: k-means on the sphere with sizes that differ by one at most.
 *
 *     first centre: a channel; each further one: the channel farthest from those before
 *     until nothing changes:
 *         channels to centres, the nearest pair first, as long as there is room
 *         exchange two channels, or move one to where there is room, as long as the sum of squared angles falls
 *         a centre is the mean direction of its channels
 *
 * This is done with each of the channels as the first centre, from Fpz to the back (at most STARTS of them, evenly spread), and
 * the least sum counts.
 *
 * Squared angles are whole numbers here and of equals the first channel, then the first centre is taken, so that the result
 * is the same everywhere. A region is called by the channel nearest to its centre and the lobe under it: central-C3.
 */
#include "eeg/region/region.h"

#include "base/error.h"
#include "base/mem.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { ROUNDS = 100, STARTS = 24 };

struct clusters {
	const struct electrodes *e;
	int C, K;
	int *of;             /* [C] -1 = none yet */
	int *size;           /* [K] */
	double (*centre)[3]; /* [K] */
	int64_t *cost;       /* [C][K] squared angle to the centre */
};

struct pair {
	int64_t cost;
	int channel, centre;
};

static int64_t squared(const double a[3], const double b[3])
{
	double angle = montage_angle(a, b);
	return llround(angle * angle * 1e9);
}

static int64_t *cost(const struct clusters *m, int channel)
{
	return m->cost + (size_t)channel * (size_t)m->K;
}

/* Centres far from each other. cost[c][0] is the distance to the nearest one so far. */
static void spread(struct clusters *m, int first)
{
	memcpy(m->centre[0], m->e->site[first].p, sizeof m->centre[0]);
	for (int k = 1; k < m->K; k++) {
		int best = 0;
		for (int c = 0; c < m->C; c++) {
			int64_t *least = cost(m, c), d = squared(m->centre[k - 1], m->e->site[c].p);
			if (k == 1 || d < *least)
				*least = d;
			if (*least > *cost(m, best))
				best = c;
		}
		memcpy(m->centre[k], m->e->site[best].p, sizeof m->centre[k]);
	}
}

static int nearest_first(const void *a, const void *b)
{
	const struct pair *x = a, *y = b;
	if (x->cost != y->cost)
		return x->cost < y->cost ? -1 : 1;
	return x->channel != y->channel ? x->channel - y->channel : x->centre - y->centre;
}

/* Takes the channel into cluster k if there is room: C/K in each, and one more in C mod K of them. */
static bool take(struct clusters *m, int c, int k, int *large)
{
	int least = m->C / m->K, size = m->size[k];
	if (size > least || (size == least && *large == m->C % m->K))
		return false;
	*large += size == least;
	m->of[c] = k;
	m->size[k]++;
	return true;
}

static void measure(struct clusters *m)
{
	for (int c = 0; c < m->C; c++)
		for (int k = 0; k < m->K; k++)
			cost(m, c)[k] = squared(m->e->site[c].p, m->centre[k]);
}

static void fill(struct clusters *m)
{
	struct pair *pair = NEW_ARRAY(struct pair, (size_t)m->C * (size_t)m->K);
	size_t n = 0;
	int large = 0;
	memset(m->size, 0, (size_t)m->K * sizeof *m->size);
	for (int c = 0; c < m->C; c++) {
		m->of[c] = -1;
		for (int k = 0; k < m->K; k++)
			pair[n++] = (struct pair){cost(m, c)[k], c, k};
	}
	qsort(pair, n, sizeof *pair, nearest_first);
	for (size_t i = 0, taken = 0; taken < (size_t)m->C; i++)
		taken += m->of[pair[i].channel] < 0 && take(m, pair[i].channel, pair[i].centre, &large);
	free(pair);
}

/* Whether the channel could move to k, from a larger cluster to a smaller one. */
static bool may_move(const struct clusters *m, int c, int k)
{
	return m->size[m->of[c]] > m->size[k] && cost(m, c)[k] < cost(m, c)[m->of[c]];
}

static void move(struct clusters *m, int c, int k)
{
	m->size[m->of[c]]--;
	m->size[k]++;
	m->of[c] = k;
}

/* Exchanges and moves that lower the sum; true when there was one. */
static bool improve(struct clusters *m)
{
	bool any = false;
	for (int c = 0; c < m->C; c++) {
		for (int k = 0; k < m->K; k++)
			if (may_move(m, c, k)) {
				move(m, c, k);
				any = true;
			}
		for (int d = c + 1; d < m->C; d++) {
			int a = m->of[c], b = m->of[d];
			if (cost(m, c)[b] + cost(m, d)[a] < cost(m, c)[a] + cost(m, d)[b]) {
				m->of[c] = b;
				m->of[d] = a;
				any = true;
			}
		}
	}
	return any;
}

static void centre(struct clusters *m)
{
	memset(m->centre, 0, (size_t)m->K * sizeof *m->centre);
	for (int c = 0; c < m->C; c++)
		for (int j = 0; j < 3; j++)
			m->centre[m->of[c]][j] += m->e->site[c].p[j];
	for (int k = 0; k < m->K; k++) {
		double *p = m->centre[k], size = sqrt(p[0] * p[0] + p[1] * p[1] + p[2] * p[2]);
		for (int j = 0; j < 3; j++)
			p[j] = size > 1e-9 ? p[j] / size : j == 2; /* all around: the top */
	}
}

/* The sum that came out. */
static int64_t cluster(struct clusters *m, int first)
{
	int *before = NEW_ARRAY(int, m->C);
	int64_t sum = 0;
	spread(m, first);
	for (int round = 0; round < ROUNDS; round++) {
		measure(m);
		fill(m);
		while (improve(m))
			;
		if (round && !memcmp(before, m->of, (size_t)m->C * sizeof *before))
			break;
		memcpy(before, m->of, (size_t)m->C * sizeof *before);
		centre(m);
	}
	for (int c = 0; c < m->C; c++)
		sum += cost(m, c)[m->of[c]];
	free(before);
	return sum;
}

static int from_front(const void *a, const void *b, void *clusters)
{
	const struct clusters *m = clusters;
	int c = *(const int *)a, d = *(const int *)b;
	double front[3];
	must(montage_position("Fpz", front));
	int64_t x = squared(front, m->e->site[c].p), y = squared(front, m->e->site[d].p);
	return x != y ? (x < y ? -1 : 1) : c - d;
}

static void best_of_starts(struct clusters *m)
{
	int starts = m->C < STARTS ? m->C : STARTS, best = 0;
	int *first = NEW_ARRAY(int, m->C);
	int64_t least = INT64_MAX;
	for (int c = 0; c < m->C; c++)
		first[c] = c;
	qsort_r(first, (size_t)m->C, sizeof *first, from_front, m);
	for (int i = 0; i < starts; i++) {
		int c = first[(int64_t)i * m->C / starts];
		int64_t sum = cluster(m, c);
		if (sum < least) {
			least = sum;
			best = c;
		}
	}
	cluster(m, best);
	free(first);
}

/* --- order and names */

/* Front to back in steps of 18 degrees, and within one from left to right. */
static int in_place(const void *a, const void *b, void *clusters)
{
	const struct clusters *m = clusters;
	int j = *(const int *)a, k = *(const int *)b;
	const double *p = m->centre[j], *q = m->centre[k];
	long row = lround(asin(q[1]) * 10 / acos(-1)) - lround(asin(p[1]) * 10 / acos(-1));
	long x = lround((p[0] - q[0]) * 1e6);
	return row ? (row < 0 ? -1 : 1) : x ? (x < 0 ? -1 : 1) : j - k;
}

static char *called(const struct clusters *m, int k, const struct names *channels)
{
	int middle = -1;
	for (int c = 0; c < m->C; c++)
		if (m->of[c] == k && (middle < 0 || squared(m->e->site[c].p, m->centre[k]) <
							    squared(m->e->site[middle].p, m->centre[k])))
			middle = c;
	return mem_format("%s-%s", lobe_names[lobe_of(&m->e->site[middle])], channels->s[middle]);
}

static void settle(struct division *d, struct clusters *m, const struct names *channels)
{
	int *order = NEW_ARRAY(int, m->K), *rank = NEW_ARRAY(int, m->K);
	for (int k = 0; k < m->K; k++)
		order[k] = k;
	qsort_r(order, (size_t)m->K, sizeof *order, in_place, m);
	for (int k = 0; k < m->K; k++) {
		char *name = called(m, order[k], channels);
		names_add(&d->name, name);
		rank[order[k]] = k;
		free(name);
	}
	for (int c = 0; c < m->C; c++)
		d->of[c] = rank[m->of[c]];
	free(order);
	free(rank);
}

static int divide(struct division *d, const struct names *channels, const struct electrodes *e, int K)
{
	int C = channels->n;
	if (K > C)
		return err_set(EX_USAGE,
			"%d regions (--regions auto:%d) for %d channels: a region needs a channel of its own",
			K, K, C);
	struct clusters m = {.e = e,
		.C = C,
		.K = K,
		.of = NEW_ARRAY(int, C),
		.size = NEW_ARRAY(int, K),
		.centre = mem_new((size_t)K, sizeof *m.centre),
		.cost = NEW_ARRAY(int64_t, (size_t)C * (size_t)K)};
	best_of_starts(&m);
	settle(d, &m, channels);
	free(m.of);
	free(m.size);
	free(m.centre);
	free(m.cost);
	return 0;
}

const struct region_way region_auto = {"auto", true, divide};
