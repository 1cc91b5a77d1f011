#include "model/config.h"

#include "base/error.h"
#include "model/config_keys.h"

#include <string.h>

int config_compose(struct configuration *c, const struct config_words *words, const struct config *before)
{
	int preset = PRESET_DEFAULT;
	if (config_preset(words->preset, &preset))
		return -1;
	config_begin(c, before ? before->preset : preset);
	if (words->preset_given)
		c->from[0] = FROM_SET;
	if (before && words->preset_given && preset != before->preset)
		return err_set(EX_USAGE,
			"--preset %s: the state has its configuration, of preset %s, which stays",
			words->preset, config_preset_name(before->preset));
	if (before) {
		struct text t = {0};
		config_write_json(before, &t);
		int bad = config_json(c, t.s, t.n, FROM_MODEL, "the model");
		text_free(&t);
		if (bad)
			return -1;
	}
	if (words->file && config_file(c, words->file))
		return -1;
	for (int i = 0; i < words->set.n; i++)
		if (config_set(c, words->set.s[i]))
			return -1;
	return config_check(c) || (before && config_fixed_by_model(c, before, words->resumed)) ? -1 : 0;
}

int config_variant(struct configuration *c, const struct configuration *of, const struct names *set)
{
	int keys = config_key_count();
	config_begin(c, of->value.preset);
	c->value = of->value;
	memcpy(c->from, of->from, (size_t)keys * sizeof *c->from);
	for (int i = 0; i < set->n; i++)
		if (config_set(c, set->s[i]))
			return -1;
	for (int i = 0; i < keys; i++)
		if (c->from[i] > FROM_MODEL)
			c->from[i] = FROM_MODEL;
	return config_check(c);
}
