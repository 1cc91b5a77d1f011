#include "train/folds.h"

#include "base/error.h"
#include "base/mem.h"
#include "base/rng.h"

#include <stdlib.h>

static const char *unit_word(enum holdout_unit by)
{
	return by == HOLDOUT_GROUP ? "group" : "recording";
}

/* Names of the units that have a labelled window, sorted. */
static void labelled_units(const struct dataset *d, enum holdout_unit by, struct names *to)
{
	const struct names *all = holdout_units(d, by);
	char *labelled = NEW_ARRAY(char, all->n);
	holdout_mark_labelled(d, by, NULL, d->n, labelled);
	for (int u = 0; u < all->n; u++)
		if (labelled[u])
			names_add(to, all->s[u]);
	names_sort(to);
	free(labelled);
}

/* The fold that holds out a unit, by its place in the order of names. */
static int fold_of(const struct folds *f, int place)
{
	int each = f->units.n / f->n, more = f->units.n % f->n, in_larger = more * (each + 1);
	if (f->interleaved)
		return place % f->n;
	return place < in_larger ? place / (each + 1) : more + (place - in_larger) / each;
}

static int deal(struct folds *f, int n)
{
	const char *word = unit_word(f->by);
	if (!f->units.n)
		return err_set(EX_DATAERR, "no labelled window: name the label column when splitting "
					   "(moe-split --label-column)");
	if (f->units.n == 1)
		return err_set(EX_DATAERR,
			"all labelled windows are of one %s (%s): nothing is left to train on; %s", word,
			f->units.s[0],
			f->by == HOLDOUT_GROUP ? "name the groups when splitting (moe-split --group), or "
						 "hold recordings out (--by recording)"
					       : "give the windows of other recordings, too");
	if (n > f->units.n)
		return err_set(EX_DATAERR,
			"fewer %ss than folds: %d folds, and %d %ss with labelled windows; --folds %d or "
			"loso is the most",
			word, n, f->units.n, word, f->units.n);
	f->n = n ? n : f->units.n;
	const struct names *all = holdout_units(f->d, f->by);
	f->fold = NEW_ARRAY(int, all->n);
	for (int u = 0; u < all->n; u++)
		f->fold[u] = -1;
	for (int u = 0; u < f->units.n; u++)
		f->fold[names_find(all, f->units.s[u])] = fold_of(f, u);
	return 0;
}

/* Where the walk over a recording is. */
struct walk {
	bool begun;
	int group, label;          /* of the window before */
	int64_t sample, end, kept; /* of it, where it ends, the first sample of the last one kept */
};

static int walk_on(const struct folds *f, int64_t i, int64_t stride, struct walk *k, bool *keep)
{
	const struct item *it = &f->d->item[i];
	const struct windows *w = dataset_windows(f->d, i);
	int64_t sample = w->sample[it->window];
	bool same = k->begun && k->group == it->group;
	if (same && sample < k->sample)
		return err_set(EX_DATAERR,
			"%s: recording %s: the window at sample %lld comes after that at %lld; --test-stride "
			"needs each recording once, with its windows in order",
			w->name, f->d->recordings.s[it->recording], (long long)sample, (long long)k->sample);
	bool follows = same &&
		       (sample < k->end || (sample == k->sample + w->layout.stride && it->label == k->label));
	*keep = !follows || sample >= k->kept + stride;
	*k = (struct walk){true, it->group, it->label, sample, sample + dataset_samples(f->d, i),
		*keep ? sample : k->kept};
	return 0;
}

static int thin(struct folds *f, int64_t stride)
{
	struct walk *walk = NEW_ARRAY(struct walk, f->d->recordings.n);
	int bad = 0;
	f->tests = spill_grow(&f->tests_spill, NULL, (size_t)f->d->n);
	for (int64_t i = 0; i < f->d->n && !bad; i++) {
		const struct item *it = &f->d->item[i];
		bool keep = true;
		if (stride)
			bad = walk_on(f, i, stride, &walk[it->recording], &keep);
		f->tests[i] = keep && it->label >= 0;
		f->labelled += it->label >= 0;
		f->kept += f->tests[i];
	}
	f->unlabelled = f->d->n - f->labelled;
	free(walk);
	return bad;
}

int folds_make(struct folds *f, const struct dataset *d, enum holdout_unit by, int n, bool interleaved,
	int64_t stride)
{
	*f = (struct folds){.d = d, .by = by, .interleaved = interleaved};
	labelled_units(d, by, &f->units);
	return deal(f, n) || thin(f, stride) ? -1 : 0;
}

void folds_free(struct folds *f)
{
	names_free(&f->units);
	free(f->fold);
	spill_free(&f->tests_spill, f->tests);
	*f = (struct folds){0};
}

void folds_units(const struct folds *f, int fold, struct names *to)
{
	for (int u = 0; u < f->units.n; u++)
		if (fold_of(f, u) == fold)
			names_add(to, f->units.s[u]);
}

void fold_items_free(struct fold_items *x)
{
	holdout_split_free(&x->split);
	spill_free(&x->test_spill, x->test);
	*x = (struct fold_items){0};
}

int folds_items(const struct folds *f, const struct dataset *d, int fold, double fraction, uint64_t seed,
	struct fold_items *x)
{
	const struct names *all = holdout_units(d, f->by);
	char *out = NEW_ARRAY(char, all->n);
	*x = (struct fold_items){0};
	for (int u = 0; u < all->n; u++)
		out[u] = f->fold[u] == fold;
	struct holdout h = {.fraction = fraction, .seed = seed, .unit = f->by, .left_out = out};
	int bad =
		holdout_cut(d, &h, &x->split) || holdout_check_classes(d, &x->split, NULL, NULL, NULL, NULL);
	x->test = spill_grow(&x->test_spill, NULL, (size_t)d->n * sizeof *x->test);
	for (int64_t i = 0; i < d->n && !bad; i++)
		if (f->tests[i] && out[holdout_unit_of(&d->item[i], f->by)])
			x->test[x->tests++] = i;
	if (!bad && !x->tests)
		bad = err_set(EX_DATAERR,
			"no labelled window is left to test on; a smaller --test-stride keeps more");
	free(out);
	if (bad)
		fold_items_free(x);
	return bad ? -1 : 0;
}

void folds_permute_labels(struct dataset *d, enum holdout_unit by, uint64_t seed, int number)
{
	const struct names *all = holdout_units(d, by);
	int C = d->classes.n;
	struct names sorted = {0};
	int64_t *to = NEW_ARRAY(int64_t, all->n * C); /* [units][C] */
	labelled_units(d, by, &sorted);
	for (int i = 0; i < sorted.n; i++) {
		struct rng r = rng_stream(seed, "permute-labels", (uint64_t)number, (uint64_t)i);
		rng_permutation(&r, to + names_find(all, sorted.s[i]) * C, C);
	}
	for (int64_t i = 0; i < d->n; i++) {
		struct item *it = &d->item[i];
		if (it->label >= 0)
			it->label = (int)to[holdout_unit_of(it, by) * C + it->label];
	}
	names_free(&sorted);
	free(to);
}
