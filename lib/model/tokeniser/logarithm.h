/* Logarithms of symmetric matrices as features: log(C / s + least I), read as its upper triangle,
 * row by row, entries beside the diagonal times root 2, so that lengths are kept (Barachant,
 * Bonnet, Congedo, Jutten 2012). Matrices wait until there are as many as are solved at a time. */
#ifndef MODEL_TOKENISER_LOGARITHM_H
#define MODEL_TOKENISER_LOGARITHM_H

#include "base/real.h"
#include "tensor/eigen.h"

struct logarithms {
	struct eigen eigen;
	int n;
	real *out[EIGEN_LANES]; /* [V(V+1)/2] where the logarithm of each goes */
	real least;             /* eigenvalues below it are rounding */
};

/* Room for matrices [V][V] from the arena. */
struct logarithms logarithms_new(int V, double least, struct arena *);
/* C [V][V], of which the upper triangle is read; out [V(V+1)/2] is filled now or later, before
 * logarithms_end returns. */
void logarithms_add(struct logarithms *, const real *C, real scale, real *out);
/* Fills what waits. A matrix whose eigenvalues were not found becomes NaN, which is refused where
 * windows are known by name. */
void logarithms_end(struct logarithms *);

#endif
