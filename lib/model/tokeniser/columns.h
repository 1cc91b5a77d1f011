/* Columns of a region that are channels: padding has none of a tokeniser's features. */
#ifndef MODEL_TOKENISER_COLUMNS_H
#define MODEL_TOKENISER_COLUMNS_H

#include "base/real.h"
#include "format/layout.h"

/* column [V], which may be NULL; returns V. */
int columns_present(const struct region *, int *column);
/* Whether all L samples of column c of x [L][W] are the same. */
bool column_flat(const real *x, int L, int W, int c);
/* Numbers beyond any amplifier are held at 1e30, either sign. A NaN, which infinite ones leave,
 * becomes the least. */
real column_held(real x);

#endif
