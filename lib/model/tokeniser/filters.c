#include "model/tokeniser/filters.h"

#include "base/error.h"
#include "model/tokeniser/bands.h"

#include <math.h>

int filters_taps(const struct config *c, double rate)
{
	long n = lround(c->encoder.kernel * rate);
	return n < 1 ? 1 : (int)n;
}

int filters_size(const struct config *c, int T, double rate, const struct region *r, int *n, int *D)
{
	int L, hop, taps = filters_taps(c, rate);
	(void)r;
	bands_cut(c, T, rate, &L, &hop);
	if (L > T || taps > L)
		return err_set(EX_CONFIG,
			"encoder.kernel: %d samples do not fit a token's stretch of %d (encoder.window)",
			taps, L > T ? T : L);
	*n = 1 + (T - L) / hop;
	*D = c->encoder.filters;
	return 0;
}
