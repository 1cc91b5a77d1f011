/* Tokenisers: what a token is. A tokeniser turns the scaled samples of one window and region into n
 * rows of features, which a learned linear projection (experts.<k>.input_projection) turns into
 * tokens of width H.
 *
 *     x [T][W]  --features-->  [n][D]  --standardised-->  --projection-->  [n][H]
 *
 * Features of tokens that are sums over a segment (bands) are standardised by the training windows,
 * kind by kind: row i is of kind i mod kinds. Where there are several kinds each has a projection
 * of its own.
 *
 * Features may come of filters that are trained with all the rest: such a tokeniser has declare()
 * and learned() in the place of features().
 *
 * One file each in tokeniser/, entered by one line of tokenisers.h.
 */
#ifndef MODEL_TOKENISER_H
#define MODEL_TOKENISER_H

#include "base/mem.h"
#include "base/real.h"
#include "format/layout.h"
#include "moe/setting.h"
#include "moe/tensor_plan.h"
#include "tensor/tape.h"

enum { TOKEN_TENSORS = 3 };

struct config;

struct tokeniser {
	const char *name;
	const char *
		keys; /* configuration keys, "encoder.bands|encoder.x", that have an effect with it and with others only
			     where these list them, too; NULL: none */
	const struct setting *settings; /* keys of its own, or NULL; config_own tells their values */
	bool unsigned_features;         /* that do not change when the sign of all samples is turned */
	bool standardised;              /* by the features' mean and deviation in training */
	double ridge;                   /* how many times train.ridge the map of its features has; 0: once */
	/* Features that need a scale learned from the training windows are made in two steps, so
	 * that those windows are read once: raw() makes [n][D] of a window without the scale;
	 * power() takes from the first rows of that the powers [kinds] of one window, whose mean
	 * over the training windows is the scale; finish() turns rows of raw() into features, in
	 * place. NULL, all three: there is features(), which needs no scale. */
	void (*raw)(const struct config *, const void *prepared, const real *x, int T, double rate,
		const struct region *, real *out, struct arena *scratch);
	void (*power)(const struct config *, const real *raw, int rows, const struct region *, real *power);
	void (*finish)(const struct config *, const real *scale, int rows, const struct region *, real *x,
		struct arena *scratch);
	/* Kinds of rows; NULL: one. */
	int (*kinds)(const struct config *);
	/* Rows and features for windows of T samples at `rate` Hz of this region. -1 with an error
	 * when they do not fit. */
	int (*size)(const struct config *, int T, double rate, const struct region *, int *n, int *D);
	/* Rows of a window of T of which only the first samples are there: those that see nothing
	 * of the rest. */
	int (*count)(const struct config *, int T, double rate, int samples);
	/* What is computed once for a model (tables), or NULL; freed with free(). */
	void *(*prepare)(const struct config *, int T, double rate);
	/* out [n][D] from x [T][W]; scratch is for buffers and is reset by the caller. Numbers that
	 * are not there (of a flat channel) are 0. */
	void (*features)(const struct config *, const void *prepared, const real *x, int T, double rate,
		const struct region *, real *out, struct arena *scratch);
	/* Its trained tensors in a region (experts.<k>.tokens.<name>), whose number is returned;
	 * NULL: none. */
	int (*declare)(const struct config *, double rate, const struct region *,
		struct tensor_plan plan[TOKEN_TENSORS]);
	/* The features [B*n][D] of B windows x [B][T][W], which lives as long as the tape: the
	 * first n rows of each. */
	struct node *(*learned)(const struct config *, struct tape *, const real *x, int B, int T,
		double rate, const struct region *, int n, const struct weight w[TOKEN_TENSORS]);
};

extern const struct tokeniser *const tokeniser_table[]; /* ends with NULL */

int tokeniser_find(const char *name); /* its row in the table, or -1 */
int tokeniser_kinds(const struct tokeniser *, const struct config *);
/* out [n][D]: the features of a window x [T][W], in one step or two; scale [kinds], or NULL: the
 * scale is 1. */
void tokeniser_features(const struct tokeniser *, const struct config *, const void *prepared,
	const real *scale, const real *x, int T, double rate, const struct region *, real *out,
	struct arena *scratch);
/* Of n rows, how many are of the same kind as row i. */
int tokeniser_rows_alike(int n, int kinds, int i);

#endif
