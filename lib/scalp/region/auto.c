/* K regions of neighbours, as equal in size as can be: the sizes differ by one at most.
 *
 *     minimised:  sum over regions of  (sum over pairs of its channels of their squared angle) / (number of its channels),
 *
 * what k-means minimises too. The search:
 *
 *     seeds: a channel, then always the channel farthest from the seeds so far
 *     channels to seeds, the nearest pair first, as long as there is room
 *     exchange two channels, or move one from a larger region to a smaller, as long as the sum falls
 *
 * with each of the channels as the first seed (at most STARTS of them, evenly spread); the least
 * sum counts.
 *
 * Channels are taken from front to back and from left to right, whatever their order in the
 * recording. Squared angles are whole numbers, and of equals the first counts: the result is the
 * same everywhere. A region is called by the channel nearest to its middle and the lobe under it:
 * central-C3.
 */
#include "scalp/region/region.h"

#include "base/error.h"
#include "base/mem.h"

#include <limits.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { STARTS = 24 };

struct clusters {
	const struct electrodes *e;
	int C, K;
	int *channel;   /* [C] from front to back; all others count in this order */
	int *of;        /* [C] cluster, -1 = none yet */
	int *size;      /* [K] n or n + 1, n = C / K */
	int *seed;      /* [K] */
	int64_t *apart; /* [C][C] squared angles, in squared milliradians */
	int64_t *sum;   /* [C][K] over the channels of a cluster of how far they are apart from this one */
};

struct pair {
	int64_t apart;
	int channel, cluster;
};

static int64_t *angles_of(const struct clusters *m, int c)
{
	return m->apart + (size_t)c * (size_t)m->C;
}

static int64_t *sums_of(const struct clusters *m, int c)
{
	return m->sum + (size_t)c * (size_t)m->K;
}

static void measure_angles(struct clusters *m)
{
	for (int c = 0; c < m->C; c++)
		for (int d = 0; d < m->C; d++) {
			double angle =
				montage_angle(m->e->site[m->channel[c]].p, m->e->site[m->channel[d]].p);
			angles_of(m, c)[d] = llround(angle * angle * 1e6);
		}
}

static void spread_seeds(struct clusters *m, int first)
{
	m->seed[0] = first;
	for (int k = 1; k < m->K; k++) {
		int64_t farthest = -1;
		for (int c = 0; c < m->C; c++) {
			int64_t least = INT64_MAX;
			for (int j = 0; j < k; j++)
				if (angles_of(m, c)[m->seed[j]] < least)
					least = angles_of(m, c)[m->seed[j]];
			if (least > farthest) {
				farthest = least;
				m->seed[k] = c;
			}
		}
	}
}

static int nearest_first(const void *a, const void *b)
{
	const struct pair *x = a, *y = b;
	if (x->apart != y->apart)
		return x->apart < y->apart ? -1 : 1;
	return x->channel != y->channel ? x->channel - y->channel : x->cluster - y->cluster;
}

static void put_channel(struct clusters *m, int c, int k)
{
	int from = m->of[c];
	for (int d = 0; d < m->C; d++) {
		sums_of(m, d)[k] += angles_of(m, d)[c];
		if (from >= 0)
			sums_of(m, d)[from] -= angles_of(m, d)[c];
	}
	if (from >= 0)
		m->size[from]--;
	m->size[k]++;
	m->of[c] = k;
}

static void fill_clusters(struct clusters *m)
{
	struct pair *pair = NEW_ARRAY(struct pair, (size_t)m->C * (size_t)m->K);
	size_t n = 0;
	int large = m->C % m->K; /* clusters that may still become large */
	memset(m->size, 0, (size_t)m->K * sizeof *m->size);
	memset(m->sum, 0, (size_t)m->C * (size_t)m->K * sizeof *m->sum);
	for (int c = 0; c < m->C; c++) {
		m->of[c] = -1;
		for (int k = 0; k < m->K; k++)
			pair[n++] = (struct pair){angles_of(m, c)[m->seed[k]], c, k};
	}
	qsort(pair, n, sizeof *pair, nearest_first);
	for (size_t i = 0; i < n; i++) {
		int c = pair[i].channel, k = pair[i].cluster, left = m->C / m->K - m->size[k];
		if (m->of[c] < 0 && (left > 0 || (left == 0 && large > 0))) {
			large -= left == 0;
			put_channel(m, c, k);
		}
	}
	free(pair);
}

/* What a sum over pairs counts: 1 / size, times n (n + 1) to be whole. */
static int64_t pair_weight(const struct clusters *m, int k)
{
	return m->size[k] > m->C / m->K ? m->C / m->K : m->C / m->K + 1;
}

static int64_t pair_sum(const struct clusters *m, int k)
{
	int64_t twice = 0;
	for (int c = 0; c < m->C; c++)
		twice += m->of[c] == k ? sums_of(m, c)[k] : 0;
	return twice / 2;
}

static bool try_exchange(struct clusters *m, int c, int d)
{
	int a = m->of[c], b = m->of[d];
	int64_t both = angles_of(m, c)[d];
	if (a == b || pair_weight(m, a) * (sums_of(m, d)[a] - sums_of(m, c)[a] - both) +
				      pair_weight(m, b) * (sums_of(m, c)[b] - sums_of(m, d)[b] - both) >=
			      0)
		return false;
	put_channel(m, c, b);
	put_channel(m, d, a);
	return true;
}

