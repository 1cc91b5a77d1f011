/* The small matrix products against sums written out, in every shape a tile can have. */
#include "base/mem.h"
#include "base/rng.h"
#include "check.h"
#include "tensor/product.h"
#include "tensor/vector.h"

#include <stdbool.h>
#include <stdlib.h>

static const double tolerance = sizeof(real) == 4 ? 2e-6 : 1e-15; /* of a sum of k products below 1 */

static real *numbers(struct rng *r, int n)
{
	real *x = NEW_ARRAY(real, n);
	for (int i = 0; i < n; i++)
		x[i] = (real)(2 * rng_uniform(r) - 1);
	return x;
}

/* Largest difference of C [m][n] (rows ldc apart) from A B + start. */
static double difference(int m, int n, int k, bool transposed, enum product_start from, struct rng *r)
{
	int ldb = n + 3, ldc = n + 2, lda = transposed ? m + 1 : k + 1;
	real *a = numbers(r, (transposed ? k : m) * lda + 1), *b = numbers(r, k * ldb + 1),
	     *c = numbers(r, m * ldc), *before = NEW_ARRAY(real, m * ldc), *start = numbers(r, m);
	memcpy(before, c, (size_t)(m * ldc) * sizeof(real));
	struct product_left A = {a, transposed ? 1 : (size_t)lda, transposed ? (size_t)lda : 1};
	product(m, n, k, A, b, (size_t)ldb, c, (size_t)ldc, from, start);
	double worst = 0;
	for (int i = 0; i < m; i++)
		for (int j = 0; j < ldc; j++) {
			double sum = from == FROM_C      ? (double)before[i * ldc + j]
				     : from == FROM_ROWS ? (double)start[i]
							 : 0;
			for (int l = 0; l < k && j < n; l++)
				sum += (double)a[transposed ? l * lda + i : i * lda + l] *
				       (double)b[l * ldb + j];
			if (j >= n)
				sum = (double)before[i * ldc + j]; /* beyond a row: untouched */
			worst = fmax(worst, fabs(sum - (double)c[i * ldc + j]));
		}
	free(a);
	free(b);
	free(c);
	free(before);
	free(start);
	return worst;
}

static void products_of_every_shape(void)
{
	struct rng r = rng_stream(1, "product", 0, 0);
	double worst = 0;
	for (int m = 1; m <= 9; m++)
		for (int n = 1; n <= 6 * LANES + 1; n++)
			for (int i = 0; i < 6; i++)
				worst = fmax(
					worst, difference(m, n, 5, i % 2, (enum product_start)(i / 2), &r));
	CHECK_NEAR(worst, 0, 8 * tolerance);
}

static void long_sums(void)
{
	struct rng r = rng_stream(2, "product", 0, 0);
	for (int k = 0; k <= 300;
		k += 50) /* with columns that do not fill a vector, whose sums run in parts */
		for (int i = 0; i < 6; i++)
			CHECK_NEAR(difference(5, LANES + 3, k, i % 2, (enum product_start)(i / 2), &r), 0,
				300 * tolerance);
}

/* An element has the same bits in a product of one row and one column as in a larger one. */
static void bits_do_not_depend_on_the_shape(void)
{
	enum { M = 7, N = 5 * LANES + 3, K = 33 };
	struct rng r = rng_stream(3, "product", 0, 0);
	real *a = numbers(&r, M * K), *b = numbers(&r, K * N), c[M * N], one;
	product(M, N, K, (struct product_left){a, K, 1}, b, N, c, N, FROM_ZERO, NULL);
	int different = 0;
	for (int i = 0; i < M; i++)
		for (int j = 0; j < N; j++) {
			product(1, 1, K, (struct product_left){a + i * K, K, 1}, b + j, N, &one, 1, FROM_ZERO,
				NULL);
			different += memcmp(&one, &c[i * N + j], sizeof one) != 0;
		}
	CHECK(different == 0);
	free(a);
	free(b);
}

static void products_of_rows(void)
{
	enum { K = 5 * LANES };
	struct rng r = rng_stream(4, "product", 0, 0);
	real *x = numbers(&r, 5 * K), *y = numbers(&r, 9 * K), c[5 * 9];
	double worst = 0;
	for (int m = 1; m <= 5; m++)
		for (int n = 1; n <= 9; n++) {
			row_products(m, n, K, x, K, y, K, c, 9);
			for (int i = 0; i < m; i++)
				for (int j = 0; j < n; j++) {
					double sum = 0;
					for (int l = 0; l < K; l++)
						sum += (double)x[i * K + l] * (double)y[j * K + l];
					worst = fmax(worst, fabs(sum - (double)c[i * 9 + j]));
				}
		}
	CHECK_NEAR(worst, 0, 8 * tolerance);
	free(x);
	free(y);
}

static void transposing(void)
{
	real x[11 * 13], to[13 * 11];
	int wrong = 0;
	for (int i = 0; i < 11 * 13; i++)
		x[i] = (real)i;
	transpose(11, 13, x, 13, to, 11);
	add_transposed(11, 13, x, 13, to, 11);
	for (int i = 0; i < 11; i++)
		for (int j = 0; j < 13; j++)
			wrong += to[j * 11 + i] != 2 * x[i * 13 + j]; /* NOLINT: whole numbers */
	CHECK(wrong == 0);
}

int main(void)
{
	CASE(products_of_every_shape);
	CASE(long_sums);
	CASE(bits_do_not_depend_on_the_shape);
	CASE(products_of_rows);
	CASE(transposing);
	return check_done();
}
