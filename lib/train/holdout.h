/* Which windows train and which validate. */
#ifndef TRAIN_HOLDOUT_H
#define TRAIN_HOLDOUT_H

#include "dataset/dataset.h"

enum holdout_unit { HOLDOUT_GROUP, HOLDOUT_RECORDING }; /* what is never divided */

/* The index of an item's group or recording, and the names of all of the dataset. */
int holdout_unit_of(const struct item *, enum holdout_unit);
const struct names *holdout_units(const struct dataset *, enum holdout_unit);

/* mark[unit] = 1 for the units of these items (NULL: the first n) that have a labelled window among
 * them. */
void holdout_mark_labelled(
	const struct dataset *, enum holdout_unit, const int64_t *items, int64_t n, char *mark);

struct holdout {
	/* at most one of the three is set */
	const struct names *groups; /* validate on these groups */
	double fraction;            /* > 0: draw about this fraction of the units, whole units */
	double tail;                /* > 0: the last fraction of every recording's time */
	uint64_t seed;              /* of the draw */
	enum holdout_unit unit;
	const char *left_out; /* [units] 1: neither trains nor validates; NULL: none */
};

struct holdout_split {
	int64_t *train, *valid; /* items */
	int64_t trains, valids;
	struct spill train_spill, valid_spill;
	int64_t unlabelled, crossing; /* left out: without label; across the cut in time */
};

/* Labelled windows only; those of units left out are not counted. Refuses a group name that does
 * not occur, and a split in which no window trains or none validates. */
int holdout_cut(const struct dataset *, const struct holdout *, struct holdout_split *);
void holdout_split_free(struct holdout_split *);

/* Refuses validation windows whose group also trains: names the groups. */
int holdout_check_groups(
	const struct dataset *train, const struct holdout_split *, const struct dataset *valid);

/* Refuses items of training that have samples in common with items of validation: the same
 * recording under two groups. */
int holdout_check_overlap(const struct dataset *train, const int64_t *trains, int64_t n,
	const struct dataset *valid, const int64_t *valids, int64_t valid_n);

/* Every class needs windows to learn from, unless a model that knows it is continued (known: its
 * classes, or NULL). valid may be NULL; what names it in messages. */
int holdout_check_classes(const struct dataset *train, const struct holdout_split *,
	const struct dataset *valid, const struct holdout_split *valid_split, const struct names *known,
	const char *what);

#endif
