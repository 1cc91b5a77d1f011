/* What tokenisers of learned filters share: how long a filter over time is, and how many tokens of
 * so many features there are when each filter makes one.
 */
#ifndef MODEL_TOKENISER_FILTERS_H
#define MODEL_TOKENISER_FILTERS_H

#include "model/config.h"
#include "model/tokeniser.h"

int filters_taps(const struct config *, double rate); /* at least 1 */
/* As struct tokeniser's size. -1 with an error when a filter, or a segment, is too long. */
int filters_size(const struct config *, int T, double rate, const struct region *, int *n, int *D);

#endif
