#include "tensor/slab.h"

#include "tensor/vector.h"

#include <float.h>

#ifdef REAL_DOUBLE
#define LARGEST DBL_MAX
#else
#define LARGEST FLT_MAX
#endif

VECTOR_CLONES
double slab_squares(const real *x, size_t n)
{
	enum { PARTS = 32 };
	double part[PARTS] = {0};
	size_t i = 0;
	for (; i + PARTS <= n; i += PARTS)
		for (size_t j = 0; j < PARTS; j++)
			part[j] += (double)x[i + j] * (double)x[i + j];
	for (size_t j = 0; i + j < n; j++)
		part[j] += (double)x[i + j] * (double)x[i + j];
	for (size_t width = PARTS / 2; width; width /= 2)
		for (size_t j = 0; j < width; j++)
			part[j] += part[j + width];
	return part[0];
}

VECTOR_CLONES
void slab_scale(real *x, size_t n, real factor)
{
	for (size_t i = 0; i < n; i++)
		x[i] *= factor;
}

VECTOR_CLONES
void slab_add(real *restrict sum, const real *restrict x, size_t n)
{
	for (size_t i = 0; i < n; i++)
		sum[i] += x[i];
}

VECTOR_CLONES
bool slab_finite(const real *x, size_t n)
{
	int bad = 0;
	for (size_t i = 0; i < n; i++)
		bad |= !(x[i] <= LARGEST && x[i] >= -LARGEST);
	return !bad;
}
