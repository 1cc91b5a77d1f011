/* Two sets of answers to the same windows: which is better, and whether chance does as much.
 *
 * The figure is taken in each group; under the null hypothesis the two might as well be exchanged
 * in any group, so the signs of the groups' differences are flipped (Fisher's permutation test of
 * paired samples, 1935). p is the share of flips whose mean difference is as large, in either
 * direction: of all 2^groups flips up to 20 groups, else of 10,000 drawn ones, with the one that
 * was seen: (1 + as large) / (1 + drawn).
 */
#ifndef SCORE_COMPARE_H
#define SCORE_COMPARE_H

#include "score/score.h"

enum { EXACT_GROUPS = 20, DRAWN_FLIPS = 10000 };

struct comparison {
	const struct score *one, *other; /* borrowed */
	enum metric metric;
	int groups;               /* in which the figure can be said of both */
	double *difference;       /* [groups of one] one - other; NAN where it cannot be said */
	double mean;              /* over these groups */
	struct interval interval; /* over resampled groups */
	bool exact;
	int64_t flips;
	double p;
};

/* Refuses answers to other windows or with other labels, saying how many and which. */
int compare_scores(struct comparison *, const struct score *one, const struct score *other, enum metric);
void comparison_free(struct comparison *);

void comparison_json(const struct comparison *, struct text *); /* an object */
/* A score as one object on a line; with a comparison (NULL: none) under the key "compare". */
void comparison_score_json(const struct score *, const struct comparison *, struct text *);
void comparison_rows(const struct comparison *, char separator, struct text *);
void comparison_words(const struct comparison *, struct text *);

#endif
