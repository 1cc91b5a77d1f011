/* Whether experts follow a label (class or subject): how strongly the use of each depends on it,
 * and how often chance alone gives as much.
 *
 *     specialisation_i   1 - H(label | expert i) / ln(labels)                         (moe/usage.h)
 *     information        mutual information of expert and label over all assignments, nats
 *     p                  (1 + permutations that reach what was seen) / (1 + permutations)        (Phipson, Smyth 2010)
 *
 * What is permuted are the labels of whole windows, since the tokens of a window belong together,
 * and only within strata: a label that goes along with another property of the windows is not found
 * for that one's sake. NAN where no stratum has two labels, so that nothing can be permuted.
 */
#ifndef ANALYSIS_ASSOCIATION_H
#define ANALYSIS_ASSOCIATION_H

#include "base/rng.h"

#include <stdint.h>

struct labelled_counts {
	int64_t n;
	int E;
	const int32_t *count; /* [n][E] assignments of a window */
	const int *label;     /* [n] 0 .. labels - 1, -1 = unknown: left out */
	const int *stratum;   /* [n] 0 .. strata - 1 */
	int labels, strata;
};

struct association {
	double *specialisation, *p; /* [E] NAN without assignments or with one label */
	double information, information_p;
};

struct association association_of(const struct labelled_counts *, int permutations, struct rng *);
void association_free(struct association *);

#endif
