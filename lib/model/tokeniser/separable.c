/* separable: a token is the mean, over a segment, of filters that are learned: F = encoder.filters
 * filters over time, each on a map of its own of the region's columns to one signal, and the
 * exponential linear unit of what they give (Lawhern et al. 2018, EEGNet's first block; the
 * encoder's projection and layers are in the place of its second). The mean of a signal keeps its
 * sign: what always comes at the same time of a window stays, where a power loses it.
 *
 * In the place of a normalisation over the batch, filters start such that samples of deviation 1
 * give signals of about as much; so an answer depends on nothing but the window. */
#include "model/tokeniser/bands.h"

#include "base/error.h"
#include "tensor/ops.h"

#include <math.h>

extern const struct tokeniser tokeniser_separable;

static int taps(const struct config *c, double rate)
{
	long n = lround(c->encoder.kernel * rate);
	return n < 1 ? 1 : (int)n;
}

static int size(const struct config *c, int T, double rate, const struct region *r, int *n, int *D)
{
	int L, hop;
	(void)r;
	bands_cut(c, T, rate, &L, &hop);
	if (L > T || taps(c, rate) > L)
		return err_set(EX_CONFIG,
			"encoder.kernel: %d samples do not fit a token's stretch of %d (encoder.window)",
			taps(c, rate), L > T ? T : L);
	*n = 1 + (T - L) / hop;
	*D = c->encoder.filters;
	return 0;
}

static int declare(
	const struct config *c, double rate, const struct region *r, struct tensor_plan plan[TOKEN_TENSORS])
{
	int F = c->encoder.filters, K = taps(c, rate), W = r->width;
	plan[0] = (struct tensor_plan){"temporal.weight", 2, F, K, START_FAN_IN, K / 3.0};
	plan[1] = (struct tensor_plan){"spatial.weight", 2, F, W, START_FAN_IN, W / 3.0};
	plan[2] = (struct tensor_plan){"spatial.bias", 1, F, 0, START_CONSTANT, 0};
	return 3;
}

static struct node *learned(const struct config *c, struct tape *t, const real *x, int B, int T, double rate,
	const struct region *r, int n, const struct weight w[TOKEN_TENSORS])
{
	struct separable_shape p = {
		.rows = T, .width = r->width, .filters = c->encoder.filters, .taps = taps(c, rate), .n = n};
	bands_cut(c, T, rate, &p.length, &p.hop);
	return op_separable(t, x, B, &p, w[0], w[1], w[2]);
}

const struct tokeniser tokeniser_separable = {.name = "separable",
	.keys = "encoder.window|encoder.hop|encoder.filters|encoder.kernel",
	.size = size,
	.count = bands_count,
	.declare = declare,
	.learned = learned};
