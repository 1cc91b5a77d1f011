/* Vectors of 32 bytes in portable C (the compilers' vector extension), for the few loops where a
 * sum must run in a fixed order and still be fast: 8 partial sums side by side, added up in one
 * order at the end, whatever the processor has. Functions marked VECTOR_CLONES are compiled several
 * times and the best one is chosen when the program starts.
 */
#ifndef TENSOR_VECTOR_H
#define TENSOR_VECTOR_H

#include "base/real.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#if defined __x86_64__ && defined __GNUC__ && !defined __clang__ && !defined __SANITIZE_ADDRESS__ && \
	!defined __SANITIZE_THREAD__ && !defined NO_CLONES
#define VECTOR_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#define HAS_CLONES
#else
#define VECTOR_CLONES
#endif

#define INLINE static inline __attribute__((always_inline))

enum { LANES = 32 / (int)sizeof(real) };

typedef real vec __attribute__((vector_size(32)));
typedef real vec_unaligned __attribute__((vector_size(32), aligned(sizeof(real)), may_alias));
#ifdef REAL_DOUBLE
typedef int64_t vec_int __attribute__((vector_size(32)));
#else
typedef int32_t vec_int __attribute__((vector_size(32)));
#endif

#define V_LOAD(p)     ((vec)(*(const vec_unaligned *)(p)))
#define V_STORE(p, v) (*(vec_unaligned *)(p) = (vec_unaligned)(v))
#define V_SPLAT(s)    ((real)(s) - (vec){0}) /* s - 0 is s, of either sign: compilers make one broadcast of it */

/* Rounded up to whole vectors. */
INLINE int whole_vectors(int n)
{
	return (n + LANES - 1) / LANES * LANES;
}

#define UNROLL    _Pragma("GCC unroll 8")
#define UNROLL_12 _Pragma("GCC unroll 12")

/* Of each lane the larger; of two where one is not a number, b. */
INLINE vec v_max(vec a, vec b)
{
	for (int i = 0; i < LANES; i++) /* one instruction: compilers see it through */
		a[i] = a[i] > b[i] ? a[i] : b[i];
	return a;
}

/* The lanes added pairwise, halves first: one order on every machine. */
INLINE real v_sum(vec v)
{
	real s[LANES];
	memcpy(s, &v, sizeof s);
	for (int width = LANES / 2; width; width /= 2)
		for (int i = 0; i < width; i++)
			s[i] += s[i + width];
	return s[0];
}

INLINE real v_largest(vec v)
{
	real s[LANES];
	memcpy(s, &v, sizeof s);
	for (int width = LANES / 2; width; width /= 2)
		for (int i = 0; i < width; i++)
			s[i] = s[i] > s[i + width] ? s[i] : s[i + width];
	return s[0];
}

/* 2^x for x between -126 and 127: x = n + r with |r| <= 1/2, the Taylor polynomial of degree 7 for
 * 2^r (its remainder is below 1e-8), and n added to the exponent bits. */
INLINE vec v_exp2(vec x)
{
#ifdef REAL_DOUBLE
	for (int i = 0; i < LANES; i++)
		x[i] = exp2(x[i]);
	return x;
#else
	const vec magic = V_SPLAT(12582912.0F); /* 1.5 * 2^23: adding it rounds to a whole number */
	vec shifted = x + magic, r = x - (shifted - magic);
	vec p = V_SPLAT(1.52527338e-5F); /* (ln 2)^i / i! */
	p = p * r + V_SPLAT(1.54035304e-4F);
	p = p * r + V_SPLAT(1.33335581e-3F);
	p = p * r + V_SPLAT(9.61812911e-3F);
	p = p * r + V_SPLAT(5.55041087e-2F);
	p = p * r + V_SPLAT(2.40226507e-1F);
	p = p * r + V_SPLAT(6.93147181e-1F);
	p = p * r + V_SPLAT(1.0F);
	vec_int scale = ((vec_int)shifted - (vec_int)magic + 127) << 23;
	return p * (vec)scale;
#endif
}

/* exp of numbers not above about 80, with a relative error of |x| 6e-8 or so; what is below -87
 * gives next to 0. */
INLINE vec v_exp(vec x)
{
#ifdef REAL_DOUBLE
	for (int i = 0; i < LANES; i++)
		x[i] = exp(x[i]);
	return x;
#else
	return v_exp2(v_max(x, V_SPLAT(-87.0F)) * V_SPLAT(1.44269504F));
#endif
}

#endif
