#include "train/augment.h"

#include "base/error.h"

bool augments(const struct config *c)
{
	bool any = false;
	for (int i = 0; augmentation_table[i]; i++)
		any |= c->train.augment[i] > 0;
	return any;
}

int augment_check(const struct config *c, const struct layout *l)
{
	for (int i = 0; augmentation_table[i]; i++) {
		const char *name = augmentation_table[i]->name;
		double x = c->train.augment[i];
		if (!(x > 0) || !augmentation_table[i]->seconds)
			continue;
		if (augmentation_samples(x, l->rate) < 1)
			return err_set(EX_CONFIG,
				"train.augment: %s:%gs has no effect: at %g Hz it is shorter than one sample",
				name, x, l->rate);
		if (augmentation_samples(x, l->rate) >= l->length)
			return err_set(EX_CONFIG, "train.augment: %s:%gs is not shorter than a window (%g s)",
				name, x, l->length / l->rate);
	}
	return 0;
}

void augment_window(const struct augment *a, int b, int k, int there, real *x)
{
	const struct region *r = &a->layout->region[k];
	for (int i = 0; augmentation_table[i]; i++)
		if (augmentation_table[i]->change && a->amount[i] > 0)
			augmentation_table[i]->change(&(struct augmentation_view){.seed = a->seed,
				.step = a->step,
				.window = b,
				.rate = layout_rate(a->layout, k),
				.there = there,
				.W = r->width,
				.channel = r->channel,
				.amount = a->amount[i],
				.x = x});
}

void augment_pairs(const struct augment *a, int B, int *partner, real *share)
{
	int i = augmentation_pairing(a->amount);
	must(i >= 0);
	augmentation_table[i]->pair(a->amount[i], a->seed, a->step, B, partner, share);
}
