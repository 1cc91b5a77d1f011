#include "base/rng.h"

#include "base/error.h"

#include <math.h>

static uint64_t mix(uint64_t z)
{
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
	return z ^ (z >> 31);
}

static const uint64_t gamma_odd = 0x9e3779b97f4a7c15U;

struct rng rng_stream(uint64_t seed, const char *purpose, uint64_t a, uint64_t b)
{
	uint64_t key = mix(seed + gamma_odd);
	for (const char *p = purpose; *p; p++)
		key = mix(key ^ (uint64_t)(unsigned char)*p) + gamma_odd;
	key = mix(key ^ mix(a + gamma_odd)) + gamma_odd;
	key = mix(key ^ mix(b + 2 * gamma_odd));
	return (struct rng){key, 0};
}

uint64_t rng_next(struct rng *r)
{
	return mix(r->key + gamma_odd * ++r->counter);
}

double rng_uniform(struct rng *r)
{
	return (double)(rng_next(r) >> 11) * 0x1p-53;
}

double rng_normal(struct rng *r)
{
	double u = 1.0 - rng_uniform(r); /* (0, 1] */
	double v = rng_uniform(r);
	return sqrt(-2.0 * log(u)) * cos(6.283185307179586 * v);
}

void rng_normals(struct rng *r, double *x, double *y)
{
	uint64_t word = rng_next(r);
	double u = (double)((word >> 32) + 1) * 0x1p-32; /* (0, 1] */
	double v = (double)(uint32_t)word * 0x1p-32, length = sqrt(-2.0 * log(u));
	*x = length * cos(6.283185307179586 * v);
	*y = length * sin(6.283185307179586 * v);
}

/* ln of a draw from Gamma(a, 1): below a = 1 that of a + 1 times U^(1/a), which may be too small
 * for a double. */
static double log_gamma_draw(struct rng *r, double a)
{
	double boost = a < 1 ? log(1.0 - rng_uniform(r)) / a : 0;
	double d = (a < 1 ? a + 1 : a) - 1.0 / 3, c = 1 / sqrt(9 * d);
	for (;;) {
		double x = rng_normal(r), v = 1 + c * x, u = 1.0 - rng_uniform(r);
		if (v <= 0)
			continue;
		v = v * v * v;
		if (log(u) < 0.5 * x * x + d - d * v + d * log(v))
			return log(d * v) + boost;
	}
}

double rng_beta(struct rng *r, double a, double b)
{
	double x = log_gamma_draw(r, a), y = log_gamma_draw(r, b);
	return 1 / (1 + exp(y - x));
}

uint64_t rng_below(struct rng *r, uint64_t n)
{
	must(n > 0);
	uint64_t limit = UINT64_MAX - UINT64_MAX % n;
	uint64_t x;
	do
		x = rng_next(r);
	while (x >= limit);
	return x % n;
}

void rng_permutation(struct rng *r, int64_t *p, int64_t n)
{
	for (int64_t i = 0; i < n; i++) {
		int64_t j = (int64_t)rng_below(r, (uint64_t)i + 1);
		p[i] = p[j];
		p[j] = i;
	}
}
