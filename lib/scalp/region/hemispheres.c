/* Left, midline and right: the names with odd numbers, with z, and with even numbers. */
#include "scalp/region/region.h"

static int divide_hemispheres(
	struct division *d, const struct names *channels, const struct electrodes *e, int without_number)
{
	(void)without_number;
	names_add(&d->name, "left");
	names_add(&d->name, "midline");
	names_add(&d->name, "right");
	for (int c = 0; c < channels->n; c++)
		d->of[c] = 1 + e->site[c].side;
	return 0;
}

const struct region_way region_hemispheres = {"hemispheres", false, divide_hemispheres};
