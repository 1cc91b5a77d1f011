/* covariance: a token is the covariance C of a region's channels in one band and segment, as a
 * point of a space in which distances add up: log(C / s + f I), s the mean power of the band in
 * training (tokens.scale), f = encoder.floor. For a small f it is the matrix logarithm
 * (log-Euclidean metric: Arsigny, Fillard, Pennec, Ayache 2007), steadied where the window has
 * hardly any power; for a large one next to C itself. It is read as its upper triangle, row by row,
 * entries beside the diagonal times root 2, so that lengths are kept (Barachant, Bonnet, Congedo,
 * Jutten 2012).
 *
 * C is the mean over the band's lines and the tapers of the real part of the cross-spectra
 * (bands.h); what is beyond any amplifier, 1e30 times the mean power, is held there. V channels
 * make V(V+1)/2 features: padding has none. Tokens are in the order of their segments, the bands
 * of a segment one after the other; each band is a kind of its own. */
#include "model/tokeniser/banded.h"
#include "model/tokeniser/columns.h"
#include "model/tokeniser/condensed.h"
#include "model/tokeniser/logarithm.h"

#include "base/error.h"

#include <stdlib.h>
#include <string.h>

extern const struct tokeniser tokeniser_covariance;

static int size(const struct config *c, int T, double rate, const struct region *r, int *n, int *D)
{
	int V = banded_size(c, c, T, rate, r, n);
	return V < 0 ? -1 : banded_triangle("covariance", r, V, D);
}

/* Tokens before the logarithm: for each segment and band the upper triangle of C, row by row. */
static void raw(const struct config *c, const void *prepared, const real *x, int T, double rate,
	const struct region *r, real *out, struct arena *scratch)
{
	const struct condensed *s = prepared;
	size_t w = (size_t)r->width;
	int *column = arena_take(scratch, w * sizeof *column), found = columns_present(r, column);
	size_t V = (size_t)found;
	(void)c;
	(void)rate;
	real *folded = arena_take(scratch, PARITIES * V * (size_t)s->half * sizeof *folded),
	     *parts = arena_take(scratch, V * (size_t)s->most * sizeof *parts),
	     *C = arena_take(scratch, V * V * sizeof *C);
	for (int at = 0; at + s->L <= T; at += s->hop) {
		condensed_fold(s, x + (size_t)at * w, r->width, column, found, folded);
		for (int b = 0; b < s->bands; b++) {
			condensed_products(s, b, folded, found, parts, C);
			for (size_t a = 0; a < V; out += V - a, a++)
				memcpy(out, C + a * V + a, (V - a) * sizeof *out);
		}
	}
}

/* Of each band: the mean of the diagonal over channels and segments. */
static void power(const struct config *c, const real *x, int rows, const struct region *r, real *out)
{
	diagonal_means(columns_present(r, NULL), c->encoder.bands.n, rows, x, out);
}

static void finish(const struct config *c, const real *scale, int rows, const struct region *r, real *x,
	struct arena *scratch)
{
	logarithms(columns_present(r, NULL), c->encoder.bands.n, scale, c->encoder.floor, rows, x, scratch);
}

const struct tokeniser tokeniser_covariance = {.name = "covariance",
	.keys = "encoder.bands|encoder.window|encoder.hop|encoder.evidence|encoder.tapers|encoder.floor",
	.unsigned_features = true,
	.standardised = true,
	.raw = raw,
	.power = power,
	.finish = finish,
	.kinds = banded_kinds,
	.size = size,
	.count = banded_count,
	.prepare = banded_prepare};
