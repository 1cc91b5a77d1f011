/* Whitening: R = (S + .001 tr(S)/V I)^-1/2 of covariances S [V][V], the symmetric root. What is
 * seen through it has no common scale and no common correlations of channels left. */
#ifndef MODEL_TOKENISER_WHITEN_H
#define MODEL_TOKENISER_WHITEN_H

#include "tensor/eigen.h"

/* S [n][V][V], n <= EIGEN_LANES, in by their upper triangles, out R. An S of 0 makes an R of 0, one
 * without an answer NaNs. The room is for matrices of V. */
void whiten(const struct eigen *, int n, double *S);

#endif
