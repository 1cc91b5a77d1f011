#include "recording/columns.h"

#include "base/error.h"
#include "base/mem.h"
#include "recording/header_info.h"
#include "recording/time_column.h"
#include "recording/unit.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

void columns_free(struct columns *c)
{
	names_free(&c->channels);
	names_free(&c->extra);
	names_free(&c->ignored);
	names_free(&c->why);
	free(c->from);
	free(c->scale);
	*c = (struct columns){0};
}

const char *columns_channel(const struct columns *c, int channel)
{
	int C = c->channels.n;
	return channel < C ? c->channels.s[channel] : c->extra.s[channel - C];
}

static bool is_index(const char *name)
{
	static const char *const word[] = {"sample", "samples", "index", "sample index", "sample_index",
		"sample number", "sample_number", "row"};
	for (size_t i = 0; i < sizeof word / sizeof *word; i++)
		if (!strcasecmp(word[i], name))
			return true;
	return false;
}

static char *list_names(const struct names *l)
{
	struct text t = {0};
	int shown = l->n > 40 ? 40 : l->n;
	for (int i = 0; i < shown; i++)
		text_addf(&t, "%s%s", i ? ", " : "", l->s[i]);
	if (shown < l->n)
		text_addf(&t, " and %d more", l->n - shown);
	return text_take(&t);
}

static int refuse_absent(const char *file, const char *what, const char *name, const struct names *names)
{
	char *list = list_names(names);
	err_set(EX_DATAERR, "%s: there is no %s \"%s\"; its columns are: %s", file, what, name, list);
	free(list);
	return -1;
}

static void ignore_column(struct columns *c, const char *name, const char *why)
{
	names_add(&c->ignored, name);
	names_add(&c->why, why);
}

/* The column of a role, unless it is dropped. */
static int of_role(const struct header_info *f, enum column_role role, const struct names *names,
	const struct reading_options *o)
{
	for (int i = 0; i < names->n; i++)
		if (f->role[i] == (unsigned char)role && names_find(&o->drop, names->s[i]) < 0)
			return i;
	return -1;
}

/* The columns that hold labels and times. */
static int find_special(struct columns *c, const char *file, const struct names *names,
	const struct header_info *f, const struct reading_options *o)
{
	bool dropped = !o->label_column && names_find(&o->drop, "label") >= 0;
	c->label = dropped ? -1 : names_find(names, o->label_column ? o->label_column : "label");
	for (int i = 0; i < names->n && c->label < 0 && !dropped && !o->label_column; i++)
		if (!strcasecmp(names->s[i], "label"))
			c->label = i;
	if (c->label < 0 && o->label_column)
		return refuse_absent(file, "label column", o->label_column, names);
	if (c->label < 0 && !dropped)
		c->label = of_role(f, ROLE_LABEL, names, o);
	const char *asked = o->reading.time_column;
	c->time = asked ? names_find(names, asked) : of_role(f, ROLE_TIME, names, o);
	if (c->time < 0 && asked)
		return refuse_absent(file, "time column", asked, names);
	enum time_unit unit;
	for (int i = 0; i < names->n && c->time < 0; i++)
		if (i != c->label && f->role[i] == ROLE_OPEN && time_column_named(names->s[i], &unit) &&
			names_find(&o->drop, names->s[i]) < 0)
			c->time = i;
	if (c->label >= 0 && c->label == c->time)
		return err_set(EX_USAGE, "%s: column \"%s\" cannot hold both labels and times", file,
			names->s[c->label]);
	c->counter = of_role(f, ROLE_COUNTER, names, o);
	c->message = of_role(f, ROLE_MESSAGE, names, o);
	c->valid = of_role(f, ROLE_VALID, names, o);
	c->interpolated = of_role(f, ROLE_INTERPOLATED, names, o);
	return 0;
}

