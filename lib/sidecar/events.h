/* Events of a recording from a file, and the trials they make.
 *
 *     onset   duration  trial_type             rows    ....|-------|......|-------|....
 *     1.0     0.5       left          -->      trials       left           right
 *     2.0     0.5       right                  (windows are cut within a trial; rows outside trials are in no window)
 *
 * Formats, distinguished by their columns: BIDS events.tsv (onset, duration, and trial_type or else
 * value; seconds from the recording's first row); MNE annotations, text after "# MNE-Annotations"
 * or CSV (onset, duration, description; seconds, or dates and times); EEGLAB's table (latency,
 * type, and duration when there is one; samples count from 1).
 */
#ifndef SIDECAR_EVENTS_H
#define SIDECAR_EVENTS_H

#include "io/named_table.h"
#include "recording/recording.h"

/* OWN: annotations contained in the recording itself. */
enum events_format { EVENTS_BIDS, EVENTS_MNE, EVENTS_EEGLAB, EVENTS_OWN };

struct event {
	double onset, duration; /* seconds, or samples; duration 0 = not stated, or none */
	int description;        /* index into description */
	int32_t label;          /* index into the names given, -1 = ignored */
	long long line;
};

struct events {
	char *file;
	enum events_format format;
	struct event *event; /* [n] in the file's order */
	int n, room;
	bool samples;  /* onsets count rows as they were read; else they are seconds */
	double origin; /* from this point in time (seconds since 1970); NAN: from the recording's first row */
	struct names description; /* descriptions */
	/* filled by events_place */
	int outside; /* events left out */
};

/* labels: interned into; r: has its rate. -1 with an error; events_free in any case. */
int events_read(struct events *, const char *path, const struct recording *r, const struct reading_options *,
	struct names *labels);
/* The same from what the recording itself holds, after its last row; a line is then the number of
 * an annotation. */
int events_of(struct events *, struct reader *, const struct reading_options *, struct names *labels);
void events_free(struct events *);

/* Label i becomes number to[i]. */
void events_labels(struct events *, const int32_t *to);
/* The trials of a recording, in rows out (after recording_resampled); length: of a window, for
 * events without a duration. Trials that overlap (by more than rounding) are an error, and so are
 * those outside the recording, unless they are dropped. */
int events_place(
	struct events *, struct recording *, const char *file, const struct reading_options *, int length);

const char *events_format(const struct events *);
/* How many events of each description are ignored: in the order of description; the sum. */
int events_ignored(const struct events *, int *count);
/* For split_explain: ,"events":{...}; labels: of all recordings. */
void events_explain(
	const struct events *, const struct recording *, const struct names *labels, struct text *);

#endif
