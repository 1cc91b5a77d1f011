/* Folds of a cross-validation: which groups (or recordings) each holds out, and which of their
 * windows test.
 *
 *     units in order of name     S00 S01 S02 S03 S04 S05 S06
 *     3 folds                    |--- 0 ---| |-- 1 --| |-- 2 --|        sizes differ by one at most, the first are the larger
 *     interleaved                 0   1   2   0   1   2   0             unit i in fold i mod 3
 *
 * A unit without a labelled window takes no part.
 */
#ifndef TRAIN_FOLDS_H
#define TRAIN_FOLDS_H

#include "train/holdout.h"

struct folds {
	const struct dataset *d; /* borrowed */
	enum holdout_unit by;
	int n;
	bool interleaved;   /* neighbours in the order of names are in different folds */
	struct names units; /* in order of name */
	int *fold;          /* [all groups or recordings of d] the fold that holds it out, -1 = none */
	char *tests;        /* [d->n] 1: tests when it is held out */
	struct spill tests_spill;
	int64_t labelled, unlabelled, kept; /* windows; kept: labelled ones that test */
};

/* n folds of consecutive or interleaved units, n = 0 for one a unit. stride > 0 thins the windows
 * that test: walking over those of a recording in their order, a window is kept when it begins
 * `stride` samples or more after the last kept, and when it is the first of a run. A run begins
 * where a window begins at or after the end of the one before, and not by the file's stride and
 * with the same label after it. Refuses fewer units than folds, and a walk that would go back in
 * time. To be freed whatever comes back. */
int folds_make(struct folds *, const struct dataset *, enum holdout_unit by, int n, bool interleaved,
	int64_t stride);
void folds_free(struct folds *);

/* Adds the names of a fold's units, in their order. */
void folds_units(const struct folds *, int fold, struct names *);

/* Windows of one fold. */
struct fold_items {
	struct holdout_split split;
	int64_t *test, tests; /* items, in their order */
	struct spill test_spill;
};

/* d: the dataset the folds are of, or a view of it with other labels. fraction > 0: about this
 * fraction of the units that train validates, drawn by the seed. Refuses a split in which no window
 * trains or none validates, and a class without a window to train on. */
int folds_items(const struct folds *, const struct dataset *d, int fold, double fraction, uint64_t seed,
	struct fold_items *);
void fold_items_free(struct fold_items *);

/* Each unit's classes exchanged at random: one permutation of the classes a unit, a function of
 * seed, number and the unit's place in the order of names. d: a view of the dataset. */
void folds_permute_labels(struct dataset *d, enum holdout_unit, uint64_t seed, int number);

#endif
