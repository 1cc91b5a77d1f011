#include "tensor/softmax.h"

#include "tensor/vector.h"

static real largest(const real *x, int n)
{
	real top = x[0];
	for (int i = 1; i < n; i++)
		top = x[i] > top ? x[i] : top;
	return top;
}

/* e^((x - top) scale), n < LANES of them; beyond them 0 */
INLINE vec last(const real *x, int n, real top, real scale)
{
	vec v = {0};
	for (int i = 0; i < n; i++)
		v[i] = x[i];
	v = v_exp((v - V_SPLAT(top)) * V_SPLAT(scale));
	for (int i = n; i < LANES; i++)
		v[i] = 0;
	return v;
}

VECTOR_CLONES
real row_exponentials(const real *x, int n, real temperature, real *y)
{
	real top = largest(x, n), scale = 1 / temperature;
	vec sum = {0};
	int i = 0;
	for (; i + LANES <= n; i += LANES) {
		vec e = v_exp((V_LOAD(x + i) - V_SPLAT(top)) * V_SPLAT(scale));
		V_STORE(y + i, e);
		sum += e;
	}
	if (i < n) {
		vec e = last(x + i, n - i, top, scale);
		sum += e;
		for (int j = 0; i + j < n; j++)
			y[i + j] = e[j];
	}
	return v_sum(sum);
}

VECTOR_CLONES
double log_sum_exp(const real *x, int n)
{
	real top = largest(x, n);
	vec sum = {0};
	int i = 0;
	for (; i + LANES <= n; i += LANES)
		sum += v_exp(V_LOAD(x + i) - V_SPLAT(top));
	if (i < n)
		sum += last(x + i, n - i, top, 1);
	return (double)top + log((double)v_sum(sum));
}
