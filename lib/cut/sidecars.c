#include "cut/sidecars.h"

#include "base/error.h"
#include "base/mem.h"
#include "recording/label.h"
#include "sidecar/path.h"
#include "sidecar/channel_file.h"
#include "sidecar/events.h"
#include "sidecar/list.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

const struct list_entry *sidecars_entry(const struct reading_options *o, int i)
{
	return o->list ? &o->list->entry[i] : NULL;
}

int sidecars_channels(const struct intake *j, const struct reading_options *o, struct channel_info *f)
{
	*f = (struct channel_info){0};
	if (!o->channel_files.n)
		return 0;
	char *path = sidecar_path(&o->channel_files, j->index, j->file);
	int r = channel_file_read(f, path, j->file, &j->reader.names);
	free(path);
	return r;
}

static bool events_asked(const struct reading_options *o)
{
	return o->events.files.n || o->events.own;
}

const char *sidecars_labels(const struct reading_options *o)
{
	return events_asked(o)              ? "holds labels, but those of the events are used"
	       : o->list && o->list->labels ? "holds labels, but those of the list are used"
					    : NULL;
}

void sidecars_rate(const struct intake *j, struct reading_options *own)
{
	const struct list_entry *e = sidecars_entry(own, j->index);
	if (!e || e->rate <= 0)
		return;
	own->rate = e->rate;
	own->rate_by = "the list";
}

/* The class of the recording's line, for all its rows. */
static int read_label(struct intake *j, const struct reading_options *o, const struct list_entry *e)
{
	int32_t label = -1;
	if (e->label && label_read(o, o->list->name, e->line,
				(struct csv_cell){e->label, e->label + strlen(e->label)}, &j->labels, &label))
		return -1;
	for (int64_t i = 0; i < j->r.runs; i++)
		j->r.run[i].label = label;
	return 0;
}

int sidecars_read(struct intake *j, const struct reading_options *o)
{
	if (o->list && o->list->labels)
		return read_label(j, o, sidecars_entry(o, j->index));
	if (!events_asked(o))
		return 0;
	j->events = NEW(struct events);
	if (o->events.own)
		return events_of(j->events, &j->reader, o, &j->labels);
	char *path = sidecar_path(&o->events.files, j->index, j->file);
	int r = events_read(j->events, path, &j->r, o, &j->labels);
	free(path);
	return r;
}

int sidecars_place(const struct split *s, struct intake *j)
{
	struct recording *r = &j->r;
	if (!j->events)
		return 0;
	if (events_place(j->events, r, j->file, s->o, s->layout.length))
		return -1;
	double out = recording_sample(r, 1);
	for (int64_t i = 0; i < r->trials; i++)
		r->label_rows[r->trial[i].label] += llround((double)r->trial[i].rows / out);
	return 0;
}

/* --- what the user should know */

static void add_note(struct split *s, char *sentence)
{
	names_add(&s->notes, sentence);
	free(sentence);
}

static void note_ignored(struct split *s, const char *name, const struct events *e)
{
	enum { SHOWN = 8 };
	struct text t = {0};
	int *count = NEW_ARRAY(int, e->description.n + 1), n = events_ignored(e, count), kinds = 0;
	for (int i = 0; i < e->description.n; i++) {
		if (!count[i])
			continue;
		if (kinds++ < SHOWN)
			text_addf(&t, "%s%s (%d)", kinds > 1 ? ", " : "", e->description.s[i], count[i]);
	}
	if (kinds > SHOWN)
		text_addf(&t, " and %d more kinds", kinds - SHOWN);
	if (n)
		add_note(s, mem_format("%s: %d of %d events ignored: %s", name, n, e->n, text_string(&t)));
	text_free(&t);
	free(count);
}

void sidecars_note(struct split *s, const struct intake *j)
{
	const struct events *e = j->events;
	const struct recording *r = &j->r;
	int64_t empty = 0;
	if (!e)
		return;
	for (int i = 0; i < e->description.n; i++)
		names_intern(&s->description, e->description.s[i]);
	s->trials += r->trials;
	note_ignored(s, r->name, e);
	if (!e->n)
		add_note(s, mem_format("%s: there is no event in %s", r->name, e->file));
	if (e->outside)
		add_note(s,
			mem_format("%s: %d of %d events left out, as their trials lie outside the recording",
				r->name, e->outside, e->n));
	for (int64_t i = 0; i < r->trials; i++)
		empty += !r->trial[i].windows;
	if (empty && empty < r->trials)
		add_note(s, mem_format("%s: %lld of %lld trials give no window: they are shorter than a "
				       "window, or interrupted by a gap or by missing values",
				    r->name, (long long)empty, (long long)r->trials));
}

void sidecars_note_unmet(struct split *s)
{
	const struct names *from = &s->o->events.from;
	for (int i = 0; i < from->n; i++) {
		bool met = false;
		for (int k = 0; k < s->description.n && !met; k++)
			met = label_same(from->s[i], s->description.s[k]);
		if (met)
			continue;
		char *list = names_join(&s->description, ", ");
		add_note(s,
			mem_format("--map names the event \"%s\", but there is none; the events are: %.300s",
				from->s[i], list));
		free(list);
	}
}
