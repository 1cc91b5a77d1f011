#include "train/holdout.h"

#include "base/error.h"
#include "base/mem.h"
#include "base/rng.h"
#include "analysis/leak.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void holdout_split_free(struct holdout_split *s)
{
	spill_free(&s->train_spill, s->train);
	spill_free(&s->valid_spill, s->valid);
	*s = (struct holdout_split){0};
}

int holdout_unit_of(const struct item *it, enum holdout_unit unit)
{
	return unit == HOLDOUT_GROUP ? it->group : it->recording;
}

const struct names *holdout_units(const struct dataset *d, enum holdout_unit unit)
{
	return unit == HOLDOUT_GROUP ? &d->groups : &d->recordings;
}

void holdout_mark_labelled(
	const struct dataset *d, enum holdout_unit unit, const int64_t *items, int64_t n, char *mark)
{
	for (int64_t i = 0; i < n; i++) {
		const struct item *it = &d->item[items ? items[i] : i];
		if (it->label >= 0)
			mark[holdout_unit_of(it, unit)] = 1;
	}
}

/* chosen[group] = 1 for validation */
static int choose_named(const struct dataset *d, const struct names *list, char *chosen)
{
	for (int i = 0; i < list->n; i++) {
		int g = names_find(&d->groups, list->s[i]);
		if (g < 0) {
			char *have = names_join(&d->groups, ", ");
			err_set(EX_USAGE, "--valid-groups: no group %s; there are %.300s", list->s[i], have);
			free(have);
			return -1;
		}
		chosen[g] = 1;
	}
	return 0;
}

/* Units without a labelled window do not take part in the draw. */
static int choose_drawn(const struct dataset *d, const struct holdout *h, char *chosen)
{
	const struct names *names = holdout_units(d, h->unit);
	int *unit = NEW_ARRAY(int, names->n), n = 0, r = 0;
	holdout_mark_labelled(d, h->unit, NULL, d->n, chosen);
	for (int u = 0; u < names->n; u++) {
		if (chosen[u] && !(h->left_out && h->left_out[u]))
			unit[n++] = u;
		chosen[u] = 0;
	}
	int take = (int)lround(h->fraction * n);
	take = take > n - 1 ? n - 1 : take < 1 ? 1 : take;
	if (n == 1)
		r = err_set(EX_DATAERR,
			"--valid-fraction holds out whole %ss, and there is only one (%s); %s",
			h->unit == HOLDOUT_GROUP ? "group" : "recording", names->s[unit[0]],
			h->left_out ? "leave the option out" : "use --valid-tail");
	if (n > 1) {
		int64_t *order = NEW_ARRAY(int64_t, n);
		struct rng draw = rng_stream(h->seed, "valid-fraction", 0, 0);
		rng_permutation(&draw, order, n);
		for (int i = 0; i < take; i++)
			chosen[unit[order[i]]] = 1;
		free(order);
	}
	free(unit);
	return r;
}

/* The samples of each recording that windows cover, [first, last), and from these the cut. */
static int64_t *find_cuts(const struct dataset *d, double tail)
{
	int n = d->recordings.n;
	int64_t *first = NEW_ARRAY(int64_t, n), *last = NEW_ARRAY(int64_t, n);
	for (int i = 0; i < n; i++)
		first[i] = INT64_MAX;
	for (int64_t i = 0; i < d->n; i++) {
		const struct item *it = &d->item[i];
		int64_t s = dataset_windows(d, i)->sample[it->window];
		if (s < first[it->recording])
			first[it->recording] = s;
		int64_t end = s + dataset_samples(d, i);
		if (end > last[it->recording])
			last[it->recording] = end;
	}
	for (int i = 0; i < n; i++)
		last[i] = first[i] + (int64_t)floor((1 - tail) * (double)(last[i] - first[i]) + 1e-6);
	free(first);
	return last;
}

enum subset { TRAIN, VALID, NEITHER };

static enum subset subset_of(
	const struct dataset *d, const struct holdout *h, int64_t i, const char *chosen, const int64_t *cut)
{
	const struct item *it = &d->item[i];
	if (chosen)
		return chosen[holdout_unit_of(it, h->unit)] ? VALID : TRAIN;
	if (!cut)
		return TRAIN;
	int64_t s = dataset_windows(d, i)->sample[it->window];
	return s >= cut[it->recording]                           ? VALID
	       : s + dataset_samples(d, i) <= cut[it->recording] ? TRAIN
								 : NEITHER;
}

