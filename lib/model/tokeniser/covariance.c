/* covariance: a token is the covariance C of a region's channels in one band and stretch, as a point of a space in which distances
 * add up: C is shrunk towards the mean variance of its channels, (1 - a) C + a tr(C)/V I, then its matrix logarithm is taken (log-Euclidean
 * metric: Arsigny, Fillard, Pennec, Ayache 2007), and its upper triangle is read row by row, entries beside the diagonal times root 2,
 * so that lengths are kept (Barachant, Bonnet, Congedo, Jutten 2012).
 *
 * C is the real part of the sum of the cross-spectra of the band's lines (bands.h). V channels make V(V+1)/2 features: padding
 * has none. A band without any signal gives 0. Tokens are in the order of their stretches, the bands of a stretch one after the other; each
 * band is a kind of its own. */
#include "model/tokeniser/bands.h"

#include "base/error.h"

#include <math.h>
#include <string.h>

extern const struct tokeniser tokeniser_covariance;

/* Of symmetric matrices, from the LAPACK inside OpenBLAS. */
extern void ssyevd_(const char *job, const char *triangle, const int *n, float *a, const int *lda, float *w,
	float *work, const int *lwork, int *iwork, const int *liwork, int *info);
extern void dsyevd_(const char *job, const char *triangle, const int *n, double *a, const int *lda, double *w,
	double *work, const int *lwork, int *iwork, const int *liwork, int *info);
#ifdef REAL_DOUBLE
#define eigen dsyevd_
#else
#define eigen ssyevd_
#endif

/* Of the mean variance; what is below is rounding. */
#define LEAST REAL(1e-6)

static int kinds(const struct config *c)
{
	return c->encoder.bands.n;
}

static int present(const struct region *r)
{
	int V = 0;
	for (int j = 0; j < r->width; j++)
		V += r->channel[j] >= 0;
	return V;
}

static int size(const struct config *c, int T, double rate, const struct region *r, int *n, int *D)
{
	int V = present(r), stretches;
	if (bands_size(c, T, rate, &stretches))
		return -1;
	if (V > 256)
		return err_set(EX_CONFIG,
			"encoder.tokens=covariance: region %s has %d channels, which makes %d features a "
			"token; cut "
			"into smaller regions",
			r->name, V, V * (V + 1) / 2);
	*n = stretches * c->encoder.bands.n;
	*D = V * (V + 1) / 2;
	return 0;
}

static int count(const struct config *c, int T, double rate, int samples)
{
	return bands_count(c, T, rate, samples) * c->encoder.bands.n;
}

static void *prepare(const struct config *c, int T, double rate)
{
	return bands_prepare(c, T, rate, c->encoder.tapers);
}

/* C [V][V] of rows 2 * first .. 2 * last - 1 of part [..][W]; columns j that are there */
static void covary(
	const struct stretches *s, int band, const real *part, const struct region *r, int V, real *C)
{
	size_t w = (size_t)r->width, v = (size_t)V;
	real scale = 1 / (real)(s->last[band] - s->first[band]), row[256];
	memset(C, 0, v * v * sizeof *C);
	for (size_t i = 2 * (size_t)s->first[band]; i < 2 * (size_t)s->last[band]; i++) {
		size_t n = 0;
		for (size_t j = 0; j < w; j++)
			if (r->channel[j] >= 0)
				row[n++] = part[i * w + j];
		for (size_t a = 0; a < v; a++)
			for (size_t b = a; b < v; b++)
				C[a * v + b] += scale * row[a] * row[b];
	}
}

/* Shrinks C, whose upper triangle is given, and fills the rest; false without any signal. */
static bool shrink(real *C, int V, real share)
{
	size_t v = (size_t)V;
	real mean = 0;
	for (size_t a = 0; a < v; a++)
		mean += C[a * v + a] / (real)V;
	if (!(mean > REAL(1e-12)))
		return false;
	for (size_t a = 0; a < v; a++)
		for (size_t b = a; b < v; b++) {
			C[a * v + b] = C[a * v + b] * (1 - share) + (a == b ? share * mean : 0);
			C[b * v + a] = C[a * v + b];
		}
	return true;
}

/* out [V(V+1)/2] of C [V][V], row by row */
static void triangle(const real *C, int V, real *out)
{
	for (int a = 0; a < V; a++)
		for (int b = a; b < V; b++)
			*out++ = C[a * V + b] * (a == b ? 1 : REAL(1.41421356237309505));
}

/* out [V(V+1)/2] of the logarithm of C [V][V], which is lost */
static void logarithm(real *C, int V, real *out, struct arena *scratch)
{
	int lwork = 1 + 6 * V + 2 * V * V, liwork = 3 + 5 * V, info;
	size_t v = (size_t)V;
	real *w = arena_take(scratch, v * sizeof *w),
	     *work = arena_take(scratch, (size_t)lwork * sizeof *work);
	int *iwork = arena_take(scratch, (size_t)liwork * sizeof *iwork);
	real mean = 0;
	for (size_t a = 0; a < v; a++)
		mean += C[a * v + a] / (real)V;
	eigen("V", "L", &V, C, &V, w, work, &lwork, iwork, &liwork, &info);
	must(info == 0); /* of finite numbers it always finds them */
	for (size_t k = 0; k < v; k++)
		w[k] = (real)log((double)(w[k] > LEAST * mean ? w[k] : LEAST * mean));
	real *log_C = arena_take(scratch, v * v * sizeof *log_C);
	for (size_t a = 0; a < v; a++) /* eigenvector k is row k of C now */
		for (size_t b = a; b < v; b++) {
			real sum = 0;
			for (size_t k = 0; k < v; k++)
				sum += w[k] * C[k * v + a] * C[k * v + b];
			log_C[a * v + b] = sum;
		}
	triangle(log_C, V, out);
}

static void features(const struct config *c, const void *prepared, const real *x, int T, double rate,
	const struct region *r, real *out, struct arena *scratch)
{
	const struct stretches *s = prepared;
	size_t w = (size_t)r->width;
	int V = present(r);
	size_t D = (size_t)V * (size_t)(V + 1) / 2;
	real *part = arena_take(scratch, 2 * (size_t)s->lines * w * sizeof(real));
	real *C = arena_take(scratch, (size_t)V * (size_t)V * sizeof *C);
	bool *silent = arena_take(scratch, w * sizeof *silent);
	(void)rate;
	for (int at = 0; at + s->L <= T; at += s->hop) {
		bands_transform(s, x + (size_t)at * w, r->width, part, silent, scratch);
		for (int b = 0; b < s->bands; b++, out += D) {
			covary(s, b, part, r, V, C);
			if (!shrink(C, V, (real)c->encoder.shrinkage))
				memset(out, 0, D * sizeof *out);
			else if (c->encoder.matrix == MATRIX_LOG)
				logarithm(C, V, out, scratch);
			else
				triangle(C, V, out);
		}
	}
}

const struct tokeniser tokeniser_covariance = {"covariance", true, kinds, size, count, prepare, features};
