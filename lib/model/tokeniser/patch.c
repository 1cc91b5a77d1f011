/* patch: P = encoder.patch consecutive samples are a token, its features their P * W values, sample
 * by sample. What is left at the end of a window (T mod P samples) belongs to no token. */
#include "base/error.h"
#include "model/config.h"
#include "model/tokeniser.h"

#include <string.h>

extern const struct tokeniser tokeniser_patch;

static int size(const struct config *c, int T, double rate, const struct region *r, int *n, int *D)
{
	int P = c->encoder.patch;
	(void)rate;
	if (P > T)
		return err_set(EX_CONFIG, "encoder.patch: %d samples do not fit a window of %d", P, T);
	*n = T / P;
	*D = P * r->width;
	return 0;
}

static int count(const struct config *c, int T, double rate, int samples)
{
	(void)T;
	(void)rate;
	return samples / c->encoder.patch;
}

static void features(const struct config *c, const void *prepared, const real *x, int T, double rate,
	const struct region *r, real *out, struct arena *scratch)
{
	int P = c->encoder.patch;
	(void)prepared;
	(void)rate;
	(void)scratch;
	memcpy(out, x, (size_t)(T / P * P) * (size_t)r->width * sizeof *out);
}

const struct tokeniser tokeniser_patch = {
	.name = "patch", .keys = "encoder.patch", .size = size, .count = count, .features = features};
