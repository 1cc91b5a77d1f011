#include "tensor/symmetric.h"

#include "base/mem.h"
#include "tensor/vector.h"

#include <math.h>
#include <stdlib.h>

enum { ROWS = 4 }; /* at a time */

/* G [n][n] += sign * the outer products of ROWS rows with themselves, upper triangle from row and
 * column `from` on. */
VECTOR_CLONES
static void add_outer(size_t n, size_t from, const double *const row[ROWS], double sign, double *G)
{
	for (size_t i = from; i < n; i++) {
		double a = sign * row[0][i], b = sign * row[1][i], c = sign * row[2][i], d = sign * row[3][i];
		double *g = G + i * n;
		for (size_t j = i; j < n; j++)
			g[j] += a * row[0][j] + b * row[1][j] + c * row[2][j] + d * row[3][j];
	}
}

/* Not by OpenBLAS: its products of doubles were seen to go wrong when several threads of moe-cv
 * were at work. */
void gram_add(bool rows, int r, int c, const double *A, int n, double *G)
{
	size_t count = (size_t)(rows ? c : r), N = (size_t)n;
	double *zero = NEW_ARRAY(double, N), *turned = rows ? NEW_ARRAY(double, count *N) : NULL;
	for (size_t i = 0; i < N && rows; i++)
		for (size_t k = 0; k < count; k++)
			turned[k * N + i] = A[i * count + k];
	const double *from = rows ? turned : A;
	for (size_t k = 0; k < count; k += ROWS) {
		const double *row[ROWS];
		for (size_t i = 0; i < ROWS; i++)
			row[i] = k + i < count ? from + (k + i) * N : zero;
		add_outer(N, 0, row, 1, G);
	}
	free(turned);
	free(zero);
}

/* Cholesky, some rows at a time: U of G = U^T U; false when G is not definite. */
static bool factor(size_t n, double *G)
{
	double *zero = NEW_ARRAY(double, n);
	bool definite = true;
	for (size_t j = 0; j < n && definite; j += ROWS) {
		const double *row[ROWS] = {zero, zero, zero, zero};
		for (size_t p = j; p < n && p < j + ROWS && definite; p++) {
			definite = G[p * n + p] > 0;
			double root = sqrt(definite ? G[p * n + p] : 1);
			for (size_t k = p; k < n; k++)
				G[p * n + k] /= root;
			for (size_t i = p + 1; i < n && i < j + ROWS; i++)
				for (size_t k = i; k < n; k++)
					G[i * n + k] -= G[p * n + i] * G[p * n + k];
			row[p - j] = G + p * n;
		}
		add_outer(n, j + ROWS, row, -1, G);
	}
	free(zero);
	return definite;
}

bool solve_definite(int n, double *G, int m, double *B)
{
	size_t N = (size_t)n;
	if (!factor(N, G))
		return false;
	for (int r = 0; r < m; r++) {
		double *x = B + (size_t)r * N;
		for (size_t j = 0; j < N; j++) {
			x[j] /= G[j * N + j];
			for (size_t k = j + 1; k < N; k++)
				x[k] -= G[j * N + k] * x[j];
		}
		for (size_t j = N; j-- > 0;) {
			for (size_t k = j + 1; k < N; k++)
				x[j] -= G[j * N + k] * x[k];
			x[j] /= G[j * N + j];
		}
	}
	return true;
}
