/* The configuration as text: JSON for the model, lines for people, mdoc for the manual. */
#include "model/config_keys.h"
#include "model/head.h"
#include "model/tokeniser.h"
#include "model/views.h"

#include <stdlib.h>
#include <string.h>

static void layers(const struct layer_set *s, struct text *t)
{
	if (s->kind == LAYERS_EVERY)
		text_addf(t, "\"every:%d\"", s->list[0]);
	else if (s->kind != LAYERS_LISTED)
		text_add(t, s->kind == LAYERS_ALL ? "\"all\"" : "\"none\"");
	for (int i = 0; s->kind == LAYERS_LISTED && i < s->n; i++)
		text_addf(t, "%s%d%s", i ? "," : "[", s->list[i], i + 1 == s->n ? "]" : "");
}

static void counts(const struct count_list *l, struct text *t)
{
	for (int i = 0; i < l->n; i++)
		text_addf(t, "%s%d", i ? "," : l->n > 1 ? "[" : "", l->list[i]);
	text_add(t, l->n > 1 ? "]" : "");
}

static void types(const struct expert_types *l, struct text *t)
{
	text_add(t, "[");
	for (int i = 0; i < l->n; i++) {
		text_addf(t, "%s\"%s", i ? "," : "", expert_table[l->type[i]]->name);
		if (l->count[i])
			text_addf(t, "*%d", l->count[i]);
		text_add(t, "\"");
	}
	text_add(t, "]");
}

/* Edges where each band begins at the end of the one before, else pairs. */
static void bands(const struct bands *b, struct text *t)
{
	bool touch = true;
	for (int i = 1; i < b->n; i++)
		touch &= b->edge[i][0] >= b->edge[i - 1][1] && b->edge[i][0] <= b->edge[i - 1][1];
	text_add(t, "[");
	for (int i = 0; i < b->n; i++) {
		text_add(t, i ? "," : "");
		if (!touch || !i) {
			text_add(t, touch ? "" : "[");
			json_double(t, b->edge[i][0]);
			text_add(t, ",");
		}
		json_double(t, b->edge[i][1]);
		text_add(t, touch ? "" : "]");
	}
	text_add(t, "]");
}

static void views(const struct config *c, struct text *t)
{
	text_add(t, "[");
	for (int i = 0; i < c->encoder.views.n; i++) {
		const struct view *v = &c->encoder.views.list[i];
		text_addf(t, "%s\"%s@%s\"", i ? "," : "", tokeniser_table[v->tokens]->name,
			view_place_name(v->place));
	}
	text_add(t, "]");
}

void key_value(const struct key *k, const struct config *c, struct text *t)
{
	const char *at = (const char *)c + k->at;
	switch (k->kind) {
	case INT:
		text_addf(t, "%d", *(const int *)(const void *)at);
		break;
	case WHOLE:
	case REAL_NUMBER:
		json_double(t, *(const double *)(const void *)at);
		break;
	case BOOL:
		text_add(t, *(const int *)(const void *)at ? "true" : "false");
		break;
	case HEAD:
	case CHOICE: {
		struct names l = key_choices(k);
		json_string(t, l.s[*(const int *)(const void *)at]);
		names_free(&l);
		break;
	}
	case BANDS:
		bands(&c->encoder.bands, t);
		break;
	case LAYERS:
		layers(&c->moe.layers, t);
		break;
	case COUNTS:
		counts((const struct count_list *)(const void *)at, t);
		break;
	case TYPES:
		types(&c->moe.expert_types, t);
		break;
	case AUGMENT:
		augmentation_write(c->train.augment, t);
		break;
	case VIEWS:
		views(c, t);
		break;
	}
}

bool key_shown(const struct key *k, const struct config *c)
{
	return (k->kind != HEAD || c->head.type) && (k->kind != VIEWS || c->encoder.views.n);
}

