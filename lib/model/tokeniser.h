/* Tokenisers: what a token is. A tokeniser turns the scaled samples of one window and region into n rows of features, which a
 * learned linear projection (experts.<k>.input_projection) turns into tokens of width H.
 *
 *     x [T][W]  --features-->  [n][D]  --projection-->  [n][H]
 *
 * One file each in tokeniser/, entered by one line of the table in tokeniser.c.
 */
#ifndef MODEL_TOKENISER_H
#define MODEL_TOKENISER_H

#include "base/mem.h"
#include "base/real.h"

struct config;

struct tokeniser {
	const char *name;
	/* Rows and features for windows of T samples at `rate` Hz and W columns. -1 with an error when they do not fit. */
	int (*size)(const struct config *, int T, double rate, int W, int *n, int *D);
	/* Rows of a window of T of which only the first samples are there: those that see nothing of the rest. */
	int (*count)(const struct config *, int T, double rate, int samples);
	/* What is computed once for a model (tables), or NULL; freed with free(). */
	void *(*prepare)(const struct config *, int T, double rate);
	/* out [n][D] from x [T][W]; scratch is for buffers and is reset by the caller. */
	void (*features)(const struct config *, const void *prepared, const real *x, int T, double rate,
		int W, real *out, struct arena *scratch);
};

extern const struct tokeniser *const tokeniser_table[]; /* ends with NULL */

#endif
