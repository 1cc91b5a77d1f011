/* sample: every sample is a token, its features are the region's channels. */
#include "model/tokeniser.h"

#include <string.h>

extern const struct tokeniser tokeniser_sample;

static int size(const struct config *c, int T, double rate, const struct region *r, int *n, int *D)
{
	(void)c;
	(void)rate;
	*n = T;
	*D = r->width;
	return 0;
}

static int count(const struct config *c, int T, double rate, int samples)
{
	(void)c;
	(void)T;
	(void)rate;
	return samples;
}

static void features(const struct config *c, const void *prepared, const real *x, int T, double rate,
	const struct region *r, real *out, struct arena *scratch)
{
	(void)c;
	(void)prepared;
	(void)rate;
	(void)scratch;
	memcpy(out, x, (size_t)T * (size_t)r->width * sizeof *out);
}

const struct tokeniser tokeniser_sample = {
	.name = "sample", .size = size, .count = count, .features = features};
