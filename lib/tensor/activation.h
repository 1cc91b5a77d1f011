/* Activation functions of vectors, with their derivatives. */
#ifndef TENSOR_ACTIVATION_H
#define TENSOR_ACTIVATION_H

#include "tensor/vector.h"

/* Phi(x), the normal distribution function, and x Phi(x) = gelu (Hendrycks, Gimpel 2016), exact
 * form, with its derivative Phi(x) + x phi(x). In float erf is taken from formula 7.1.26 of
 * Abramowitz and Stegun (error below 1.5e-7). */
INLINE vec gelu(vec x, vec *slope)
{
	vec bell = v_exp(x * x * V_SPLAT(REAL(-0.5))), cdf;
#ifdef REAL_DOUBLE
	for (int i = 0; i < LANES; i++)
		cdf[i] = 0.5 * (1 + erf(x[i] * 0.70710678118654752440));
#else
	vec u = V_SPLAT(1.0F) / (V_SPLAT(1.0F) + V_SPLAT(0.3275911F * 0.70710678F) * v_max(x, -x));
	vec tail = V_SPLAT(1.061405429F);
	tail = tail * u - V_SPLAT(1.453152027F);
	tail = tail * u + V_SPLAT(1.421413741F);
	tail = tail * u - V_SPLAT(0.284496736F);
	tail = tail * u + V_SPLAT(0.254829592F);
	tail = tail * u * bell * V_SPLAT(0.5F);
	vec_int negative = x < V_SPLAT(0.0F);
	cdf = (vec)((negative & (vec_int)tail) | (~negative & (vec_int)(V_SPLAT(1.0F) - tail)));
#endif
	*slope = cdf + x * bell * V_SPLAT(REAL(0.3989422804014327));
	return x * cdf;
}

/* 1 / (1 + exp(-x)) */
INLINE vec logistic(vec x)
{
	const vec one = V_SPLAT(REAL(1.0));
	vec low = v_exp(-v_max(x, -x)), high = one / (one + low); /* of -|x|: never too large for v_exp */
	vec_int negative = x < V_SPLAT(REAL(0.0));
	return (vec)((negative & (vec_int)(low * high)) | (~negative & (vec_int)high));
}

#endif
