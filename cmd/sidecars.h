/* The options of moe-split for the sidecar files of recordings: events, channels files, a list.
 * Header only, included once by cmd/moe-split.c. */
#ifndef CMD_SIDECARS_H
#define CMD_SIDECARS_H

#include "program.h"

#include "recording/options.h"
#include "sidecar/path.h"
#include "sidecar/list.h"

static struct {
	const char *map, *list;
	int unit, outside;
	bool map_given, start_given, column_given, unit_given, outside_given; /* bound to --events */
	struct recording_list read;
} sidecar;

/* Rows for the table; split: a struct reading_options. */
#define SIDECAR_OPTIONS(split)                                                                               \
	{"events", 0, OPT_LIST, &(split).events.files, .arg = "FILE",                                        \
		.help = "take labels and windows from a file of events: BIDS events.tsv, MNE annotations "   \
			"or an EEGLAB table; given once for each recording, or once with {} in place of "    \
			"its path without extension and _eeg"},                                              \
		{"map", 0, OPT_TEXT, &sidecar.map, .arg = "LIST", .given = &sidecar.map_given,               \
			.help = "the events to use and their classes (left=0,right=1); when not given, all " \
				"events, each description being a class"},                                   \
		{"start-offset", 0, OPT_SPAN, &(split).events.start, .given = &sidecar.start_given,          \
			.help = "start of a trial relative to the onset of its event; may be negative; 0 "   \
				"when not given"},                                                           \
		{"stop-offset", 0, OPT_SPAN, &(split).events.stop, .given = &(split).events.stop_given,      \
			.help = "end of a trial relative to the onset of its event; when not "               \
				"given, the duration of the event, or one window if it has "                 \
				"none"},                                                                     \
		{"event-column", 0, OPT_TEXT, &(split).events.column, .arg = "NAME",                         \
			.given = &sidecar.column_given,                                                      \
			.help = "the column that describes events; trial_type or value, description, or "    \
				"type when not given"},                                                      \
		{"event-unit", 0, OPT_CHOICE, &sidecar.unit, .value = "auto",                                \
			.choices = "auto|s|ms|samples", .given = &sidecar.unit_given,                        \
			.help = "unit of onsets and durations; auto: the one in the name of the column, "    \
				"otherwise seconds (except that an EEGLAB table is refused)"},               \
		{"outside", 0, OPT_CHOICE, &sidecar.outside, .value = "error", .choices = "error|drop",      \
			.given = &sidecar.outside_given,                                                     \
			.help = "events whose trials reach beyond the recording: refuse them, or leave "     \
				"them out"},                                                                 \
		{"channels-file", 0, OPT_LIST, &(split).channel_files, .arg = "FILE",                        \
			.help = "BIDS channels.tsv with types, units and bad channels; one for "             \
				"all recordings, or given as with --events"},                                \
	{                                                                                                    \
		"list", 0, OPT_TEXT, &sidecar.list,                                                          \
			.arg = "FILE",                                                                       \
			.help = "take the recordings from a table with the column path and, "                \
				"optionally, id, group, session, label and rate, separated by "              \
				"tabs"                                                                       \
	}

/* --map: description=class, at the last = of each part. */
static inline int sidecar_read_map(struct reading_events *e)
{
	struct names parts = {0};
	int r = 0;
	names_split(&parts, sidecar.map, ',');
	for (int i = 0; i < parts.n && !r; i++) {
		char *s = parts.s[i], *at = strrchr(s, '=');
		if (!at || at == s || !at[1]) {
			r = err_set(EX_USAGE, "--map: \"%s\" is not EVENT=CLASS", s);
		} else {
			*at = 0;
			names_add(&e->from, s);
			names_add(&e->to, at + 1);
		}
	}
	names_free(&parts);
	const char *twice = names_duplicate(&e->from);
	if (!r && twice)
		return err_set(EX_USAGE, "--map: event \"%s\" is listed twice", twice);
	return !r && !e->from.n ? err_set(EX_USAGE, "--map names no event") : r;
}

/* Checks these options with the others, and sets those of the split. */
static inline int sidecar_check_options(struct reading_options *o, bool live, const struct names *operands)
{
	struct reading_events *e = &o->events;
	bool events = e->files.n;
	const char *bound = sidecar.map_given       ? "--map"
			    : sidecar.start_given   ? "--start-offset"
			    : e->stop_given         ? "--stop-offset"
			    : sidecar.column_given  ? "--event-column"
			    : sidecar.unit_given    ? "--event-unit"
			    : sidecar.outside_given ? "--outside"
						    : NULL;
	if (bound && !events)
		return err_set(EX_USAGE, "%s needs --events", bound);
	if (events && o->align == ALIGN_GRID)
		return err_set(EX_USAGE, "--align grid cannot be used with --events, where each trial begins "
					 "a new series of windows");
	if (live && (events || sidecar.list))
		return err_set(EX_USAGE, "%s needs whole recordings; leave --live out",
			events ? "--events" : "--list");
	if (sidecar.list && operands->n)
		return err_set(EX_USAGE, "--list names the recordings; give no others on the command line");
	e->unit = (enum event_unit)sidecar.unit;
	e->drop_outside = sidecar.outside;
	return sidecar.map ? sidecar_read_map(e) : 0;
}

/* --list: its recordings; with -v the columns that are ignored are named. */
static inline int sidecar_read_list(struct reading_options *o, struct names *recordings)
{
	struct recording_list *l = &sidecar.read;
	if (recording_list_read(l, sidecar.list))
		return -1;
	if (l->sessions && (o->naming.condition || o->naming.condition_name))
		return err_set(EX_USAGE,
			"%s: the sessions of the list are the conditions; leave out --condition and "
			"--condition-name",
			l->name);
	if (l->labels && o->events.files.n)
		return err_set(EX_USAGE,
			"%s: the list has a label for each recording, and --events gives others; leave one "
			"of them out",
			l->name);
	for (int i = 0; i < l->n; i++)
		names_add(recordings, l->entry[i].path);
	for (int i = 0; i < l->unknown.n && common.verbose; i++)
		program_sayf("%s: column \"%s\" is ignored", l->name, l->unknown.s[i]);
	o->list = l;
	return 0;
}

/* That there is a sidecar file for each recording, and that the result replaces none of those that
 * are read. */
static inline int sidecar_check_files(const struct reading_options *o, const struct names *recordings)
{
	struct names list = {0};
	int n = recordings->n ? recordings->n : 1;
	if (sidecar.list)
		names_add(&list, sidecar.list);
	int r = sidecar_paths_check(&o->events.files, n, false, "--events") ||
				sidecar_paths_check(&o->channel_files, n, true, "--channels-file") ||
				program_spares(common.output, recordings) ||
				program_spares(common.output, &list) ||
				program_spares(common.output, &o->events.files) ||
				program_spares(common.output, &o->channel_files)
			? -1
			: 0;
	names_free(&list);
	return r;
}

static inline void sidecar_free(struct reading_options *o)
{
	recording_list_free(&sidecar.read);
	names_free(&o->events.files);
	names_free(&o->events.from);
	names_free(&o->events.to);
	names_free(&o->channel_files);
}

#endif
