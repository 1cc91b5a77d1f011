/* Synthetic EEG recordings with a known truth.
 *
 *     background   independent 1/f sources spread over the head  \
 *     rhythms      theta, mu, beta, alpha at their usual places   > mixed over the electrodes by distance -> microvolts
 *     effects      a rhythm that is there while its class is on  /      + noise of each electrode, + artefacts
 *
 * A source reaches an electrode with weight exp(-angle^2 / 2 width^2), angle between the two on the
 * unit sphere (scalp/montage.h). Every subject has a gain, rhythm frequencies and rhythm strengths
 * of their own; sessions differ a little. Strength of an effect: snr = power of its rhythm while
 * its class is on / power (variance) of everything else but artefacts, both averaged over the
 * channels of its place and taken from the very recording.
 *
 * A relation is what two places have in common: bursts of one rhythm, a second long, in every
 * class. Time goes in cycles of as many seconds as there are classes. In which second of a cycle
 * the first place has its burst is drawn; in class c the second place has its own c seconds later,
 * the cycle being taken as a ring. So either burst is anywhere with equal chance and owes nothing
 * to the cycle before, whatever the class: channels of one place alone have the same distribution
 * in every class. These rhythms do not spread to other electrodes, so that this holds for any set
 * of channels that lacks one of the places.
 *
 * Everything follows from the seed, the subject and the session: subject k is the same however many
 * there are.
 */
#ifndef SYNTH_SYNTH_H
#define SYNTH_SYNTH_H

#include "base/text.h"
#include "io/output.h"

#include <stdint.h>

enum synth_artefact { SYNTH_BLINK, SYNTH_MUSCLE, SYNTH_FLAT, SYNTH_GAP, SYNTH_PAUSE, SYNTH_ARTEFACTS };

struct synth_place {
	int region;   /* index region, -1 = a list of channels */
	int n;        /* channels */
	int *channel; /* [n] */
};

struct synth_effect {
	int class;
	double hz;
	struct synth_place place;
};

struct synth_relation {
	double hz; /* 0 = none */
	struct synth_place place[2];
};

struct synth {
	uint64_t seed;
	double rate, seconds, snr;
	int regions; /* index regions without halo that a region number refers to */
	struct names channels, classes;
	double (*position)[3]; /* [C][3] on the unit sphere */
	int effects;
	struct synth_effect *effect; /* [effects] */
	struct synth_relation relation;
	bool artefact[SYNTH_ARTEFACTS];
};

struct synth_block {
	int64_t start; /* sample */
	int class;
};

struct synth_event {
	enum synth_artefact kind;
	int channel;           /* -1 = all, or many */
	int64_t start, length; /* samples */
};

struct synth_recording {
	int subject, session; /* from 0; from 1 */
	int64_t n;            /* T samples */
	float *signal;        /* [C][T] microvolts; NAN = no value */
	int32_t *label;       /* [T] class */
	bool *pause;          /* [T] the recorder was off */
	int blocks, events, events_room;
	struct synth_block *block; /* [blocks] */
	struct synth_event *event; /* [events] */
};

/* Setting up: channels ("16" or "Cz,Pz"), classes ("2" or "rest,task"), artefacts ("blink,gap") and
 * effects as text; rate, seconds, snr, experts and seed must have been set. Errors are EX_USAGE. */
int synth_channels(struct synth *, const char *text);
int synth_classes(struct synth *, const char *text);
int synth_artefacts(struct synth *, const char *text);
int synth_effect(struct synth *, const char *text);   /* CLASS:HZ@PLACE, channels joined by + or , */
int synth_relation(struct synth *, const char *text); /* PLACE,PLACE, channels of a place joined by + */
/* When there is no effect yet: every class but the first gets a rhythm of its own at `where`
 * (region number or channels); NULL: in a region drawn from the seed. */
int synth_effects_at(struct synth *, const char *where);
int synth_check(const struct synth *); /* what only fits together at the end */
void synth_free(struct synth *);

struct synth_recording *synth_record(const struct synth *, int subject, int session);
void synth_recording_free(struct synth_recording *);

/* The recording as CSV: time, the channels with two decimals, label. */
int synth_write_csv(const struct synth *, const struct synth_recording *, struct output *);
/* The truth as JSON: synth_truth_head, then for every recording synth_truth_recording, then
 * "]}". */
void synth_truth_head(const struct synth *, struct text *);
void synth_truth_recording(
	const struct synth *, const struct synth_recording *, const char *file, struct text *);
extern const char *const synth_artefact_name[SYNTH_ARTEFACTS];

#endif
