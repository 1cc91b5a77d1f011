/* Two sets of predictions of the same windows: which is better, and whether that may be chance.
 *
 * The metric is taken in each group (subject); under the null hypothesis the two might as well be
 * exchanged in any group, so the signs of the groups' differences are flipped (Fisher's permutation
 * test of paired samples, 1935). p is the fraction of flips whose mean difference is as large, in
 * either direction: of all 2^groups flips up to 20 groups, else of 10,000 drawn ones, with the one
 * that was seen: (1 + as large) / (1 + drawn).
 */
#ifndef SCORE_COMPARISON_H
#define SCORE_COMPARISON_H

#include "score/score.h"

enum { EXACT_GROUPS = 20, DRAWN_FLIPS = 10000 };

struct comparison {
	const struct score *one, *other; /* borrowed */
	enum metric metric;
	int groups;               /* for which the metric is defined of both */
	double *difference;       /* [groups of one] one - other; NAN where it is not defined */
	double mean;              /* over these groups */
	struct interval interval; /* over resampled groups */
	bool exact;
	int64_t flips;
	double p;
};

/* -1 with an error, which says how many and which, when windows or labels differ, and when the
 * metric is not defined for any group. */
int comparison_of(struct comparison *, const struct score *one, const struct score *other, enum metric);
void comparison_free(struct comparison *);

void comparison_json(const struct comparison *, struct text *); /* an object */
/* A score as one object on a line; with a comparison (NULL: none) under the key "compare". */
void comparison_score_json(const struct score *, const struct comparison *, struct text *);
void comparison_rows(const struct comparison *, char separator, struct text *);
void comparison_words(const struct comparison *, struct text *);

#endif
