/* What tokenisers have in common whose tokens are a band in a segment, in the order of the
 * segments, the bands of one after the other: each band is a kind of its own. */
#ifndef MODEL_TOKENISER_BANDED_H
#define MODEL_TOKENISER_BANDED_H

#include "model/config.h"
#include "format/layout.h"

int banded_kinds(const struct config *);
int banded_count(const struct config *, int T, double rate, int samples);
/* A struct condensed of the bands (condensed.h). */
void *banded_prepare(const struct config *, int T, double rate);
/* n: tokens of a window whose bands and tapers are those of `checked`, which may have further ones.
 * Returns the region's channels, or -1 with an error when bands or segments do not fit, or there is
 * no channel. */
int banded_size(const struct config *, const struct config *checked, int T, double rate,
	const struct region *, int *n);
/* D: the triangle of a matrix [V][V]; -1 with an error beyond 256 channels. */
int banded_triangle(const char *tokeniser, const struct region *, int V, int *D);

#endif
