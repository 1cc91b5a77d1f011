/* harmonic: how much of each channel, and of each two together, follows given frequencies and their
 * first harmonics, relative to all there is (lights.h): log(U U^T + f I), f =
 * encoder.harmonic_floor, as its upper triangle (logarithm.h). A token is those of a frequency, one
 * high pass after the other; tokens are in the order of their segments, the frequencies of a
 * segment one after the other, each a kind of its own. */
#include "model/tokeniser/bands.h"
#include "model/tokeniser/columns.h"
#include "model/tokeniser/lights.h"
#include "model/tokeniser/logarithm.h"

extern const struct tokeniser tokeniser_harmonic;

static const struct setting own[] = {{"encoder.harmonic_floor", "0.1", 1e-6, 1e6, false,
					     "added to the diagonal of what follows a frequency, as a "
					     "fraction of all there is, before its logarithm is taken"},
	{0}};

static int kinds(const struct config *c)
{
	return c->encoder.bands.n;
}

static int size(const struct config *c, int T, double rate, const struct region *r, int *n, int *D)
{
	int V = columns_present(r, NULL), segments;
	if (lights_size(c, "harmonic", T, rate, r, &segments))
		return -1;
	*n = segments * c->encoder.bands.n;
	*D = lights_lows(rate) * V * (V + 1) / 2;
	return 0;
}

static int count(const struct config *c, int T, double rate, int samples)
{
	return bands_count(c, T, rate, samples) * c->encoder.bands.n;
}

static void *prepare(const struct config *c, int T, double rate)
{
	return lights_prepare(c, T, rate);
}

/* The upper triangle of U U^T, behind those before */
static void see(void *context, int light, int low, const double *U, int V)
{
	real **out = context;
	(void)light;
	(void)low;
	for (int a = 0; a < V; a++)
		for (int b = a; b < V; b++) {
			double sum = 0;
			for (int h = 0; h < LIGHT_WAVES; h++)
				sum += U[a * LIGHT_WAVES + h] * U[b * LIGHT_WAVES + h];
			*(*out)++ = (real)sum;
		}
}

static void features(const struct config *c, const void *prepared, const real *x, int T, double rate,
	const struct region *r, real *out, struct arena *scratch)
{
	const struct lights *l = prepared;
	int matrices = (1 + (T - l->L) / l->hop) * l->n * l->lows;
	real *to = out;
	(void)rate;
	lights_walk(l, x, T, r, scratch, see, &to);
	logarithms(columns_present(r, NULL), 1, NULL, config_own(c, &own[0]), matrices, out, scratch);
}

const struct tokeniser tokeniser_harmonic = {.name = "harmonic",
	.keys = "encoder.bands|encoder.window|encoder.hop|encoder.evidence",
	.settings = own,
	.unsigned_features = true,
	.standardised = true,
	.kinds = kinds,
	.size = size,
	.count = count,
	.prepare = prepare,
	.features = features};
