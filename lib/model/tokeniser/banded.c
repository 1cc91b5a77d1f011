#include "model/tokeniser/banded.h"

#include "base/error.h"
#include "model/tokeniser/bands.h"
#include "model/tokeniser/columns.h"
#include "model/tokeniser/condensed.h"

#include <stdlib.h>

int banded_kinds(const struct config *c)
{
	return c->encoder.bands.n;
}

int banded_count(const struct config *c, int T, double rate, int samples)
{
	return bands_count(c, T, rate, samples) * c->encoder.bands.n;
}

void *banded_prepare(const struct config *c, int T, double rate)
{
	struct segments *s = bands_prepare(c, T, rate, c->encoder.tapers);
	struct condensed *made = condense(s, 0x1p29);
	free(s);
	return made;
}

int banded_size(const struct config *c, const struct config *checked, int T, double rate,
	const struct region *r, int *n)
{
	int segments, V = columns_present(r, NULL);
	if (bands_size(checked, T, rate, c->encoder.tapers, &segments))
		return -1;
	if (V < 1)
		return err_set(EX_DATAERR, "region %s: has padding and no channel", r->name);
	*n = segments * c->encoder.bands.n;
	return V;
}

int banded_triangle(const char *tokeniser, const struct region *r, int V, int *D)
{
	*D = V * (V + 1) / 2;
	if (V <= 256)
		return 0;
	return err_set(EX_CONFIG,
		"%s tokens: region %s has %d channels, which makes %d features a token; cut into smaller "
		"regions",
		tokeniser, r->name, V, *D);
}
