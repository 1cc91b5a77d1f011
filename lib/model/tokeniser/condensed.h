/* The waves of bands (bands.h) where no line counts by itself, only the sums over a band's lines of
 * products of two channels:
 *
 *     C = X K X^T / lines      X [V][L] channels freed of their means, K = W W^T of the band's waves W [L][2 lines]
 *
 * Neighbouring lines, and the tapers of one, have much in common, so that far fewer columns than W
 * has make the same K. And as waves and tapers look the same from both ends, K does not mix what is
 * even in time with what is odd: each has columns of its own, of half the length. With 5 tapers a
 * window of a second takes a third of the multiplications, a longer one fewer.
 */
#ifndef MODEL_TOKENISER_CONDENSED_H
#define MODEL_TOKENISER_CONDENSED_H

#include "model/tokeniser/bands.h"

enum { EVEN, ODD, PARITIES };

struct condensed {
	int L, hop, bands;
	int half;                             /* samples of an even or odd part */
	int most;                             /* columns of the largest band */
	int lines[CONFIG_BANDS];              /* as in struct segments */
	int size[CONFIG_BANDS][PARITIES];     /* columns: whole vectors, the rest of them 0 */
	size_t first[CONFIG_BANDS][PARITIES]; /* where they are in wave, [half][size] */
	real wave[];
};

/* Freed with free(). A band of which this would take more than about `work` multiplications keeps
 * the waves it has: those of long segments, of which there are few. */
struct condensed *condense(const struct segments *, double work);

/* folded [PARITIES][V][half] of columns column[0 .. V-1] of the segment x [L][W]. */
void condensed_fold(const struct condensed *, const real *x, int W, const int *column, int V, real *folded);
/* The same, channels that never change all 0: of others rounding leaves something of the mean. */
void condensed_fold_changing(
	const struct condensed *, const real *x, int W, const int *column, int V, real *folded);

/* C [V][V] of a band. parts [V][most]: room */
void condensed_products(const struct condensed *, int band, const real *folded, int V, real *parts, real *C);
/* Its diagonal alone, P [V]. */
void condensed_powers(const struct condensed *, int band, const real *folded, int V, real *parts, real *P);

#endif