static bool try_move(struct clusters *m, int c, int k)
{
	int from = m->of[c];
	if (m->size[from] <= m->size[k])
		return false;
	int64_t large = pair_weight(m, from), small = pair_weight(m, k), p = pair_sum(m, from),
		q = pair_sum(m, k);
	if ((p - sums_of(m, c)[from]) * small + (q + sums_of(m, c)[k]) * large >= p * large + q * small)
		return false;
	put_channel(m, c, k);
	return true;
}

static bool improve_clusters(struct clusters *m)
{
	bool any = false;
	for (int c = 0; c < m->C; c++) {
		for (int k = 0; k < m->K; k++)
			any |= try_move(m, c, k);
		for (int d = c + 1; d < m->C; d++)
			any |= try_exchange(m, c, d);
	}
	return any;
}

/* The sum that came out. */
static int64_t make_clusters(struct clusters *m, int first)
{
	int64_t all = 0;
	spread_seeds(m, first);
	fill_clusters(m);
	while (improve_clusters(m))
		;
	for (int k = 0; k < m->K; k++)
		all += pair_sum(m, k) * pair_weight(m, k);
	return all;
}

static void best_of_starts(struct clusters *m)
{
	int starts = m->C < STARTS ? m->C : STARTS, best = 0;
	int64_t least = INT64_MAX;
	for (int i = 0; i < starts; i++) {
		int first = (int)((int64_t)i * m->C / starts);
		int64_t all = make_clusters(m, first);
		if (all < least) {
			least = all;
			best = first;
		}
	}
	make_clusters(m, best);
}

/* --- order and names */

struct middle {
	double p[3];
	int channel; /* the nearest */
	int cluster;
};

static long to_micro(double x)
{
	return lround(x * 1e6);
}

/* By y from the front, then by x from the left, then by z from the top. */
static int front_to_back(const void *a, const void *b, void *electrodes)
{
	const struct electrodes *e = electrodes;
	int c = *(const int *)a, d = *(const int *)b;
	const double *p = e->site[c].p, *q = e->site[d].p;
	long by[] = {to_micro(q[1]) - to_micro(p[1]), to_micro(p[0]) - to_micro(q[0]),
		to_micro(q[2]) - to_micro(p[2])};
	for (int i = 0; i < 3; i++)
		if (by[i])
			return by[i] < 0 ? -1 : 1;
	return c - d;
}

/* Middles front to back in steps of 18 degrees, and within one from left to right. */
static int in_place(const void *a, const void *b)
{
	const struct middle *j = a, *k = b;
	long row = lround(asin(k->p[1]) * 10 / acos(-1)) - lround(asin(j->p[1]) * 10 / acos(-1));
	long x = to_micro(j->p[0]) - to_micro(k->p[0]);
	return row ? (row < 0 ? -1 : 1) : x ? (x < 0 ? -1 : 1) : j->cluster - k->cluster;
}

/* The mean direction of a cluster's channels. */
static struct middle middle_of(const struct clusters *m, int k)
{
	struct middle x = {.channel = -1, .cluster = k};
	for (int c = 0; c < m->C; c++)
		for (int j = 0; j < 3 && m->of[c] == k; j++)
			x.p[j] += m->e->site[m->channel[c]].p[j];
	double size = sqrt(x.p[0] * x.p[0] + x.p[1] * x.p[1] + x.p[2] * x.p[2]);
	for (int j = 0; j < 3; j++)
		x.p[j] = size > 1e-9 ? x.p[j] / size : j == 2; /* all around: the top */
	long least = LONG_MAX;
	for (int c = 0; c < m->C; c++) {
		long angle = to_micro(montage_angle(m->e->site[m->channel[c]].p, x.p));
		if (m->of[c] == k && angle < least) {
			least = angle;
			x.channel = m->channel[c];
		}
	}
	return x;
}

static void name_regions(struct division *d, const struct clusters *m, const struct names *channels)
{
	struct middle *middle = NEW_ARRAY(struct middle, m->K);
	int *rank = NEW_ARRAY(int, m->K);
	for (int k = 0; k < m->K; k++)
		middle[k] = middle_of(m, k);
	qsort(middle, (size_t)m->K, sizeof *middle, in_place);
	for (int k = 0; k < m->K; k++) {
		int c = middle[k].channel;
		char *name =
			mem_format("%s-%s", region_lobe_names[region_lobe(&m->e->site[c])], channels->s[c]);
		names_add(&d->name, name);
		rank[middle[k].cluster] = k;
		free(name);
	}
	for (int c = 0; c < m->C; c++)
		d->of[m->channel[c]] = rank[m->of[c]];
	free(middle);
	free(rank);
}

static int divide_auto(struct division *d, const struct names *channels, const struct electrodes *e, int K)
{
	int C = channels->n;
	if (K > C)
		return err_set(EX_USAGE,
			"%d regions (--regions auto:%d) for %d channels: a region needs a channel of its own",
			K, K, C);
	struct clusters m = {e, C, K, NEW_ARRAY(int, C), NEW_ARRAY(int, C), NEW_ARRAY(int, K),
		NEW_ARRAY(int, K), NEW_ARRAY(int64_t, (size_t)C * (size_t)C),
		NEW_ARRAY(int64_t, (size_t)C * (size_t)K)};
	for (int c = 0; c < C; c++)
		m.channel[c] = c;
	qsort_r(m.channel, (size_t)C, sizeof *m.channel, front_to_back, (void *)(uintptr_t)e);
	measure_angles(&m);
	best_of_starts(&m);
	name_regions(d, &m, channels);
	free(m.channel);
	free(m.of);
	free(m.size);
	free(m.seed);
	free(m.apart);
	free(m.sum);
	return 0;
}

const struct region_way region_auto = {"auto", true, divide_auto};
