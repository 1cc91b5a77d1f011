#include "model/tokeniser/condensed.h"

#include "model/tokeniser/columns.h"
#include "tensor/product.h"
#include "tensor/vector.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* What may be missing of a number on K's diagonal, by the largest there: less than the rounding of
 * floats leaves out of the waves. */
#define MISSING 1e-13

static const double root_half = 0.70710678118654752;

enum { BLOCK = 8 }; /* samples at a time where a matrix is turned: what is read stays in the cache */

/* The even or odd part of a band's waves: w [columns][half] */
static void fold_waves(const struct segments *s, int band, int parity, int half, double *w)
{
	int columns = 2 * s->lines[band];
	for (int from = 0; from < half; from += BLOCK)
		for (int i = 0; i < columns; i++)
			for (int t = from; t < half && t < from + BLOCK; t++) {
				int other = s->L - 1 - t;
				const real *wave = s->wave + s->first[band] + i;
				double a = (double)wave[(size_t)t * (size_t)s->width],
				       b = (double)wave[(size_t)other * (size_t)s->width];
				double middle = parity == ODD ? 0 : a;
				w[(size_t)i * (size_t)half + (size_t)t] =
					t == other ? middle : root_half * (parity == ODD ? a - b : a + b);
			}
}

/* to [n][size] = x [columns][n] turned, the rest of the columns 0 */
static void turn_to(const double *x, int columns, size_t n, real *to, int size)
{
	for (size_t from = 0; from < n; from += BLOCK)
		for (int i = 0; i < size; i++)
			for (size_t t = from; t < n && t < from + BLOCK; t++)
				to[t * (size_t)size + (size_t)i] =
					i < columns ? (real)x[(size_t)i * n + t] : 0;
}

/* Columns l [returned][half] with the sum of l l^T = that of w w^T: Cholesky's, in the order of
 * what is still missing. */
static int factor(const double *w, int columns, int half, double *l)
{
	size_t n = (size_t)half;
	double *missing = NEW_ARRAY(double, n), largest = 0;
	int made = 0;
	for (size_t i = 0; i < (size_t)columns; i++)
		for (size_t t = 0; t < n; t++)
			missing[t] += w[i * n + t] * w[i * n + t];
	while (made < columns && made < half) {
		size_t at = 0;
		for (size_t t = 1; t < n; t++)
			at = missing[t] > missing[at] ? t : at;
		largest = made ? largest : missing[at];
		if (!(missing[at] > MISSING * largest))
			break;
		double *to = l + (size_t)made * n, root = sqrt(missing[at]);
		memset(to, 0, n * sizeof *to);
		for (size_t i = 0; i < (size_t)columns; i++)
			for (size_t t = 0; t < n; t++)
				to[t] += w[i * n + at] * w[i * n + t];
		for (size_t i = 0; i < (size_t)made; i++) {
			double factor = l[i * n + at];
			for (size_t t = 0; t < n; t++)
				to[t] -= factor * l[i * n + t];
		}
		for (size_t t = 0; t < n; t++) {
			to[t] /= root;
			missing[t] -= to[t] * to[t];
		}
		missing[at] = 0;
		made++;
	}
	free(missing);
	return made;
}

static bool worth_while(int columns, int half, double work)
{
	return (double)columns * half * (columns < half ? columns : half) / 4 <= work;
}

struct condensed *condense(const struct segments *s, double work)
{
	int half = (s->L + 1) / 2, columns = 0;
	size_t n = (size_t)half, numbers = 0;
	for (int b = 0; b < s->bands; b++)
		columns = columns > 2 * s->lines[b] ? columns : 2 * s->lines[b];
	double *w = NEW_ARRAY(double, (size_t)columns *n), *l = NEW_ARRAY(double, (size_t)columns *n);
	struct condensed *c = NEW(struct condensed);
	*c = (struct condensed){.L = s->L, .hop = s->hop, .bands = s->bands, .half = half};
	for (int b = 0; b < s->bands; b++) {
		c->lines[b] = s->lines[b];
		for (int parity = 0; parity < PARITIES; parity++) {
			fold_waves(s, b, parity, half, w);
			bool fewer = worth_while(2 * s->lines[b], half, work);
			int made = fewer ? factor(w, 2 * s->lines[b], half, l) : 2 * s->lines[b],
			    size = whole_vectors(made);
			c->size[b][parity] = size;
			c->first[b][parity] = numbers;
			c = mem_grow(c, 1, sizeof *c + (numbers + n * (size_t)size) * sizeof(real));
			turn_to(fewer ? l : w, made, n, c->wave + numbers, size);
			numbers += n * (size_t)size;
		}
		int both = c->size[b][EVEN] + c->size[b][ODD];
		c->most = both > c->most ? both : c->most;
	}
	free(w);
	free(l);
	return c;
}

void condensed_fold(const struct condensed *c, const real *x, int W, const int *column, int V, real *folded)
{
	size_t L = (size_t)c->L, half = (size_t)c->half, w = (size_t)W;
	const real root = (real)root_half;
	for (int v = 0; v < V; v++) {
		const real *y = x + column[v];
		real mean = 0, *even = folded + (size_t)v * half, *odd = even + (size_t)V * half;
		for (size_t t = 0; t < L; t++)
			mean += y[t * w];
		mean /= (real)c->L;
		for (size_t t = 0; t < L / 2; t++) {
			real a = y[t * w] - mean, b = y[(L - 1 - t) * w] - mean;
			even[t] = root * (a + b);
			odd[t] = root * (a - b);
		}
		if (L % 2) {
			even[half - 1] = y[(half - 1) * w] - mean;
			odd[half - 1] = 0;
		}
	}
}

void condensed_fold_changing(
	const struct condensed *c, const real *x, int W, const int *column, int V, real *folded)
{
	size_t half = (size_t)c->half;
	condensed_fold(c, x, W, column, V, folded);
	for (int v = 0; v < V; v++)
		for (int parity = 0; column_flat(x, c->L, W, column[v]) && parity < PARITIES; parity++)
			memset(folded + ((size_t)parity * (size_t)V + (size_t)v) * half, 0,
				half * sizeof *folded);
}

/* parts [V][returned]: what the columns of a band make of each channel */
static int project(const struct condensed *c, int band, const real *folded, int V, real *parts)
{
	size_t half = (size_t)c->half;
	int both = c->size[band][EVEN] + c->size[band][ODD];
	for (int parity = 0; parity < PARITIES; parity++) {
		int size = c->size[band][parity];
		product(V, size, c->half,
			(struct product_left){folded + (size_t)parity * (size_t)V * half, half, 1},
			c->wave + c->first[band][parity], (size_t)size,
			parts + (parity == ODD ? c->size[band][EVEN] : 0), (size_t)both, FROM_ZERO, NULL);
	}
	return both;
}

void condensed_products(const struct condensed *c, int band, const real *folded, int V, real *parts, real *C)
{
	int both = project(c, band, folded, V, parts);
	row_products(V, V, both, parts, (size_t)both, parts, (size_t)both, C, (size_t)V);
	for (int i = 0; i < V * V; i++)
		C[i] /= (real)c->lines[band];
}

void condensed_powers(const struct condensed *c, int band, const real *folded, int V, real *parts, real *P)
{
	int both = project(c, band, folded, V, parts);
	for (int v = 0; v < V; v++) {
		const real *p = parts + (size_t)v * (size_t)both;
		row_products(1, 1, both, p, (size_t)both, p, (size_t)both, P + v, 1);
		P[v] /= (real)c->lines[band];
	}
}
