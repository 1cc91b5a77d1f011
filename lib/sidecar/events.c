#include "sidecar/events.h"

#include "base/json.h"
#include "base/mem.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *const format_name[] = {[EVENTS_BIDS] = "bids",
	[EVENTS_MNE] = "mne",
	[EVENTS_EEGLAB] = "eeglab",
	[EVENTS_OWN] = "annotations"};

const char *events_format(const struct events *e)
{
	return format_name[e->format];
}

static const double half = 0.5; /* a sample: what rounding may do */

/* A trial on a time line without gaps, in samples: from .. to-1, and where it lies before
 * rounding. */
struct place {
	const struct event *event;
	double from, to, begin, end;
};

struct placing {
	const struct events *e;
	const struct recording *r;
	const char *file;
	const struct reading_options *o;
	int length;
	double rate; /* of the rows out, Hz */
};

/* Onset of an event in samples from the recording's first row. */
static double onset_in_samples(const struct placing *p, double onset)
{
	if (p->e->samples)
		return recording_sample(p->r, onset);
	double from = isnan(p->e->origin) ? 0 : p->e->origin - recording_start(p->r);
	return (onset + from) * p->rate;
}

static double span_in_samples(const struct placing *p, struct span s)
{
	return s.seconds ? s.amount * p->rate : s.amount;
}

static const char *description_of(const struct placing *p, const struct event *v)
{
	return p->e->description.s[v->description];
}

/* Where an event's trial lies; of trials of equal length all have as many rows. */
static int place_event(const struct placing *p, const struct event *v, struct place *at)
{
	const struct reading_events *how = &p->o->events;
	double onset = onset_in_samples(p, v->onset), start = span_in_samples(p, how->start);
	double duration = p->e->samples ? recording_sample(p->r, v->duration) : v->duration * p->rate;
	double rows = how->stop_given   ? span_in_samples(p, how->stop) - start
		      : v->duration > 0 ? duration - start
					: p->length;
	*at = (struct place){v, round(onset + start), 0, onset + start, onset + start + rows};
	at->to = at->from + round(rows);
	if (at->to > at->from)
		return 0;
	return err_set(EX_DATAERR,
		"%s:%lld: the trial of event \"%.60s\" ends %.6g s before it begins (the event lasts %.6g "
		"s); change --start-offset or --stop-offset",
		p->e->file, v->line, description_of(p, v), -rows / p->rate, duration / p->rate);
}

static int refuse_outside(const struct placing *p, const struct place *at)
{
	double rate = p->rate;
	return err_set(EX_DATAERR,
		"%s:%lld: event \"%.60s\" at %.10g s: its trial, %.10g to %.10g s, lies outside %s, which is "
		"%.10g s "
		"long; --outside drop leaves such events out",
		p->e->file, at->event->line, description_of(p, at->event),
		onset_in_samples(p, at->event->onset) / rate, at->from / rate, at->to / rate, p->file,
		recording_samples(p->r, !p->e->samples) / rate);
}

static int by_place(const void *x, const void *y)
{
	const struct place *a = x, *b = y;
	if (a->from != b->from)
		return a->from < b->from ? -1 : 1;
	return a->event->line < b->event->line ? -1 : a->event->line > b->event->line;
}

static int refuse_overlap(const struct placing *p, const struct place *a, const struct place *b)
{
	double rate = p->rate;
	return err_set(EX_DATAERR,
		"%s:%lld: the trial of event \"%.60s\" begins at %.10g s, within that of event \"%.60s\" of "
		"line %lld, %.10g to %.10g s; choose events with --map, or end trials earlier with "
		"--stop-offset",
		p->e->file, b->event->line, description_of(p, b->event), b->from / rate,
		description_of(p, a->event), a->event->line, a->from / rate, a->to / rate);
}

/* Onsets in seconds need to know how long each gap is. */
static int check_gaps(const struct placing *p)
{
	for (int64_t i = 0; i < p->r->time.gaps && !p->e->samples; i++)
		if (isnan(p->r->time.gap[i].seconds))
			return err_set(EX_DATAERR,
				"%s: time begins again at row %lld, an unknown time after the row before, so "
				"that the events of %s cannot be located by seconds; give their onsets in "
				"samples (--event-unit samples)",
				p->file, (long long)p->r->time.gap[i].recorded + 1, p->e->file);
	return 0;
}

