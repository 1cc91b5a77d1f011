/* What guessing reaches: the accuracy that n guesses, each correct with probability p, do not
 * exceed in 95 or 99 of a hundred tries. It is k / n with k the smallest number of correct guesses
 * for which P(correct guesses <= k) >= level, the quantile of the binomial distribution
 * (Combrisson, Jerbi 2015). An accuracy above it is above chance; one at it is not.
 */
#ifndef SCORE_CHANCE_H
#define SCORE_CHANCE_H

#include <stdint.h>

/* n >= 1, 0 <= p <= 1, 0 < level < 1 */
double chance_limit(int64_t n, double p, double level);

#endif