/* A unit of something else makes a column no channel. */
static bool other_unit(const struct names *units, int i)
{
	static const char others[] = "mmhg|cmh2o|kpa|pa|bpm|1/min|brpm|%|pct|degc|deg c|\xc2\xb0"
				     "c|c|l|l/min|ml|cm|mm|g|mg|m/s2|m/s^2|deg/s|dps|"
				     "ohm|kohm|lux|us/cm|microsiemens";
	bool is = false;
	if (i >= units->n || !*units->s[i])
		return false;
	char *lower = mem_text(units->s[i]);
	for (char *c = lower; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	is = text_among(others, lower);
	free(lower);
	return is;
}

/* Of each channel, those for the reference too: the unit in the channels file, else the one asked
 * for, else that of the row of units, else that of the recorder. */
static int find_units(
	struct columns *c, const char *file, const struct column_info *p, enum voltage_unit asked)
{
	int n = c->channels.n + c->extra.n;
	c->scale = NEW_ARRAY(double, n);
	for (int i = 0; i < n; i++) {
		const char *name = columns_channel(c, i);
		enum voltage_unit unit = asked;
		int from = c->from[i];
		double from_sidecar = channel_info_factor(p->sidecar, name);
		bool other = from >= 0 && from < p->units->n && other_unit(p->units, from);
		if (i >= c->channels.n &&
			(from_sidecar < 0 || (!(from_sidecar > 0) && unit == UNIT_AUTO && other)))
			return err_set(EX_DATAERR,
				"%s: channel \"%.80s\" is needed for the reference, but its unit is not one "
				"of uV, mV, V, nV",
				from_sidecar < 0 ? p->sidecar->name : file, name);
		if (unit == UNIT_AUTO && from >= 0 && from < p->units->n)
			unit = unit_parse(p->units->s[from]);
		if (unit == UNIT_AUTO)
			unit = p->header->unit;
		c->scale[i] = from_sidecar > 0 ? from_sidecar : unit_factor(unit);
	}
	return 0;
}

static const char *why_role(const struct column_info *p, const char *name, int i)
{
	switch (p->header->role[i]) {
	case ROLE_CHANNEL:
		return channel_info_why(p->sidecar, name);
	case ROLE_TIME:
		return "another time column";
	case ROLE_LABEL:
		return "another label column";
	default:
		return p->header->why[i];
	}
}

/* What is not a channel, in one word, or NULL. */
static const char *why_not(const struct columns *c, const struct names *names, int i,
	const struct reading_options *o, const struct column_info *p)
{
	const char *name = names->s[i];
	enum time_unit unit;
	if (i == c->label)
		return p->why_label ? p->why_label : "holds the labels";
	if (i == c->time)
		return "holds the times";
	if (names_find(&o->drop, name) >= 0)
		return "left out with --drop";
	const struct names *wanted = o->like ? &o->like->channels : &o->channels;
	if (wanted->n && names_find(wanted, name) >= 0)
		return channel_info_why(p->sidecar, name);
	if (names_find(&reading_preprocessing(o)->reference, name) >= 0 &&
		!channel_info_bad(p->sidecar, name))
		return "read for the reference";
	if (wanted->n)
		return o->like ? "not in the model" : "not among --channels";
	if (p->header->role[i] != ROLE_OPEN)
		return why_role(p, name, i);
	if (!*name)
		return i ? "has no name" : "has no name, taken as row numbers";
	if (is_index(name))
		return "row numbers";
	if (time_column_named(name, &unit))
		return "another time column";
	return other_unit(p->units, i) ? "its unit is not a voltage" : channel_info_why(p->sidecar, name);
}

static int check_wanted(const char *file, const struct names *names, const struct reading_options *o)
{
	for (int i = 0; i < o->drop.n && !o->like; i++)
		if (names_find(names, o->drop.s[i]) < 0)
			return refuse_absent(file, "column (--drop)", o->drop.s[i], names);
	for (int i = 0; i < o->channels.n; i++) {
		if (names_find(names, o->channels.s[i]) < 0)
			return refuse_absent(file, "column (--channels)", o->channels.s[i], names);
		if (names_find(&o->drop, o->channels.s[i]) >= 0)
			return err_set(EX_USAGE,
				"channel \"%s\" is in both --channels and --drop; remove it from one of them",
				o->channels.s[i]);
	}
	return 0;
}

/* The order is the model's, else that of --channels, else that of the first recording. */
static int order_channels(struct columns *c, const char *file, const struct names *names,
	const struct names *found, const struct reading_options *o, const struct names *before)
{
	const struct names *order = o->like         ? &o->like->channels
				    : before        ? before
				    : o->channels.n ? &o->channels
						    : found;
	for (int i = 0; i < found->n; i++)
		if (names_find(order, found->s[i]) < 0)
			return err_set(EX_DATAERR,
				"%s: channel \"%s\" is not in the earlier recordings; leave it out with "
				"--drop, or choose channels with --channels",
				file, found->s[i]);
	c->from = NEW_ARRAY(int, order->n);
	for (int i = 0; i < order->n; i++) {
		int there = names_find(found, order->s[i]);
		names_add(&c->channels, order->s[i]);
		c->from[i] = there < 0 ? -1 : names_find(names, order->s[i]);
		if (there >= 0 || (o->like && o->missing != MISSING_ERROR))
			continue;
		const char *of = o->like ? "the model" : before ? "the earlier recordings" : "--channels";
		int out = names_find(&c->ignored, order->s[i]);
		if (out >= 0)
			return err_set(EX_DATAERR, "%s: channel \"%s\" of %s is left out here: %s", file,
				order->s[i], of, c->why.s[out]);
		char *list = list_names(names);
		err_set(EX_DATAERR, "%s: channel \"%s\" of %s is missing; its columns are: %s", file,
			order->s[i], of, list);
		free(list);
		return -1;
	}
	return 0;
}

/* The reference's channels, those among the others aside. */
static int find_extra(struct columns *c, const char *file, const struct names *names,
	const struct reading_options *o, const struct channel_info *sidecar)
{
	const struct names *reference = &reading_preprocessing(o)->reference;
	for (int i = 0; i < reference->n; i++) {
		const char *name = reference->s[i];
		int column = names_find(names, name);
		if (names_find(&c->channels, name) >= 0)
			continue;
		bool bad = channel_info_bad(sidecar, name);
		if ((column < 0 || bad) && o->missing != MISSING_ERROR)
			continue;
		if (bad)
			return err_set(EX_DATAERR,
				"%s: channel \"%s\" of the %s is left out here: marked bad in %s", file, name,
				o->like ? "model's reference" : "reference (--reference)", sidecar->name);
		if (column < 0)
			return refuse_absent(file,
				o->like ? "channel of the model's reference" : "channel (--reference)", name,
				names);
		if (column == c->label || column == c->time)
			return err_set(EX_USAGE, "%s: column \"%s\" of --reference contains %s, not EEG",
				file, name, column == c->label ? "the labels" : "the times");
		names_add(&c->extra, name);
		GROW(c->from, c->channels.n + c->extra.n);
		c->from[c->channels.n + c->extra.n - 1] = column;
	}
	return 0;
}

int columns_plan(struct columns *c, const char *file, const struct names *names,
	const struct reading_options *o, const struct names *before, const struct column_info *p)
{
	*c = (struct columns){
		.label = -1, .time = -1, .counter = -1, .message = -1, .valid = -1, .interpolated = -1};
	if (find_special(c, file, names, p->header, o) || check_wanted(file, names, o))
		return -1;
	struct names found = {0};
	for (int i = 0; i < names->n; i++) {
		const char *why = why_not(c, names, i, o, p);
		if (why)
			ignore_column(c, names->s[i], why);
		else
			names_add(&found, names->s[i]);
		if (i == c->time)
			c->time_name = c->ignored.s[c->ignored.n - 1];
	}
	int r = order_channels(c, file, names, &found, o, before);
	if (!r && !found.n) {
		char *list = list_names(names);
		r = err_set(EX_DATAERR, "%s: none of its columns is used as a channel: %s%s", file, list,
			reading_preprocessing(o)->reference.n
				? "; name those of --reference in --channels to keep them"
				: "");
		free(list);
	}
	if (!r)
		r = find_extra(c, file, names, o, p->sidecar);
	names_free(&found);
	if (!r)
		r = find_units(c, file, p, (enum voltage_unit)o->reading.unit);
	c->time_unit = (enum time_unit)o->reading.time_unit;
	if (c->time_unit == TIME_UNIT_AUTO && c->time >= 0 && p->header->role[c->time] == ROLE_TIME)
		c->time_unit = p->header->time_unit;
	if (c->time_unit == TIME_UNIT_AUTO && c->time >= 0 && c->time < p->units->n)
		time_column_unit(p->units->s[c->time], strlen(p->units->s[c->time]), &c->time_unit);
	return r;
}
