#include "score/comparison.h"

#include "base/error.h"
#include "base/mem.h"
#include "base/rng.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- the same windows? */

/* Windows are sorted by these names, so that both lists can be walked side by side. */
static int compare_places(const struct predictions *a, const struct prediction_row *x,
	const struct predictions *b, const struct prediction_row *y)
{
	int by = strcmp(a->groups.s[x->group], b->groups.s[y->group]);
	if (!by)
		by = strcmp(a->recordings.s[x->recording], b->recordings.s[y->recording]);
	return by ? by : (x->start > y->start) - (x->start < y->start);
}

struct difference {
	int64_t n;
	char first[200];
};

static void note_difference(struct difference *d, const struct predictions *a, const struct prediction_row *x)
{
	if (!d->n++)
		snprintf(d->first, sizeof d->first, "%.80s of %.80s at %lld", a->recordings.s[x->recording],
			a->groups.s[x->group], (long long)x->start);
}

static void add_difference(struct text *t, const struct difference *d, const char *what, const char *of)
{
	if (d->n)
		text_addf(t, "%s%lld %s%s (the first: %s)", t->n ? ", " : "", (long long)d->n, what, of,
			d->first);
}

static int check_windows(const struct predictions *a, const struct predictions *b)
{
	struct difference only_a = {0}, only_b = {0}, label = {0};
	struct text t = {0};
	for (int64_t i = 0, j = 0; i < a->windows || j < b->windows;) {
		const struct prediction_row *x = &a->row[i], *y = &b->row[j];
		int by = i == a->windows ? 1 : j == b->windows ? -1 : compare_places(a, x, b, y);
		if (by < 0)
			note_difference(&only_a, a, x);
		else if (by > 0)
			note_difference(&only_b, b, y);
		else if (strcmp(a->classes.s[x->label], b->classes.s[y->label]))
			note_difference(&label, a, x);
		i += by <= 0;
		j += by >= 0;
	}
	add_difference(&t, &only_a, "only in ", a->files.s[0]);
	add_difference(&t, &only_b, "only in ", b->files.s[0]);
	add_difference(&t, &label, "with another label", "");
	int bad = 0;
	if (t.n)
		bad = err_set(EX_DATAERR,
			"%s and %s do not have the same labelled windows: %s; compare predictions of the "
			"same windows",
			a->files.s[0], b->files.s[0], text_string(&t));
	text_free(&t);
	return bad;
}

/* --- chance */

static double flipped_sum(const double *d, int n, uint64_t signs)
{
	double sum = 0;
	for (int i = 0; i < n; i++)
		sum += signs >> i & 1 ? -d[i] : d[i];
	return sum;
}

/* d [n]: the differences that are defined. */
static void flip_signs(struct comparison *c, const double *d, int n)
{
	double seen = 0, size = 0;
	int64_t as_large = 0;
	for (int i = 0; i < n; i++) {
		seen += d[i];
		size += fabs(d[i]);
	}
	double least = fabs(seen) - 1e-9 * size; /* rounding makes no difference between equal sums */
	c->exact = n <= EXACT_GROUPS;
	c->flips = c->exact ? (int64_t)1 << n : DRAWN_FLIPS;
	for (int64_t i = 0; i < c->flips; i++) {
		double sum = 0;
		struct rng r = rng_stream(c->one->seed, "sign-flips", (uint64_t)i, 0);
		for (int from = 0; from < n; from += 64)
			sum += flipped_sum(d + from, n - from < 64 ? n - from : 64,
				c->exact ? (uint64_t)i : rng_next(&r));
		as_large += fabs(sum) >= least;
	}
	c->p = c->exact ? (double)as_large / (double)c->flips
			: (1 + (double)as_large) / (1 + (double)c->flips);
}

int comparison_of(struct comparison *c, const struct score *one, const struct score *other, enum metric f)
{
	int all = one->predictions->groups.n;
	*c = (struct comparison){.one = one, .other = other, .metric = f};
	if (check_windows(one->predictions, other->predictions))
		return -1;
	c->difference = NEW_ARRAY(double, all);
	double *defined = NEW_ARRAY(double, all);
	for (int g = 0; g < all; g++) {
		c->difference[g] = one->group[g].value[f] - other->group[g].value[f];
		if (!isnan(c->difference[g]))
			defined[c->groups++] = c->difference[g];
	}
	for (int g = 0; g < c->groups; g++)
		c->mean += defined[g] / c->groups;
	flip_signs(c, defined, c->groups);
	c->interval = resample_mean(defined, c->groups, one->resamples, one->seed);
	free(defined);
	if (!c->groups)
		return err_set(EX_DATAERR,
			"%s is not defined for any single group; compare by another --metric",
			metric_kind[f].words);
	return 0;
}

void comparison_free(struct comparison *c)
{
	free(c->difference);
}
