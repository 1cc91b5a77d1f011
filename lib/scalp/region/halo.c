#include "scalp/region/region.h"

#include "base/mem.h"

#include <limits.h>
#include <stdlib.h>

void region_add(struct region *r, int channel, bool core)
{
	GROW(r->channel, r->width + 1);
	GROW(r->core, r->width + 1);
	r->channel[r->width] = channel;
	r->core[r->width++] = core;
}

/* Angle of every channel to the nearest of the region's own, which are themselves at -1. */
static void measure_angles(const struct region *r, const struct electrodes *e, long *apart)
{
	for (int c = 0; c < e->n; c++) {
		apart[c] = LONG_MAX;
		for (int j = 0; j < r->width; j++) {
			long angle = r->channel[j] == c ? -1 : electrodes_apart(e, c, r->channel[j]);
			if (angle < apart[c])
				apart[c] = angle;
		}
	}
}

static int nearest_channel(const long *apart, int n)
{
	int best = -1;
	for (int c = 0; c < n; c++)
		if (apart[c] >= 0 && (best < 0 || apart[c] < apart[best]))
			best = c;
	return best;
}

void region_halo(struct layout *l, const struct electrodes *e, int number, double mm)
{
	long *apart = NEW_ARRAY(long, e->n);
	bool *in = NEW_ARRAY(bool, e->n);
	double angle = mm / e->radius * 1e6 + 0.5; /* of the rounding */
	for (int k = 0; k < l->regions; k++) {
		struct region *r = &l->region[k];
		measure_angles(r, e, apart);
		for (int c = 0; c < e->n; c++)
			in[c] = number < 0 && apart[c] >= 0 && (double)apart[c] <= angle;
		for (int i = 0, c; i < number && (c = nearest_channel(apart, e->n)) >= 0; i++) {
			in[c] = true;
			apart[c] = -1;
		}
		for (int c = 0; c < e->n; c++)
			if (in[c])
				region_add(r, c, false);
	}
	free(apart);
	free(in);
}