int holdout_cut(const struct dataset *d, const struct holdout *h, struct holdout_split *s)
{
	char *chosen = h->groups || h->fraction > 0 ? NEW_ARRAY(char, holdout_units(d, h->unit)->n) : NULL;
	int64_t *cut = h->tail > 0 ? find_cuts(d, h->tail) : NULL;
	size_t bytes = (size_t)d->n * sizeof(int64_t);
	*s = (struct holdout_split){0};
	s->train = spill_grow(&s->train_spill, NULL, bytes);
	if (chosen || cut)
		s->valid = spill_grow(&s->valid_spill, NULL, bytes);
	int r = h->groups         ? choose_named(d, h->groups, chosen)
		: h->fraction > 0 ? choose_drawn(d, h, chosen)
				  : 0;
	for (int64_t i = 0; i < d->n && !r; i++) {
		if (h->left_out && h->left_out[holdout_unit_of(&d->item[i], h->unit)])
			continue;
		enum subset subset = subset_of(d, h, i, chosen, cut);
		if (d->item[i].label < 0)
			s->unlabelled++;
		else if (subset == NEITHER)
			s->crossing++;
		else if (subset == VALID)
			s->valid[s->valids++] = i;
		else
			s->train[s->trains++] = i;
	}
	if (!r && !s->trains)
		r = err_set(EX_DATAERR,
			s->valids ? "no window is left to train on: all are held out for validation"
				  : "no labelled window: name the label column when splitting (moe-split "
				    "--label-column)");
	if (!r && (chosen || cut) && !s->valids)
		r = err_set(EX_DATAERR, "no labelled window is left to validate on");
	free(chosen);
	free(cut);
	if (r)
		holdout_split_free(s);
	return r;
}

int holdout_check_groups(
	const struct dataset *train, const struct holdout_split *s, const struct dataset *valid)
{
	char *trains = NEW_ARRAY(char, train->groups.n), *validates = NEW_ARRAY(char, valid->groups.n);
	struct names shared = {0};
	holdout_mark_labelled(train, HOLDOUT_GROUP, s->train, s->trains, trains);
	holdout_mark_labelled(valid, HOLDOUT_GROUP, NULL, valid->n, validates);
	for (int g = 0; g < valid->groups.n; g++) {
		int at = names_find(&train->groups, valid->groups.s[g]);
		if (at >= 0 && trains[at] && validates[g])
			names_add(&shared, valid->groups.s[g]);
	}
	free(trains);
	free(validates);
	int r = 0;
	if (shared.n) {
		char *list = names_join(&shared, ", ");
		r = err_set(EX_DATAERR,
			"the same group is in training and validation: %.300s; remove it from one of them, "
			"or divide by time (--valid-tail)",
			list);
		free(list);
	}
	names_free(&shared);
	return r;
}

int holdout_check_overlap(const struct dataset *train, const int64_t *trains, int64_t n,
	const struct dataset *valid, const int64_t *valids, int64_t valid_n)
{
	struct leak_side train_side, valid_side;
	struct leak l;
	leak_side_of(&train_side, train, trains, n);
	leak_side_of(&valid_side, valid, valids, valid_n);
	int bad = leak_check_overlap(&l, &train_side, &valid_side);
	if (!bad && l.overlapping.n) {
		struct leak_place t = l.overlapping.train[0], v = l.overlapping.test[0];
		const struct windows *w = train_side.part[t.part], *x = valid_side.part[v.part];
		bad = err_set(EX_DATAERR,
			"%lld validation windows share samples with training windows: %s belongs to group %s "
			"at sample %lld and to group %s at sample %lld; give each recording one group "
			"(moe-split --group)",
			(long long)l.overlapping.n, x->recordings.s[x->recording[v.window]],
			x->groups.s[x->group[v.window]], (long long)x->sample[v.window],
			w->groups.s[w->group[t.window]], (long long)w->sample[t.window]);
	}
	leak_free(&l);
	leak_side_free(&train_side);
	leak_side_free(&valid_side);
	return bad;
}

/* Of a model that is made anew: which classes have windows. */
static int check_windows_of(const struct dataset *train, const struct holdout_split *s)
{
	const struct names *classes = &train->classes;
	int64_t *count = NEW_ARRAY(int64_t, classes->n);
	int occurring = 0, bad = 0;
	for (int64_t i = 0; i < s->trains; i++)
		count[train->item[s->train[i]].label]++;
	for (int c = 0; c < classes->n; c++)
		occurring += count[c] > 0;
	for (int c = 0; c < classes->n && !bad; c++)
		if (occurring == 1 && count[c])
			bad = err_set(EX_DATAERR,
				"all %lld training windows are of one class (%s); training needs two at "
				"least",
				(long long)count[c], classes->s[c]);
	for (int c = 0; c < classes->n && !bad; c++)
		if (!count[c])
			bad = err_set(EX_DATAERR,
				"class %s has no window to train on; hold out other groups, or leave the "
				"class out (moe-split --classes)",
				classes->s[c]);
	free(count);
	return bad;
}

int holdout_check_classes(const struct dataset *train, const struct holdout_split *s,
	const struct dataset *valid, const struct holdout_split *valid_split, const struct names *known,
	const char *what)
{
	for (int64_t i = 0; valid && i < valid_split->trains; i++) {
		const char *name = valid->classes.s[valid->item[valid_split->train[i]].label];
		if (names_find(&train->classes, name) < 0)
			return err_set(EX_DATAERR, "%s: class %s does not occur in training", what, name);
	}
	if (known && train->classes.n > known->n)
		return err_set(EX_DATAERR, "class %s is unknown to the model that is continued",
			train->classes.s[known->n]);
	return known ? 0 : check_windows_of(train, s);
}
