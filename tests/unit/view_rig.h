/* A tokeniser on windows of two channels, alone and between padding, and functions of symmetric
 * matrices of two in closed form, in double. */
#ifndef TESTS_VIEW_RIG_H
#define TESTS_VIEW_RIG_H

#include "configured.h"

#include "base/rng.h"
#include "model/tokeniser.h"

#include <math.h>
#include <stdlib.h>

enum { LONG = 150, WIDTH = 5, FEATURES = 512 };

static const double RATE = 100, PI = 3.14159265358979324;

/* Two channels, alone and between padding. */
static int32_t bare_channel[] = {0, 1}, padded_channel[] = {-1, 0, -1, 1, -1};
static unsigned char core[] = {1, 1, 1, 1, 1};
static const struct region bare = {.name = "bare", .width = 2, .channel = bare_channel, .core = core},
			   padded = {
				   .name = "padded", .width = WIDTH, .channel = padded_channel, .core = core};

/* Two signals [LONG]: rhythms, a slow wave and noise. */
static double signal[2][LONG];

static inline void make_signals(void)
{
	struct rng r = rng_stream(1, "views", 0, 0);
	for (int t = 0; t < LONG; t++) {
		double s = t / RATE;
		signal[0][t] = 40 + 3 * sin(2 * PI * 10 * s) + 2 * sin(2 * PI * 3 * s) + rng_normal(&r);
		signal[1][t] = -7 + 2 * sin(2 * PI * 10 * s + 1) + 2 * cos(2 * PI * 20 * s) +
			       4 * exp(-50 * (s - 0.3) * (s - 0.3)) + 0.5 * signal[0][t] + rng_normal(&r);
	}
}

static inline void lay_out(const struct region *r, double factor, real *x)
{
	for (int t = 0; t < LONG; t++)
		for (int j = 0; j < r->width; j++)
			x[t * r->width + j] =
				r->channel[j] < 0 ? 0 : (real)(factor * signal[r->channel[j]][t]);
}

/* --- a tokeniser on windows of LONG samples */

struct looker {
	struct configuration c;
	const struct tokeniser *of;
	const struct region *region;
	void *prepared;
	int n, D;
	struct arena *scratch;
	real out[FEATURES];
};

static inline void begin(struct looker *v, const struct region *r, const char *const *set)
{
	*v = (struct looker){.c = configured(PRESET_DEFAULT, set), .region = r, .scratch = arena_new()};
	const struct config *c = &v->c.value;
	v->of = tokeniser_table[c->encoder.tokens];
	CHECK(!v->of->size(c, LONG, RATE, r, &v->n, &v->D) && v->n * v->D <= FEATURES);
	CHECK(v->of->count(c, LONG, RATE, LONG) == v->n && v->of->standardised);
	v->prepared = v->of->prepare ? v->of->prepare(c, LONG, RATE) : NULL;
}

static inline void end(struct looker *v)
{
	free(v->prepared);
	arena_free(v->scratch);
	config_end(&v->c);
}

static inline void look_at(struct looker *v, const real *x, const real *scale)
{
	for (int i = 0; i < FEATURES; i++)
		v->out[i] = 77;
	arena_reset(v->scratch);
	tokeniser_features(
		v->of, &v->c.value, v->prepared, scale, x, LONG, RATE, v->region, v->out, v->scratch);
	for (int i = v->n * v->D; i < FEATURES; i++)
		CHECK(v->out[i] == 77);
}

/* The features of the signals, scaled */
static inline void look(struct looker *v, double factor, const real *scale)
{
	real x[LONG * WIDTH];
	lay_out(v->region, factor, x);
	look_at(v, x, scale);
}

/* --- formulas. Symmetric matrices of two are {a, b, d} for (a b; b d). */

/* f(A) */
static inline void apply(double (*f)(double), const double A[3], double out[3])
{
	double m = (A[0] + A[2]) / 2, h = (A[0] - A[2]) / 2, r = hypot(h, A[1]);
	double more = f(m + r), less = f(m - r), even = (more + less) / 2;
	double odd = r > 0 ? (more - less) / (2 * r) : 0;
	out[0] = even + odd * h;
	out[1] = odd * A[1];
	out[2] = even - odd * h;
}

static inline double inverse_root(double x)
{
	return 1 / sqrt(x);
}

/* R A R */
static inline void seen_through(const double R[3], const double A[3], double out[3])
{
	double p = R[0] * A[0] + R[1] * A[1], q = R[0] * A[1] + R[1] * A[2]; /* first row of R A */
	double s = R[1] * A[0] + R[2] * A[1], t = R[1] * A[1] + R[2] * A[2];
	out[0] = p * R[0] + q * R[1];
	out[1] = p * R[1] + q * R[2];
	out[2] = s * R[1] + t * R[2];
}

/* (S + .001 tr(S)/2 I)^-1/2 */
static inline void whitener(const double S[3], double out[3])
{
	double more = 1e-3 * (S[0] + S[2]) / 2, A[3] = {S[0] + more, S[1], S[2] + more};
	apply(inverse_root, A, out);
}

/* The token log(M + f I) */
static inline void logarithm(const double M[3], double f, double out[3])
{
	double A[3] = {M[0] + f, M[1], M[2] + f};
	apply(log, A, out);
	out[1] *= sqrt(2);
}

#endif
