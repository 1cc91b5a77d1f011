/* Random numbers.
 *
 * Everything random is a function of a key and a counter, so that no draw depends on what was drawn
 * before by somebody else: the order of a batch, the mask of a dropout and the start of a parameter
 * are the same for any number of threads and after a resume. The mixer is SplitMix64's finaliser
 * (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", OOPSLA 2014).
 */
#ifndef BASE_RNG_H
#define BASE_RNG_H

#include <stddef.h>
#include <stdint.h>

struct rng {
	uint64_t key, counter;
};

/* A stream of its own for each (seed, purpose, a, b). */
struct rng rng_stream(uint64_t seed, const char *purpose, uint64_t a, uint64_t b);
uint64_t rng_next(struct rng *);
double rng_uniform(struct rng *);                     /* [0, 1), 53 bits */
double rng_normal(struct rng *);                      /* mean 0, variance 1 (Box, Muller 1958) */
void rng_normals(struct rng *, double *x, double *y); /* two at a time, from one word: 32 bits for each */
double rng_beta(struct rng *, double a,
	double b); /* Beta(a, b), a and b above 0, of two gammas (Marsaglia, Tsang 2000) */
uint64_t rng_below(struct rng *, uint64_t n); /* 0 .. n-1, unbiased */
void rng_permutation(
	struct rng *, int64_t *p, int64_t n); /* p [n]: a random order of 0 .. n-1 (Fisher, Yates) */

/* 32-bit mixing of one word, for generators inside hot loops: plain arithmetic that compilers
 * vectorise. (A bijection of the 32-bit words: xor-shift-multiply rounds with odd constants.) */
static inline uint32_t rng_mix32(uint32_t x)
{
	x ^= x >> 16;
	x *= 0x7feb352dU;
	x ^= x >> 15;
	x *= 0x846ca68bU;
	x ^= x >> 16;
	return x;
}

#endif
