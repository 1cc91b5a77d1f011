/* separable: a token is the mean, over a segment, of filters that are learned: F = encoder.filters
 * filters over time, each on a map of its own of the region's columns to one signal, and then the
 * exponential linear unit (after the first block of EEGNet, Lawhern et al. 2018; the encoder's
 * projection and layers stand in the place of its second). The mean of a signal keeps its sign: it
 * shows what always comes at the same time of a window, which a power loses.
 *
 * In the place of a normalisation over the batch, filters start such that samples of deviation 1
 * give signals of about as much; so an answer depends on no other window. */
#include "model/tokeniser/filters.h"

#include "model/tokeniser/bands.h"
#include "tensor/ops.h"

extern const struct tokeniser tokeniser_separable;

static int declare(
	const struct config *c, double rate, const struct region *r, struct tensor_plan plan[TOKEN_TENSORS])
{
	int F = c->encoder.filters, K = filters_taps(c, rate), W = r->width;
	plan[0] = (struct tensor_plan){"temporal.weight", 2, F, K, START_FAN_IN, K / 3.0};
	plan[1] = (struct tensor_plan){"spatial.weight", 2, F, W, START_FAN_IN, W / 3.0};
	plan[2] = (struct tensor_plan){"spatial.bias", 1, F, 0, START_CONSTANT, 0};
	return 3;
}

static struct node *learned(const struct config *c, struct tape *t, const real *x, int B, int T, double rate,
	const struct region *r, int n, const struct weight w[TOKEN_TENSORS])
{
	struct separable_shape p = {.rows = T,
		.width = r->width,
		.filters = c->encoder.filters,
		.taps = filters_taps(c, rate),
		.n = n};
	bands_cut(c, T, rate, &p.length, &p.hop);
	return op_separable(t, x, B, &p, w[0], w[1], w[2]);
}

const struct tokeniser tokeniser_separable = {.name = "separable",
	.keys = "encoder.window|encoder.hop|encoder.filters|encoder.kernel",
	.size = filters_size,
	.count = bands_count,
	.declare = declare,
	.learned = learned};
