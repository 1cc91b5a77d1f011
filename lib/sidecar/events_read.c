#include "sidecar/events.h"

#include "base/error.h"
#include "base/json.h"
#include "base/mem.h"
#include "io/number.h"
#include "recording/timestamp.h"
#include "recording/label.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { HEAD = 4096 }; /* bytes in which comments are looked for */

void events_free(struct events *e)
{
	free(e->file);
	free(e->event);
	names_free(&e->description);
	*e = (struct events){0};
}

struct reading {
	struct events *e;
	struct named_table s;
	const struct recording *r;
	const struct reading_options *o;
	struct names *labels;
	struct names header; /* columns that a comment names */
	bool annotations;    /* the first line is that of MNE annotations */
	double orig_time;    /* seconds since 1970, NAN = none */
	int onset, duration, description;
	double scale;        /* of onsets and durations, to seconds or samples */
	int first;           /* number of the first sample */
	bool dated, counted; /* some onset was a date; a number */
};

/* --- comments */

/* "# orig_time : 2002-12-03 19:01:11.720100", "# onset, duration, description" */
static void read_comment(struct reading *d, const char *s, const char *end)
{
	static const char origin[] = "orig_time";
	while (s < end && (*s == '#' || *s == ' '))
		s++;
	while (end > s && (end[-1] == '\r' || end[-1] == ' '))
		end--;
	size_t n = (size_t)(end - s);
	if (n >= 15 && !memcmp(s, "MNE-Annotations", 15))
		d->annotations = true;
	if (n > sizeof origin && !memcmp(s, origin, sizeof origin - 1)) {
		s += sizeof origin - 1;
		while (s < end && (*s == ' ' || *s == ':'))
			s++;
		if (!timestamp_parse(s, end, &d->orig_time))
			d->orig_time = NAN;
	}
	if (n >= 5 && !strncasecmp(s, "onset", 5) && !d->header.n) {
		char *line = mem_text_n(s, n);
		names_split(&d->header, line, ',');
		free(line);
	}
}

static int read_comments(struct reading *d)
{
	size_t got;
	const char *p = (const char *)input_peek(d->s.in, HEAD, &got);
	if (!p)
		return -1;
	const char *end = p + got;
	if (got >= 3 && !memcmp(p, "\xef\xbb\xbf", 3))
		p += 3;
	while (p < end && *p == '#') {
		const char *nl = memchr(p, '\n', (size_t)(end - p));
		if (!nl)
			break;
		read_comment(d, p, nl);
		p = nl + 1;
	}
	if (d->annotations && !d->header.n)
		names_split(&d->header, "onset,duration,description", ',');
	return 0;
}

/* --- columns */

/* A column called this, perhaps with its unit: "latency_ms", "Latency (samples)". */
static int column_with_unit(const struct named_table *s, const char *stem, enum event_unit *unit)
{
	static const struct {
		const char *word;
		enum event_unit unit;
	} tail[] = {{"s", EVENT_UNIT_S}, {"sec", EVENT_UNIT_S}, {"seconds", EVENT_UNIT_S},
		{"ms", EVENT_UNIT_MS}, {"milliseconds", EVENT_UNIT_MS}, {"samples", EVENT_UNIT_SAMPLES}};
	size_t n = strlen(stem);
	for (int i = 0; i < s->columns.n; i++) {
		const char *rest = s->columns.s[i] + n;
		if (strncasecmp(s->columns.s[i], stem, n))
			continue;
		if (!*rest)
			return i;
		rest += strspn(rest, " _([");
		size_t word = strcspn(rest, ")] ");
		for (size_t k = 0; k < sizeof tail / sizeof *tail; k++)
			if (strlen(tail[k].word) == word && !strncasecmp(rest, tail[k].word, word)) {
				*unit = tail[k].unit;
				return i;
			}
	}
	return -1;
}

static int find_description(struct reading *d)
{
	static const char *const by_format[][2] = {[EVENTS_BIDS] = {"trial_type", "value"},
		[EVENTS_MNE] = {"description", NULL},
		[EVENTS_EEGLAB] = {"type", NULL}};
	const char *asked = d->o->events.column;
	d->description = asked ? named_table_column(&d->s, asked) : -1;
	for (int i = 0; i < 2 && !asked && d->description < 0; i++)
		if (by_format[d->e->format][i])
			d->description = named_table_column(&d->s, by_format[d->e->format][i]);
	if (d->description >= 0)
		return 0;
	char *list = names_join(&d->s.columns, ", ");
	int r = asked ? named_table_fault(&d->s,
				"there is no column \"%.60s\" (--event-column); its columns are: %.300s",
				asked, list)
		      : named_table_fault(&d->s,
				"no column describes the events (trial_type, value, description, type); "
				"choose one with --event-column: %.300s",
				list);
	free(list);
	return r;
}

