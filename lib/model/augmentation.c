#include "model/augmentation.h"

#include "base/error.h"
#include "base/json.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

const struct augmentation augmentation_table[AUGMENTATIONS] = {
	[AUGMENT_SHIFT] = {"shift", true, 1e-4, 3600},
	[AUGMENT_FLIP] = {"flip", false, 1e-3, 1},
	[AUGMENT_NOISE] = {"noise", false, 1e-6, 100},
	[AUGMENT_MASK] = {"mask", true, 1e-4, 3600},
	[AUGMENT_CHANNELS] = {"channels", false, 1e-3, 0.95},
	[AUGMENT_MIXUP] = {"mixup", false, 0.05, 100},
};

static int unknown(const char *text, const char *what)
{
	struct names l = {0};
	for (int i = 0; i < AUGMENTATIONS; i++)
		names_add(&l, augmentation_table[i].name);
	char *list = names_join(&l, ", ");
	err_set(EX_CONFIG, "%s: train.augment: \"%s\" is no NAME:AMOUNT, such as noise:0.1; names are %s",
		what, text, list);
	free(list);
	names_free(&l);
	return -1;
}

int augmentation_read(const char *text, double *amount, const char *what)
{
	const char *colon = strchr(text, ':');
	size_t n = colon ? (size_t)(colon - text) : 0;
	int i = 0;
	while (i < AUGMENTATIONS &&
		(strlen(augmentation_table[i].name) != n || memcmp(augmentation_table[i].name, text, n) != 0))
		i++;
	if (i == AUGMENTATIONS)
		return unknown(text, what);
	const struct augmentation *a = &augmentation_table[i];
	char *digits = mem_text(colon + 1);
	bool seconds = text_ends(digits, "s");
	double x = 0;
	if (seconds)
		digits[strlen(digits) - 1] = 0;
	bool number = text_to_double(digits, &x);
	free(digits);
	if (!number || seconds != a->seconds)
		return err_set(EX_CONFIG, "%s: train.augment: \"%s\": %s takes a number%s", what, text,
			a->name, a->seconds ? " of seconds with an s behind it, such as 0.2s" : "");
	if (x < a->min || x > a->max)
		return err_set(EX_CONFIG, "%s: train.augment: \"%s\" is outside %g to %g", what, text, a->min,
			a->max);
	if (amount[i] > 0)
		return err_set(EX_CONFIG, "%s: train.augment: %s stands there twice", what, a->name);
	amount[i] = x;
	return 0;
}

void augmentation_write(const double *amount, struct text *t)
{
	const char *before = "[";
	for (int i = 0; i < AUGMENTATIONS; i++) {
		if (!(amount[i] > 0))
			continue;
		text_addf(t, "%s\"%s:", before, augmentation_table[i].name);
		json_double(t, amount[i]);
		text_add(t, augmentation_table[i].seconds ? "s\"" : "\"");
		before = ",";
	}
	text_add(t, *before == '[' ? "[]" : "]");
}
