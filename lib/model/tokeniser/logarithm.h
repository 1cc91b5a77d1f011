/* Tokens that are symmetric matrices [V][V]: each a row of V(V+1)/2 numbers, the upper triangle row
 * by row; row i is of kind i mod kinds. */
#ifndef MODEL_TOKENISER_LOGARITHM_H
#define MODEL_TOKENISER_LOGARITHM_H

#include "base/mem.h"
#include "base/real.h"

/* Each C of x [rows][V(V+1)/2] becomes log(C / s + least I), s the scale of its kind [kinds] (NULL:
 * 1), entries beside the diagonal times root 2, so that lengths are kept (Barachant, Bonnet,
 * Congedo, Jutten 2012). One whose eigenvalues were not found becomes NaN, which is refused where
 * windows are known by name. */
void logarithms(int V, int kinds, const real *scale, double least, int rows, real *x, struct arena *scratch);

/* power [kinds]: the mean of the diagonals of each kind, over V and the rows. */
void diagonal_means(int V, int kinds, int rows, const real *x, real *power);

#endif