/* The format, where its columns are, and the unit of its times. */
static int find_columns(struct reading *d)
{
	enum event_unit unit = EVENT_UNIT_AUTO;
	struct named_table *s = &d->s;
	d->onset = column_with_unit(s, "onset", &unit);
	bool bids = named_table_column(s, "trial_type") >= 0 || named_table_column(s, "value") >= 0;
	d->e->format = d->onset < 0 ? EVENTS_EEGLAB
		       : d->annotations || (!bids && named_table_column(s, "description") >= 0) ? EVENTS_MNE
												: EVENTS_BIDS;
	if (d->onset < 0)
		d->onset = column_with_unit(s, "latency", &unit);
	if (d->onset < 0) {
		char *list = names_join(&s->columns, ", ");
		named_table_fault(s,
			"there is no column onset or latency among: %.300s; events are read from BIDS "
			"(onset, duration, trial_type), MNE annotations (onset, duration, description) or "
			"EEGLAB (latency, type)",
			list);
		free(list);
		return -1;
	}
	d->duration = named_table_column(s, "duration");
	if (d->o->events.unit != EVENT_UNIT_AUTO)
		unit = d->o->events.unit;
	if (unit == EVENT_UNIT_AUTO && d->e->format == EVENTS_EEGLAB)
		return named_table_fault(s, "it is not known whether the latencies are seconds, milliseconds "
					    "or samples; give --event-unit");
	d->e->samples = unit == EVENT_UNIT_SAMPLES;
	d->scale = unit == EVENT_UNIT_MS ? 1e-3 : 1;
	d->first = d->e->samples && d->e->format == EVENTS_EEGLAB ? 1 : 0;
	return find_description(d);
}

/* --- rows */

/* An onset: a number in the unit, or a date and time in seconds since 1970. */
static int read_onset(struct reading *d, double *x)
{
	struct csv_cell c;
	if (!named_table_cell(&d->s, d->onset, &c))
		return named_table_fault(&d->s, "the event has no onset");
	bool dated = false;
	if (number_parse(c.s, c.end, x) && isfinite(*x))
		*x = *x * d->scale - d->first;
	else if (!d->e->samples && timestamp_parse(c.s, c.end, x))
		dated = true;
	else
		return named_table_fault(&d->s,
			"the onset \"%.*s\" is neither a number nor a date with a time", named_table_shown(c),
			c.s);
	if (dated &&
		!timestamp_is_date(*x)) /* counted from 1970: from the recording's start, as MNE writes it */
		dated = false;
	d->dated |= dated;
	d->counted |= !dated;
	return d->dated && d->counted ? named_table_fault(&d->s, "some onsets are dates and others are not; "
								 "write all of them in the same way")
				      : 0;
}

static int read_duration(const struct reading *d, double *x)
{
	struct csv_cell c;
	*x = 0;
	if (!named_table_cell(&d->s, d->duration, &c))
		return 0;
	if (!number_parse(c.s, c.end, x) || !isfinite(*x) || *x < 0)
		return named_table_fault(&d->s, "the duration \"%.*s\" is not a number of 0 or more",
			named_table_shown(c), c.s);
	*x *= d->scale;
	return 0;
}

/* What MNE's own functions take for no event: segments marked bad, and the edges of recordings
 * that were joined. */
static bool is_mark(const struct events *e, const char *s)
{
	bool mne = e->format == EVENTS_MNE || e->format == EVENTS_OWN;
	return mne && (!strncasecmp(s, "bad", 3) || !strncasecmp(s, "edge", 4));
}

/* The class of a description; -1 in *label when it has none. */
static int classify_event(const struct events *e, const struct reading_options *o, const char *file,
	long long line, const char *s, struct names *labels, int32_t *label)
{
	const struct reading_events *v = &o->events;
	const char *name = v->from.n || is_mark(e, s) ? NULL : s;
	for (int i = 0; i < v->from.n && !name; i++)
		if (label_same(v->from.s[i], s))
			name = v->to.s[i];
	*label = -1;
	return name ? label_read(o, file, line, (struct csv_cell){name, name + strlen(name)}, labels, label)
		    : 0;
}

