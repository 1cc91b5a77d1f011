#include "model/augmentation.h"

#include "base/error.h"
#include "base/json.h"
#include "base/mem.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

int augmentation_find(const char *name)
{
	for (int i = 0; augmentation_table[i]; i++)
		if (!strcmp(augmentation_table[i]->name, name))
			return i;
	return -1;
}

int augmentation_pairing(const double *amount)
{
	for (int i = 0; augmentation_table[i]; i++)
		if (augmentation_table[i]->pair && amount[i] > 0)
			return i;
	return -1;
}

struct rng augmentation_draws(const struct augmentation_view *v, const char *purpose, int channel)
{
	return rng_stream(v->seed, purpose, v->step, (uint64_t)v->window << 32 | (uint64_t)(channel + 1));
}

int augmentation_samples(double seconds, double rate)
{
	return (int)floor(seconds * rate + 0.5);
}

static int unknown(const char *text, const char *what)
{
	struct names l = {0};
	for (int i = 0; augmentation_table[i]; i++)
		names_add(&l, augmentation_table[i]->name);
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
	char *name = mem_text_n(text, n);
	int i = augmentation_find(name);
	free(name);
	if (i < 0)
		return unknown(text, what);
	must(i < AUGMENTATIONS);
	const struct augmentation *a = augmentation_table[i];
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
	int other = augmentation_pairing(amount);
	if (a->pair && other >= 0)
		return err_set(EX_CONFIG, "%s: train.augment: %s and %s both mix windows; use one of them",
			what, augmentation_table[other]->name, a->name);
	amount[i] = x;
	return 0;
}

void augmentation_write(const double *amount, struct text *t)
{
	const char *before = "[";
	for (int i = 0; augmentation_table[i]; i++) {
		if (!(amount[i] > 0))
			continue;
		text_addf(t, "%s\"%s:", before, augmentation_table[i]->name);
		json_double(t, amount[i]);
		text_add(t, augmentation_table[i]->seconds ? "s\"" : "\"");
		before = ",";
	}
	text_add(t, *before == '[' ? "[]" : "]");
}
