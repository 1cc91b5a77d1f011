/* How probable it is that noise drawn again would choose an entry. */
#include "tensor/ops.h"

#include <math.h>

struct saved {
	int k;
	real noise_std;
	const int *bar; /* [rows][n] the entry each one has to pass */
};

static const real least = (real)1e-6; /* deviation of the noise */

static real softplus(real x)
{
	return x > 0 ? x + (real)log1p(exp(-(double)x)) : (real)log1p(exp((double)x));
}

/* of the noise on entry i; scale NULL: the same for all */
static real deviation(const struct saved *s, const struct node *scale, size_t i)
{
	real d = scale ? s->noise_std * softplus(scale->x[i]) : s->noise_std;
	return d > least ? d : least;
}

/* The k-th largest of x [n] but for entry i; of equals the first is larger. */
static int bar_of(const real *x, int n, int k, int i)
{
	for (int j = 0; j < n; j++) {
		int ahead = 0;
		for (int m = 0; m < n; m++)
			ahead += m != i && (x[m] > x[j] || (!(x[m] < x[j]) && m < j));
		if (j != i && ahead == k - 1)
			return j;
	}
	return i;
}

/* u = (z - bar) / d:  dz = phi(u) / d dy;  dbar = -that;  dd = -phi(u) u / d dy,  and d' =
 * noise_std sigmoid(scale) */
static void backward(struct tape *t, struct node *y)
{
	const struct saved *s = y->saved;
	struct node *z = y->in[0], *noisy = y->in[1], *scale = y->inputs > 2 ? y->in[2] : NULL;
	size_t n = (size_t)y->cols;
	(void)t;
	for (size_t i = 0; i < (size_t)y->rows * n; i++) {
		size_t bar = i / n * n + (size_t)s->bar[i];
		real d = deviation(s, scale, i), u = (z->x[i] - noisy->x[bar]) / d;
		real phi = (real)(0.39894228040143267794 * exp(-0.5 * (double)u * (double)u));
		real slope = y->g[i] * phi / d;
		z->g[i] += slope;
		noisy->g[bar] -= slope;
		if (scale && d > least)
			scale->g[i] -= slope * u * s->noise_std * (real)(1 / (1 + exp(-(double)scale->x[i])));
	}
}

struct node *op_load(
	struct tape *t, struct node *z, struct node *noisy, struct node *scale, real noise_std, int k)
{
	struct node *y =
		tape_node(t, z->rows, z->cols, scale ? 3 : 2, (struct node *[]){z, noisy, scale}, backward);
	int n = z->cols, *bar = tape_take(t, (size_t)z->rows * (size_t)n * sizeof *bar);
	struct saved *s = y->saved = tape_take(t, sizeof *s);
	*s = (struct saved){k, noise_std, bar};
	for (int r = 0; r < z->rows; r++)
		for (int e = 0; e < n; e++) {
			int i = r * n + e;
			bar[i] = bar_of(noisy->x + r * n, n, k, e);
			double u = (double)((z->x[i] - noisy->x[r * n + bar[i]]) /
					    deviation(s, scale, (size_t)i));
			y->x[i] = (real)(0.5 * erfc(-u * 0.70710678118654752440));
		}
	return y;
}
