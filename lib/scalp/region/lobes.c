/* Lobes of the brain under the electrodes, by the names of the 10-05 system: rows N to FFC are
 * frontal, FC to CP central (the motor strip is between them), CPP to PPO parietal, PO to I
 * occipital. The ends of the rows FFT to PPO, from number 7 on, are temporal: FT7, T7, TP7, and P7,
 * which was called T5 and lies over the temporal lobe's end (Koessler et al., "Automated cortical
 * projection of EEG sensors", NeuroImage 46, 2009). */
#include "scalp/region/region.h"

#include "base/mem.h"

enum lobe { FRONTAL, CENTRAL, TEMPORAL, PARIETAL, OCCIPITAL };

const char *const region_lobe_names[] = {[FRONTAL] = "frontal",
	[CENTRAL] = "central",
	[TEMPORAL] = "temporal",
	[PARIETAL] = "parietal",
	[OCCIPITAL] = "occipital",
	NULL};

int region_lobe(const struct montage_site *s)
{
	if (s->steps >= 3.5 && s->front <= 27 && s->front >= -45)
		return TEMPORAL;
	return s->front >= 27 ? FRONTAL : s->front >= -18 ? CENTRAL : s->front >= -45 ? PARIETAL : OCCIPITAL;
}

static int divide_lobes(
	struct division *d, const struct names *channels, const struct electrodes *e, int without_number)
{
	(void)without_number;
	for (int k = 0; region_lobe_names[k]; k++)
		names_add(&d->name, region_lobe_names[k]);
	for (int c = 0; c < channels->n; c++)
		d->of[c] = region_lobe(&e->site[c]);
	return 0;
}

const struct region_way region_lobes = {"lobes", false, divide_lobes};
