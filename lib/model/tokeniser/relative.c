/* relative: the covariance of a band relative to that of all bands together,
 *
 *     M = S^-1/2 C S^-1/2 --> log(M / s + f I)
 *
 * C as with covariance, S the same over all lines from the lowest to the highest of encoder.bands
 * (or those of encoder.whole_low and encoder.whole_high), of the same segment, regularised
 * (whiten.h). What all frequencies have in common, which is most of what sets people apart (gains,
 * conduction through the head), is taken out. s is the mean of tr(M)/V in training (tokens.scale),
 * f = encoder.relative_floor. Tokens and features are in the order of covariance's. */
#include "model/tokeniser/banded.h"
#include "model/tokeniser/columns.h"
#include "model/tokeniser/condensed.h"
#include "model/tokeniser/logarithm.h"
#include "model/tokeniser/whiten.h"

#include "base/error.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

extern const struct tokeniser tokeniser_relative;

enum { FLOOR, LOW, HIGH };

static const struct setting own[] = {
	[FLOOR] = {"encoder.relative_floor", "0.05", 1e-6, 1e6, false,
		"added to a relative covariance's diagonal before its logarithm is taken, as a fraction of "
		"the band's mean in training"},
	[LOW] = {"encoder.whole_low", "0", 0, 1e6, false,
		"covariances are relative to that of all frequencies above this, in Hz; 0 for the lowest of "
		"encoder.bands"},
	[HIGH] = {"encoder.whole_high", "0", 0, 1e6, false,
		"and up to this; 0 for the highest of encoder.bands"},
	{0}};

/* The bands, and behind them the whole. */
static struct config with_whole(const struct config *c)
{
	struct config all = *c;
	struct bands *b = &all.encoder.bands;
	double low = b->edge[0][0], high = b->edge[0][1];
	for (int i = 1; i < b->n; i++) {
		low = fmin(low, b->edge[i][0]);
		high = fmax(high, b->edge[i][1]);
	}
	b->edge[b->n][0] = config_own(c, &own[LOW]) > 0 ? config_own(c, &own[LOW]) : low;
	b->edge[b->n][1] = config_own(c, &own[HIGH]) > 0 ? config_own(c, &own[HIGH]) : high;
	b->n++;
	return all;
}

static int size(const struct config *c, int T, double rate, const struct region *r, int *n, int *D)
{
	if (c->encoder.bands.n == CONFIG_BANDS)
		return err_set(EX_CONFIG,
			"encoder.tokens=relative: %d bands, %d at most; shorten encoder.bands", CONFIG_BANDS,
			CONFIG_BANDS - 1);
	struct config all = with_whole(c);
	const double *whole = all.encoder.bands.edge[c->encoder.bands.n];
	if (whole[0] > whole[1])
		return err_set(EX_CONFIG,
			"encoder.whole_low: %g Hz is not below encoder.whole_high, %g Hz; set both", whole[0],
			whole[1]);
	int V = banded_size(c, &all, T, rate, r, n);
	return V < 0 ? -1 : banded_triangle("relative", r, V, D);
}

static void *prepare(const struct config *c, int T, double rate)
{
	struct config all = with_whole(c);
	return banded_prepare(&all, T, rate);
}

/* to [V][V] = A B, whole matrices */
static void multiply(int V, const double *A, const double *B, double *to)
{
	size_t n = (size_t)V;
	memset(to, 0, n * n * sizeof *to);
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < n; k++)
			for (size_t j = 0; j < n; j++)
				to[i * n + j] += A[i * n + k] * B[k * n + j];
}

/* Tokens before the logarithm: for each segment and band the upper triangle of M, row by row. */
static void raw(const struct config *c, const void *prepared, const real *x, int T, double rate,
	const struct region *r, real *out, struct arena *scratch)
{
	const struct condensed *s = prepared;
	size_t w = (size_t)r->width;
	int *column = arena_take(scratch, w * sizeof *column), V = columns_present(r, column),
	    bands = s->bands - 1;
	size_t each = (size_t)V * (size_t)V;
	struct eigen eigen = eigen_new(V, scratch);
	real *folded = arena_take(scratch, PARITIES * (size_t)V * (size_t)s->half * sizeof *folded),
	     *parts = arena_take(scratch, (size_t)V * (size_t)s->most * sizeof *parts),
	     *C = arena_take(scratch, each * sizeof *C);
	double *R = arena_take(scratch, each * sizeof *R), *M = arena_take(scratch, each * sizeof *M),
	       *half = arena_take(scratch, each * sizeof *half);
	(void)c;
	(void)rate;
	for (int at = 0; at + s->L <= T; at += s->hop) {
		condensed_fold_changing(s, x + (size_t)at * w, r->width, column, V, folded);
		condensed_products(s, bands, folded, V, parts, C);
		for (size_t i = 0; i < each; i++)
			R[i] = (double)column_held(C[i]);
		whiten(&eigen, 1, R);
		for (int b = 0; b < bands; b++) {
			condensed_products(s, b, folded, V, parts, C);
			for (size_t i = 0; i < each; i++)
				M[i] = (double)column_held(C[i]);
			multiply(V, R, M, half);
			multiply(V, half, R, M);
			for (int i = 0; i < V; i++)
				for (int j = i; j < V; j++)
					*out++ = (real)M[i * V + j];
		}
	}
}

static void power(const struct config *c, const real *x, int rows, const struct region *r, real *out)
{
	diagonal_means(columns_present(r, NULL), c->encoder.bands.n, rows, x, out);
}

static void finish(const struct config *c, const real *scale, int rows, const struct region *r, real *x,
	struct arena *scratch)
{
	logarithms(columns_present(r, NULL), c->encoder.bands.n, scale, config_own(c, &own[FLOOR]), rows, x,
		scratch);
}

const struct tokeniser tokeniser_relative = {.name = "relative",
	.keys = "encoder.bands|encoder.window|encoder.hop|encoder.evidence|encoder.tapers",
	.settings = own,
	.unsigned_features = true,
	.standardised = true,
	.raw = raw,
	.power = power,
	.finish = finish,
	.kinds = banded_kinds,
	.size = size,
	.count = banded_count,
	.prepare = prepare};
