/* The products of tensor/product.h with vectors twice as wide, on processors that have them
 * (x86-64-v4: AVX-512). Each element is the same sum in the same order, so the bits are those of
 * the narrow ones on a processor that fuses multiply and add. */
#ifndef TENSOR_PRODUCT_WIDE_H
#define TENSOR_PRODUCT_WIDE_H

#include "tensor/product.h"

#include <stdbool.h>

bool product_has_wide(void);
/* The first columns of C, those that fill whole vectors of tensor/vector.h: n is a multiple of
 * LANES. */
void product_wide(int m, int n, int k, struct product_left A, const real *B, size_t ldb, real *C, size_t ldc,
	enum product_start, const real *start);

#endif
