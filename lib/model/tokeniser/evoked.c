/* evoked: what is locked to the start of a window: the samples of each channel less their mean over
 * the window, averaged over blocks of encoder.block seconds. The averages are the low-pass: a
 * block of .15 s passes a half at 4 Hz and nothing at 6.7 Hz. A window is one token, so that a
 * linear map of it sees the course; what is left at its end (T mod P samples of a block of P)
 * counts for the mean alone. Feature b V + v belongs to block b and channel v; padding has none. */
#include "model/tokeniser/columns.h"

#include "base/error.h"
#include "model/config.h"
#include "model/tokeniser.h"

#include <math.h>

extern const struct tokeniser tokeniser_evoked;

static const struct setting own[] = {{"encoder.block", "0.15", 0.0001, 10000, false,
					     "length of the blocks over which samples are averaged, in "
					     "seconds"},
	{0}};

/* Samples of a block, T at most */
static int block_of(const struct config *c, int T, double rate)
{
	int P = (int)lround(fmin(config_own(c, &own[0]) * rate, T));
	return P < 1 ? 1 : P;
}

static int size(const struct config *c, int T, double rate, const struct region *r, int *n, int *D)
{
	int blocks = T / block_of(c, T, rate), V = columns_present(r, NULL);
	if (V < 1)
		return err_set(EX_DATAERR, "region %s: has padding and no channel", r->name);
	if (blocks < 2)
		return err_set(EX_CONFIG,
			"encoder.block: blocks of %g seconds leave one for a window of %g seconds, whose "
			"mean is 0; make them shorter",
			config_own(c, &own[0]), T / rate);
	if ((double)blocks * V > 1 << 20)
		return err_set(EX_CONFIG,
			"encoder.block: %d blocks of %d channels are more features than there is room for; "
			"make them longer",
			blocks, V);
	*n = 1;
	*D = blocks * V;
	return 0;
}

static int count(const struct config *c, int T, double rate, int samples)
{
	(void)c;
	(void)rate;
	return samples >= T;
}

/* The sum of column j over rows [from, to) */
static double sum_of(const real *x, int W, int j, int from, int to)
{
	double sum = 0;
	for (int t = from; t < to; t++)
		sum += (double)x[(size_t)t * (size_t)W + (size_t)j];
	return sum;
}

static void features(const struct config *c, const void *prepared, const real *x, int T, double rate,
	const struct region *r, real *out, struct arena *scratch)
{
	int P = block_of(c, T, rate), *column = arena_take(scratch, (size_t)r->width * sizeof *column),
	    V = columns_present(r, column);
	(void)prepared;
	for (int v = 0; v < V; v++) {
		bool flat = column_flat(x, T, r->width, column[v]);
		double mean = sum_of(x, r->width, column[v], 0, T) / T;
		for (int b = 0; b < T / P; b++) {
			double block = sum_of(x, r->width, column[v], b * P, (b + 1) * P) / P;
			out[(size_t)b * (size_t)V + (size_t)v] = flat ? 0 : column_held((real)(block - mean));
		}
	}
}

const struct tokeniser tokeniser_evoked = {.name = "evoked",
	.keys = "encoder.evidence",
	.settings = own,
	.standardised = true,
	.ridge = 0.25,
	.size = size,
	.count = count,
	.features = features};
