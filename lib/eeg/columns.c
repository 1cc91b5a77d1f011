#include "eeg/columns.h"

#include "base/error.h"
#include "base/mem.h"
#include "eeg/beside.h"

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
	free(c->factor);
	*c = (struct columns){0};
}

const char *columns_channel(const struct columns *c, int channel)
{
	int C = c->channels.n;
	return channel < C ? c->channels.s[channel] : c->extra.s[channel - C];
}

bool columns_is_time(const char *name, enum split_time *unit)
{
	static const char *const stem[] = {"timestamps", "timestamp", "time stamp", "time"};
	static const struct {
		const char *word;
		enum split_time unit;
	} tail[] = {{"s", SPLIT_TIME_S}, {"sec", SPLIT_TIME_S}, {"seconds", SPLIT_TIME_S},
		{"ms", SPLIT_TIME_MS}, {"msec", SPLIT_TIME_MS}, {"milliseconds", SPLIT_TIME_MS},
		{"us", SPLIT_TIME_US}, {"microseconds", SPLIT_TIME_US}};
	for (size_t i = 0; i < sizeof stem / sizeof *stem; i++) {
		size_t n = strlen(stem[i]);
		if (strncasecmp(name, stem[i], n))
			continue;
		const char *rest = name + n;
		if (!*rest)
			return true;
		rest += strspn(rest, " _([");
		size_t word = strcspn(rest, ")] ");
		for (size_t k = 0; k < sizeof tail / sizeof *tail; k++)
			if (rest > name + n && strlen(tail[k].word) == word &&
				!strncasecmp(rest, tail[k].word, word)) {
				*unit = tail[k].unit;
				return true;
			}
	}
	return false;
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

static char *listed(const struct names *l)
{
	struct text t = {0};
	int shown = l->n > 40 ? 40 : l->n;
	for (int i = 0; i < shown; i++)
		text_addf(&t, "%s%s", i ? ", " : "", l->s[i]);
	if (shown < l->n)
		text_addf(&t, " and %d more", l->n - shown);
	return text_take(&t);
}

static int absent(const char *file, const char *what, const char *name, const struct names *names)
{
	char *list = listed(names);
	err_set(EX_DATAERR, "%s: there is no %s \"%s\"; its columns are: %s", file, what, name, list);
	free(list);
	return -1;
}

static void ignore(struct columns *c, const char *name, const char *why)
{
	names_add(&c->ignored, name);
	names_add(&c->why, why);
}

/* The columns that hold labels and times. */
static int find_special(
	struct columns *c, const char *file, const struct names *names, const struct split_options *o)
{
	bool dropped = !o->label_column && names_find(&o->drop, "label") >= 0;
	c->label = dropped ? -1 : names_find(names, o->label_column ? o->label_column : "label");
	for (int i = 0; i < names->n && c->label < 0 && !dropped && !o->label_column; i++)
		if (!strcasecmp(names->s[i], "label"))
			c->label = i;
	if (c->label < 0 && o->label_column)
		return absent(file, "label column", o->label_column, names);
	c->time = o->time_column ? names_find(names, o->time_column) : -1;
	if (c->time < 0 && o->time_column)
		return absent(file, "time column", o->time_column, names);
	enum split_time unit;
	for (int i = 0; i < names->n && c->time < 0; i++)
		if (i != c->label && columns_is_time(names->s[i], &unit) &&
			names_find(&o->drop, names->s[i]) < 0)
			c->time = i;
	if (c->label >= 0 && c->label == c->time)
		return err_set(EX_USAGE, "%s: column \"%s\" cannot hold both labels and times", file,
			names->s[c->label]);
	return 0;
}

/* What is not a channel, in one word, or NULL. */
static const char *why_not(const struct columns *c, const struct names *names, int i,
	const struct split_options *o, const struct channel_file *facts)
{
	const char *name = names->s[i];
	enum split_time unit;
	if (i == c->label)
		return o->events.files.n  ? "holds labels; those of the events are taken"
		       : beside_labels(o) ? "holds labels; those of the list are taken"
					  : "holds the labels";
	if (i == c->time)
		return "holds the times";
	if (names_find(&o->drop, name) >= 0)
		return "dropped on request";
	const struct names *wanted = o->like ? &o->like->channels : &o->channels;
	if (wanted->n && names_find(wanted, name) >= 0)
		return channel_file_why(facts, name);
	if (names_find(&split_conditioning(o)->reference, name) >= 0 && !channel_file_bad(facts, name))
		return "read for the reference";
	if (wanted->n)
		return o->like ? "not in the model" : "not among --channels";
	if (!*name)
		return i ? "has no name" : "has no name: row numbers";
	if (is_index(name))
		return "row numbers";
	return columns_is_time(name, &unit) ? "a further time column" : channel_file_why(facts, name);
}

static int check_wanted(const char *file, const struct names *names, const struct split_options *o)
{
	for (int i = 0; i < o->drop.n && !o->like; i++)
		if (names_find(names, o->drop.s[i]) < 0)
			return absent(file, "column (--drop)", o->drop.s[i], names);
	for (int i = 0; i < o->channels.n; i++) {
		if (names_find(names, o->channels.s[i]) < 0)
			return absent(file, "column (--channels)", o->channels.s[i], names);
		if (names_find(&o->drop, o->channels.s[i]) >= 0)
			return err_set(EX_USAGE, "channel \"%s\" stands in --channels and in --drop",
				o->channels.s[i]);
	}
	return 0;
}

/* The order is the model's, else that of --channels, else that of the first recording. */
static int order_channels(struct columns *c, const char *file, const struct names *names,
	const struct names *found, const struct split_options *o, const struct names *before)
{
	const struct names *order = o->like         ? &o->like->channels
				    : before        ? before
				    : o->channels.n ? &o->channels
						    : found;
	for (int i = 0; i < found->n; i++)
		if (names_find(order, found->s[i]) < 0)
			return err_set(EX_DATAERR,
				"%s: channel \"%s\" is not in the recordings before it; --drop it, or pick "
				"with --channels",
				file, found->s[i]);
	c->from = NEW_ARRAY(int, order->n);
	for (int i = 0; i < order->n; i++) {
		int there = names_find(found, order->s[i]);
		names_add(&c->channels, order->s[i]);
		c->from[i] = there < 0 ? -1 : names_find(names, order->s[i]);
		if (there >= 0 || (o->like && o->missing != SPLIT_MISSING_ERROR))
			continue;
		const char *of = o->like ? "the model" : before ? "the recordings before it" : "--channels";
		int out = names_find(&c->ignored, order->s[i]);
		if (out >= 0)
			return err_set(EX_DATAERR, "%s: channel \"%s\" of %s is left out here: %s", file,
				order->s[i], of, c->why.s[out]);
		char *list = listed(names);
		err_set(EX_DATAERR, "%s: channel \"%s\" of %s is missing; its columns are: %s", file,
			order->s[i], of, list);
		free(list);
		return -1;
	}
	return 0;
}

/* The reference's channels, those among the others aside. */
static int find_extra(struct columns *c, const char *file, const struct names *names,
	const struct split_options *o, const struct channel_file *facts)
{
	const struct names *reference = &split_conditioning(o)->reference;
	for (int i = 0; i < reference->n; i++) {
		const char *name = reference->s[i];
		int column = names_find(names, name);
		if (names_find(&c->channels, name) >= 0)
			continue;
		bool bad = channel_file_bad(facts, name);
		if ((column < 0 || bad) && o->missing != SPLIT_MISSING_ERROR)
			continue;
		if (bad)
			return err_set(EX_DATAERR,
				"%s: channel \"%s\" of the %s is left out here: marked bad in %s", file, name,
				o->like ? "model's reference" : "reference (--reference)", facts->name);
		if (column < 0)
			return absent(file,
				o->like ? "channel of the model's reference" : "channel (--reference)", name,
				names);
		if (column == c->label || column == c->time)
			return err_set(EX_USAGE, "%s: column \"%s\" of --reference holds %s", file, name,
				column == c->label ? "the labels" : "the times");
		names_add(&c->extra, name);
		GROW(c->from, c->channels.n + c->extra.n);
		c->from[c->channels.n + c->extra.n - 1] = column;
	}
	return 0;
}

int columns_plan(struct columns *c, const char *file, const struct names *names,
	const struct split_options *o, const struct names *before, const struct channel_file *facts)
{
	*c = (struct columns){.label = -1, .time = -1};
	if (find_special(c, file, names, o) || check_wanted(file, names, o))
		return -1;
	struct names found = {0};
	for (int i = 0; i < names->n; i++) {
		const char *why = why_not(c, names, i, o, facts);
		if (why)
			ignore(c, names->s[i], why);
		else
			names_add(&found, names->s[i]);
	}
	int r = order_channels(c, file, names, &found, o, before);
	if (!r && !found.n) {
		char *list = listed(names);
		r = err_set(EX_DATAERR, "%s: no channel among its columns: %s%s", file, list,
			split_conditioning(o)->reference.n ? "; --channels keeps those of --reference" : "");
		free(list);
	}
	if (!r)
		r = find_extra(c, file, names, o, facts);
	names_free(&found);
	return r;
}