void config_write_json(const struct config *c, struct text *t)
{
	text_addf(t, "{\"preset\":\"%s\"", config_preset_name(c->preset));
	const char *open = "";
	size_t n = 0;
	struct key k;
	for (int i = 1; config_key(i, &k); i++) {
		const char *dot = strchr(k.name, '.');
		if (!key_shown(&k, c))
			continue;
		size_t m = (size_t)(dot - k.name);
		if (m != n || memcmp(open, k.name, n)) {
			text_addf(t, "%s,\"%.*s\":{", n ? "}" : "", (int)m, k.name);
			open = k.name;
			n = m;
		} else {
			text_add(t, ",");
		}
		text_addf(t, "\"%s\":", dot + 1);
		key_value(&k, c, t);
	}
	text_add(t, "}}");
}

/* A warm-up that follows the length of the run. */
static const char *scaling(const struct configuration *c, const struct key *k, long steps)
{
	if (strcmp(k->name, "train.warmup_steps") != 0 || !config_warmup_scales(c))
		return "";
	if (steps < 0)
		return ", at most a tenth of the run";
	return config_warmup(c, steps) < c->value.train.warmup_steps ? ", scaled to a tenth of the run" : "";
}

void config_print(const struct configuration *c, long steps, struct text *t)
{
	static const char *const from[] = {"preset", "model", "file", "--set"};
	struct config value = c->value;
	value.train.warmup_steps = config_warmup(c, steps);
	struct key k;
	for (int i = 0; config_key(i, &k); i++) {
		if (!key_shown(&k, &value))
			continue;
		text_addf(t, "%s\t", k.name);
		key_value(&k, &value, t);
		if (c->from[i] == FROM_PRESET)
			text_addf(t, "\tpreset %s%s", config_preset_name(c->value.preset),
				scaling(c, &k, steps));
		else
			text_addf(t, "\t%s", from[c->from[i]]);
		char *why = key_matters(&k, &c->value) ? NULL : key_unless(&k);
		text_addf(t, "%s%s\n", why ? "\tno effect: " : "", why ? why : "");
		free(why);
	}
}

/* The preset that is this list and nothing else, or NULL. */
static const struct preset *preset_of(const char *const *list)
{
	const struct preset *p = preset_table;
	while (p->name && (p->set[0] != list || p->set[1]))
		p++;
	return p->name ? p : NULL;
}

/* Each preset with what it sets. */
static void presets(struct text *t)
{
	text_add(t, ".Ss Presets\nWhat each sets; all else is at the default above.\n.Bl -tag -width Ds\n");
	for (const struct preset *p = preset_table; p->name; p++) {
		text_addf(t, ".It Cm %s\n%c%s", p->name, p->help[0] - 32, p->help + 1);
		const char *before = ":\n.Li ";
		for (int list = 0; list < PRESET_LISTS && p->set[list]; list++) {
			const struct preset *whole = preset_of(p->set[list]);
			if (whole && whole != p) {
				text_addf(t, ":\nas\n.Cm %s", whole->name);
				before = " ,\n.Li ";
			}
			for (int i = 0; p->set[list][i] && (!whole || whole == p); i++) {
				text_addf(t, "%s%s", before, p->set[list][i]);
				before = " ,\n.Li ";
			}
		}
		text_add(t, p->set[0] ? "\n" : ".\n");
	}
	text_add(t, ".El\n");
}

void config_print_mdoc(struct text *t)
{
	struct key key;
	text_add(t, ".Bl -tag -width Ds\n");
	for (int i = 0; config_key(i, &key); i++) {
		const struct key *k = &key;
		text_addf(t, ".It Cm %s", k->name);
		if (k->kind == CHOICE || k->kind == HEAD) {
			struct names l = key_choices(k);
			char *list = names_join(&l, " | ");
			text_addf(t, " Ns = Ns Ar \"%s\"", list);
			free(list);
			names_free(&l);
		}
		text_addf(t, "\n%c%s", k->help[0] >= 'a' && k->help[0] <= 'z' ? k->help[0] - 32 : k->help[0],
			k->help + 1);
		for (int h = 0; k->kind == HEAD && head_table[h]; h++)
			text_addf(t, "; %s: %s", head_table[h]->name, head_table[h]->help);
		text_addf(t, ".\n[default %s", k->value);
		if (k->min < k->max)
			text_addf(t, "; %.10g to %.10g", k->min, k->max);
		text_add(t, "]\n");
	}
	text_add(t, ".El\n");
	presets(t);
}