/* The trials that count, in order of time: their number, or -1. */
static int place_all(const struct placing *p, struct place *at, int *dropped)
{
	if (check_gaps(p))
		return -1;
	double end = recording_samples(p->r, !p->e->samples);
	int n = 0;
	for (int i = 0; i < p->e->n; i++) {
		if (p->e->event[i].label < 0)
			continue;
		if (place_event(p, &p->e->event[i], &at[n]))
			return -1;
		if (at[n].from >= 0 && (at[n].to <= end || at[n].end < end + half))
			n++;
		else if (p->o->events.drop_outside)
			++*dropped;
		else
			return refuse_outside(p, &at[n]);
	}
	qsort(at, (size_t)n, sizeof *at, by_place);
	for (int i = 1; i < n; i++)
		if (at[i].from < at[i - 1].to && at[i].begin < at[i - 1].end - half)
			return refuse_overlap(p, &at[i - 1], &at[i]);
	return n;
}

/* The rows of a trial: as many as it is long, unless there is a gap in it. */
static struct trial rows_of(const struct placing *p, const struct place *at)
{
	bool timed = !p->e->samples;
	double rows = at->to - at->from;
	int64_t from = recording_row_at(p->r, at->begin, timed);
	int64_t to = recording_row_at(p->r, at->begin + rows, timed);
	if (to - from != (int64_t)rows)
		to = recording_row_at(p->r, at->end, timed);
	int64_t over = to - p->r->rows;
	if (over > 0) { /* by rounding */
		to -= over;
		from = from > over ? from - over : 0;
	}
	return (struct trial){from, to - from, at->event->label, 0};
}

void events_labels(struct events *e, const int32_t *to)
{
	for (int i = 0; i < e->n; i++)
		if (e->event[i].label >= 0)
			e->event[i].label = to[e->event[i].label];
}

int events_place(
	struct events *e, struct recording *r, const char *file, const struct reading_options *o, int length)
{
	struct placing p = {e, r, file, o, length, recording_sample(r, r->rate)};
	struct place *at = NEW_ARRAY(struct place, e->n + 1);
	int n = place_all(&p, at, &e->outside);
	r->by_trials = true;
	r->trial = NEW_ARRAY(struct trial, e->n + 1);
	for (int i = 0; i < n; i++)
		r->trial[r->trials++] = rows_of(&p, &at[i]);
	free(at);
	return n < 0 ? -1 : 0;
}

int events_ignored(const struct events *e, int *count)
{
	int sum = 0;
	for (int i = 0; i < e->n; i++)
		if (e->event[i].label < 0) {
			count[e->event[i].description]++;
			sum++;
		}
	return sum;
}

static void explain_counts(struct text *t, const char *key, const struct names *names, const int *count)
{
	const char *between = "";
	text_addf(t, ",\"%s\":{", key);
	for (int i = 0; i < names->n; i++)
		if (count[i]) {
			text_add(t, between);
			json_string(t, names->s[i]);
			text_addf(t, ":%d", count[i]);
			between = ",";
		}
	text_add(t, "}");
}

void events_explain(
	const struct events *e, const struct recording *r, const struct names *labels, struct text *t)
{
	int *trials = NEW_ARRAY(int, labels->n + 1), *ignored = NEW_ARRAY(int, e->description.n + 1),
	    empty = 0;
	for (int64_t i = 0; i < r->trials; i++) {
		trials[r->trial[i].label]++;
		empty += !r->trial[i].windows;
	}
	events_ignored(e, ignored);
	text_add(t, ",\"events\":{\"file\":");
	json_string(t, e->file);
	text_addf(t, ",\"format\":\"%s\",\"events\":%d", events_format(e), e->n);
	explain_counts(t, "trials", labels, trials);
	explain_counts(t, "ignored", &e->description, ignored);
	text_addf(t, ",\"outside\":%d,\"without_window\":%d}", e->outside, empty);
	free(trials);
	free(ignored);
}
