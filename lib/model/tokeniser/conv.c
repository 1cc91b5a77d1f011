/* conv: a token is the log power, over a segment, of filters that are learned: F = encoder.filters
 * filters over time, shared by the region's columns, and as many maps of what they give, column by
 * column, to one signal each; its square's mean over the segment and the logarithm of that are a
 * feature (Schirrmeister et al. 2017, the shallow network, without its normalisation of a batch).
 * Padding is 0 and adds nothing.
 *
 * Filters start such that samples of deviation 1 give signals of about as much. */
#include "model/tokeniser/filters.h"

#include "model/tokeniser/bands.h"
#include "tensor/ops.h"

extern const struct tokeniser tokeniser_conv;

static int declare(
	const struct config *c, double rate, const struct region *r, struct tensor_plan plan[TOKEN_TENSORS])
{
	int F = c->encoder.filters, K = filters_taps(c, rate), maps = F * r->width;
	plan[0] = (struct tensor_plan){"temporal.weight", 2, F, K, START_FAN_IN, K / 3.0};
	plan[1] = (struct tensor_plan){"spatial.weight", 2, F, maps, START_FAN_IN, maps / 3.0};
	return 2;
}

static struct node *learned(const struct config *c, struct tape *t, const real *x, int B, int T, double rate,
	const struct region *r, int n, const struct weight w[TOKEN_TENSORS])
{
	struct power_shape p = {.rows = T,
		.width = r->width,
		.filters = c->encoder.filters,
		.taps = filters_taps(c, rate),
		.outputs = c->encoder.filters,
		.n = n};
	bands_cut(c, T, rate, &p.length, &p.hop);
	return op_log_power(t, x, B, &p, w[0], w[1]);
}

const struct tokeniser tokeniser_conv = {.name = "conv",
	.keys = "encoder.window|encoder.hop|encoder.filters|encoder.kernel",
	.unsigned_features = true,
	.size = filters_size,
	.count = bands_count,
	.declare = declare,
	.learned = learned};