static int read_event(struct reading *d)
{
	struct events *e = d->e;
	struct event v = {.label = -1, .line = named_table_line(&d->s)};
	char *s = named_table_text(&d->s, d->description);
	int r = 0;
	if (s && !json_utf8(s, strlen(s)))
		r = named_table_fault(&d->s, "the description is not UTF-8 text");
	else if (s)
		r = classify_event(e, d->o, named_table_name(&d->s), v.line, s, d->labels, &v.label);
	v.description = names_intern(&e->description, s ? s : "n/a");
	free(s);
	if (r || (v.label >= 0 && (read_onset(d, &v.onset) || read_duration(d, &v.duration))))
		return -1;
	ROOM_FOR_ONE(e->event, e->n, e->room);
	e->event[e->n++] = v;
	return 0;
}

/* What the onsets count from. */
static int find_origin(struct reading *d)
{
	struct events *e = d->e;
	double start = recording_start(d->r);
	e->origin = NAN;
	if (!d->dated) {
		if (!isnan(start) && !e->samples)
			e->origin = d->orig_time; /* NAN when there is none */
		return 0;
	}
	if (isnan(start) && isnan(d->orig_time))
		return err_set(EX_DATAERR,
			"%s: its onsets are dates, but neither a comment \"# orig_time : DATE TIME\" in it "
			"nor the recording's time column states when the recording began",
			named_table_name(&d->s));
	e->origin = isnan(start) ? NAN : 0;
	for (int i = 0; i < e->n && isnan(start); i++)
		e->event[i].onset -= d->orig_time;
	return 0;
}

static int read_all(struct reading *d)
{
	int more;
	if (read_comments(d) || named_table_begin(&d->s, 0, d->header.n ? &d->header : NULL) ||
		find_columns(d))
		return -1;
	while ((more = named_table_next(&d->s)) == 1)
		if (read_event(d))
			return -1;
	return more ? -1 : find_origin(d);
}

int events_read(struct events *e, const char *path, const struct recording *r,
	const struct reading_options *o, struct names *labels)
{
	struct reading d = {.e = e, .r = r, .o = o, .labels = labels, .orig_time = NAN};
	*e = (struct events){.file = mem_text(path)};
	int fail = r->rate > 0 ? named_table_open(&d.s, path) || read_all(&d)
			       : err_set(EX_DATAERR, "%s: events need a sampling rate; give --rate", path);
	named_table_close(&d.s);
	names_free(&d.header);
	return fail ? -1 : 0;
}

/* One annotation; line: which it is. */
static int take_annotation(struct events *e, const struct annotation *a, long long line,
	const struct reading_options *o, struct names *labels)
{
	struct event v = {.onset = a->onset, .duration = a->duration, .label = -1, .line = line};
	if (!json_utf8(a->text, strlen(a->text)))
		return err_set(EX_DATAERR, "%s: its annotation %lld is not UTF-8 text", e->file, line);
	if (classify_event(e, o, e->file, line, a->text, labels, &v.label))
		return -1;
	if (v.label >= 0 && !(isfinite(a->onset) && a->duration >= 0 && isfinite(a->duration)))
		return err_set(EX_DATAERR,
			"%s: its annotation %lld has no onset, or a duration that is not a number of 0 or "
			"more",
			e->file, line);
	v.description = names_intern(&e->description, a->text);
	ROOM_FOR_ONE(e->event, e->n, e->room);
	e->event[e->n++] = v;
	return 0;
}

int events_of(struct events *e, struct reader *reader, const struct reading_options *o, struct names *labels)
{
	struct annotations a = {0};
	*e = (struct events){.file = mem_text(reader->file), .format = EVENTS_OWN, .origin = NAN};
	int fail = reader->format->events ? reader_events(reader, &a)
					  : err_set(EX_DATAERR,
						    "%s: recordings as %s contain no events; give a file of "
						    "events with --events",
						    reader->file, reader->format->name);
	for (int i = 0; i < a.n && !fail; i++)
		fail = take_annotation(e, &a.a[i], i + 1, o, labels);
	annotations_free(&a);
	return fail ? -1 : 0;
}
