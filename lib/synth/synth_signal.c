/* The signals of a synthetic recording: sources in time, their way to the electrodes, artefacts. */
#include "synth/synth.h"

#include "base/error.h"
#include "base/mem.h"
#include "base/rng.h"
#include "scalp/montage.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double pi = 3.14159265358979323846;
enum { SOURCES = 32, POLES = 6 };

static struct rng recording_stream(
	const struct synth *s, const struct synth_recording *r, const char *purpose, int i)
{
	return rng_stream(s->seed, purpose, (uint64_t)r->subject, ((uint64_t)r->session << 32) + (uint64_t)i);
}

static double clipped_normal(struct rng *g) /* a normal deviate within two standard deviations */
{
	double x = rng_normal(g);
	return x > 2 ? 2 : x < -2 ? -2 : x;
}

/* 1/f noise with a density of 1 / sqrt(Hz) at 10 Hz: white noise through alternating poles and
 * zeros, evenly spaced on a logarithmic axis (two octaves apart, each zero an octave above its
 * pole), which fall by 3 dB an octave between 0.25 Hz and the last pole. x [n]. */
static void pink_noise(struct rng *g, double rate, int64_t n, double *x)
{
	double pole[POLES], zero[POLES], state[POLES] = {0},
					 gain = 2 / rate; /* one-sided density of white noise */
	int used = 0;
	for (double f = 0.25; used < POLES && f < rate / 2; f *= 4, used++) {
		pole[used] = exp(-2 * pi * f / rate);
		zero[used] = exp(-2 * pi * 2 * f / rate);
		double c = cos(2 * pi * 10 / rate);
		gain *= (1 + zero[used] * zero[used] - 2 * zero[used] * c) /
			(1 + pole[used] * pole[used] - 2 * pole[used] * c);
	}
	gain = 1 / sqrt(gain);
	int64_t before = (int64_t)(3 * rate); /* until the slowest pole has forgotten its start */
	for (int64_t t = -before; t < n; t++) {
		double v = gain * rng_normal(g);
		for (int i = 0; i < used; i++) {
			double old = state[i];
			state[i] = v + pole[i] * old;
			v = state[i] - zero[i] * old;
		}
		if (t >= 0)
			x[t] = v;
	}
}

/* A rhythm of mean power near 1/2 whose phase wanders and whose amplitude waxes and wanes by
 * `waxing`. x [n]. */
static void make_rhythm(struct rng *g, double hz, double waxing, double rate, int64_t n, double *x)
{
	double phase = 2 * pi * rng_uniform(g), slow = rng_normal(g), keep = exp(-1 / rate),
	       push = sqrt(1 - keep * keep);
	double wander = sqrt(1.0 / rate); /* radians a step: a line about 1/pi Hz wide */
	for (int64_t t = 0; t < n; t++) {
		x[t] = (1 + waxing * slow) * sin(phase);
		phase += 2 * pi * hz / rate + wander * rng_normal(g);
		slow = keep * slow + push * rng_normal(g);
	}
}

static double source_weight(const double a[3], const double b[3], double width)
{
	double angle = montage_angle(a, b);
	return exp(-angle * angle / (2 * width * width));
}

static void add_source(const struct synth *s, struct synth_recording *r, const double at[3], double width,
	double amplitude, const double *x)
{
	for (int c = 0; c < s->channels.n; c++) {
		float w = (float)(amplitude * source_weight(s->position[c], at, width));
		float *y = r->signal + c * r->n;
		for (int64_t t = 0; t < r->n; t++)
			y[t] += w * (float)x[t];
	}
}

/* Sources evenly over the upper part of the sphere, on a spiral of the golden angle. */
static void source_position(int i, double p[3])
{
	double z = 1 - 1.4 * (i + 0.5) / SOURCES, a = i * pi * (3 - sqrt(5));
	p[0] = sqrt(1 - z * z) * cos(a);
	p[1] = sqrt(1 - z * z) * sin(a);
	p[2] = z;
}

static void add_background(const struct synth *s, struct synth_recording *r, double *x)
{
	static const double width = 0.5, density = 1.4; /* radians; microvolts per sqrt(Hz) at 10 Hz */
	double sum[3] = {0, 0, 1}, p[3], power = 0;
	for (int i = 0; i < SOURCES; i++) {
		source_position(i, p);
		power += pow(source_weight(sum, p, width), 2);
	}
	for (int i = 0; i < SOURCES; i++) {
		struct rng g = recording_stream(s, r, "background", i);
		source_position(i, p);
		pink_noise(&g, s->rate, r->n, x);
		add_source(s, r, p, width, density / sqrt(power), x);
	}
}

/* The brain's own rhythms; what a subject has of each is the subject's, a session changes it a
 * little. */
static void add_rhythms(const struct synth *s, struct synth_recording *r, double *x)
{
	static const struct {
		const char *at;
		double hz, spread, amplitude;
	} table[] = {{"Fz", 6, 0.4, 4}, {"C3", 11, 0.6, 4}, {"C4", 11, 0.6, 4}, {"C3", 20, 1, 1.5},
		{"C4", 20, 1, 1.5}, {"O1", 10, 0.6, 7}, {"O2", 10, 0.6, 7}, {"Pz", 10, 0.6, 4}};
	struct rng own = rng_stream(s->seed, "subject rhythms", (uint64_t)r->subject, 0);
	struct rng day = recording_stream(s, r, "session rhythms", 0);
	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		double hz = table[i].hz + table[i].spread * clipped_normal(&own) + 0.1 * clipped_normal(&day);
		double amplitude =
			table[i].amplitude * exp(0.35 * clipped_normal(&own) + 0.08 * clipped_normal(&day));
		double at[3];
		must(montage_position(table[i].at, at));
		struct rng g = recording_stream(s, r, "rhythm", (int)i);
		if (hz >= s->rate / 2)
			continue;
		make_rhythm(&g, hz, 0.5, s->rate, r->n, x);
		add_source(s, r, at, 0.5, amplitude, x);
	}
}

static void add_sensor_noise(const struct synth *s, struct synth_recording *r)
{
	for (int c = 0; c < s->channels.n; c++) {
		struct rng g = recording_stream(s, r, "sensor", c);
		for (int64_t t = 0; t < r->n; t++)
			r->signal[c * r->n + t] += (float)rng_normal(&g);
	}
}

/* Variance of a channel. */
static double channel_power(const float *x, int64_t n)
{
	double sum = 0, square = 0;
	for (int64_t t = 0; t < n; t++) {
		sum += (double)x[t];
		square += (double)x[t] * (double)x[t];
	}
	return square / (double)n - sum / (double)n * (sum / (double)n);
}

/* The subject's own frequency, within 2 % of the nominal one. */
static double own_hz(const struct synth *s, double nominal, struct rng *own)
{
	double hz = nominal * (1 + 0.01 * clipped_normal(own));
	return hz < s->rate / 2 ? hz : nominal;
}

/* What the signals [C][T] of a place are multiplied by for the asked strength over base [C]. */
static float effect_scale(const struct synth *s, const struct synth_place *p, const float *signal, int64_t n,
	const double *base)
{
	double there = 0, others = 0;
	for (int j = 0; j < p->n; j++) {
		there += channel_power(signal + p->channel[j] * n, n);
		others += base[p->channel[j]];
	}
	return (float)sqrt(s->snr * others / there);
}

/* Adds every effect: one source under each channel of the place, scaled to the asked strength over
 * the whole recording, then heard only while the class is on. base [C]: power of the background
 * before anything was added. */
static void add_effects(const struct synth *s, struct synth_recording *r, const double *base, double *x)
{
	int C = s->channels.n;
	struct synth_recording one = {.n = r->n, .subject = r->subject, .session = r->session};
	one.signal = NEW_ARRAY(float, C * r->n);
	for (int i = 0; i < s->effects; i++) {
		const struct synth_effect *e = &s->effect[i];
		struct rng own = rng_stream(s->seed, "subject effect", (uint64_t)r->subject, (uint64_t)i);
		double hz = own_hz(s, e->hz, &own);
		memset(one.signal, 0, (size_t)(C * r->n) * sizeof *one.signal);
		for (int j = 0; j < e->place.n; j++) {
			struct rng g = recording_stream(s, r, "effect", (i << 12) + j);
			make_rhythm(&g, hz, 0.25, s->rate, r->n, x);
			add_source(s, &one, s->position[e->place.channel[j]], 0.35, 1, x);
		}
		float scale = effect_scale(s, &e->place, one.signal, r->n, base);
		for (int c = 0; c < C; c++)
			for (int64_t t = 0; t < r->n; t++)
				if (r->label[t] == e->class)
					r->signal[c * r->n + t] += scale * one.signal[c * r->n + t];
	}
	free(one.signal);
}

/* A burst at `at` seconds after its beginning: a second that rises and falls within a tenth. */
static double burst_shape(double at)
{
	double edge = fmin(at, 1 - at) / 0.1;
	return edge <= 0 ? 0 : edge >= 1 ? 1 : pow(sin(pi / 2 * edge), 2);
}

/* When the two places of the relation have their bursts: shape [2][T], 0 to 1. Cycles start again
 * with every block. */
static void lay_bursts(const struct synth *s, const struct synth_recording *r, double *shape)
{
	struct rng g = recording_stream(s, r, "relation", 0);
	int parts = s->classes.n;
	for (int b = 0; b < r->blocks; b++) {
		int64_t end = b + 1 < r->blocks ? r->block[b + 1].start : r->n, cycle = -1;
		int first = 0;
		for (int64_t t = r->block[b].start; t < end; t++) {
			double at = (double)(t - r->block[b].start) / s->rate, second = floor(at);
			if ((int64_t)(second / parts) != cycle) {
				cycle++;
				first = (int)rng_below(&g, (uint64_t)parts);
			}
			int part = (int)fmod(second, parts), later = (first + r->block[b].class) % parts;
			shape[t] = part == first ? burst_shape(at - second) : 0;
			shape[r->n + t] = part == later ? burst_shape(at - second) : 0;
		}
	}
}

/* Adds the bursts of the relation: a rhythm of its own in each channel of the two places, none of
 * it anywhere else. */
static void add_relation(const struct synth *s, struct synth_recording *r, const double *base, double *x)
{
	double *shape = NEW_ARRAY(double, 2 * r->n);
	float *signal = NEW_ARRAY(float, s->channels.n * r->n);
	lay_bursts(s, r, shape);
	for (int i = 0; i < 2; i++) {
		const struct synth_place *p = &s->relation.place[i];
		struct rng own = rng_stream(s->seed, "subject relation", (uint64_t)r->subject, (uint64_t)i);
		double hz = own_hz(s, s->relation.hz, &own);
		for (int j = 0; j < p->n; j++) {
			struct rng g = recording_stream(s, r, "bursts", (i << 12) + j);
			float *y = signal + p->channel[j] * r->n;
			make_rhythm(&g, hz, 0.25, s->rate, r->n, x);
			for (int64_t t = 0; t < r->n; t++)
				y[t] = (float)(shape[i * r->n + t] * x[t]);
		}
		float scale = effect_scale(s, p, signal, r->n, base);
		for (int j = 0; j < p->n; j++)
			for (int64_t t = 0; t < r->n; t++)
				r->signal[p->channel[j] * r->n + t] +=
					scale * signal[p->channel[j] * r->n + t];
	}
	free(signal);
	free(shape);
}

static void note_event(
	struct synth_recording *r, enum synth_artefact kind, int channel, int64_t start, int64_t length)
{
	ROOM_FOR_ONE(r->event, r->events, r->events_room);
	r->event[r->events++] = (struct synth_event){kind, channel, start, length};
}

/* How many of one kind, at least one, and where the next lies. */
static int64_t artefact_count(const struct synth *s, double per_minute)
{
	int64_t n = (int64_t)lround(s->seconds / 60 * per_minute);
	return n ? n : 1;
}

static void draw_place(const struct synth *s, struct synth_recording *r, struct rng *g, double least,
	double most, int64_t *start, int64_t *length)
{
	*length = (int64_t)ceil((least + (most - least) * rng_uniform(g)) * s->rate);
	if (*length > r->n / 4)
		*length = r->n / 4 + 1;
	*start = (int64_t)rng_below(g, (uint64_t)(r->n - *length));
}

/* Eyelids: a bump of a third of a second, largest over the forehead. Muscles: noise that grows with
 * frequency, one temple. */
static void add_bump_artefacts(const struct synth *s, struct synth_recording *r, enum synth_artefact kind)
{
	struct rng g = recording_stream(s, r, synth_artefact_name[kind], 0);
	double *x = NEW_ARRAY(double, r->n), at[3];
	for (int64_t i = artefact_count(s, kind == SYNTH_BLINK ? 12 : 3); i > 0; i--) {
		int64_t start, length;
		bool left = rng_below(&g, 2);
		draw_place(s, r, &g, kind == SYNTH_BLINK ? 0.25 : 0.5, kind == SYNTH_BLINK ? 0.4 : 1.5,
			&start, &length);
		double size = 1 + 0.2 * clipped_normal(&g), before = 0;
		memset(x, 0, (size_t)r->n * sizeof *x);
		for (int64_t t = 0; t < length; t++) {
			double shape = sin(pi * (double)t / (double)length), v = rng_normal(&g);
			x[start + t] = kind == SYNTH_BLINK ? shape * shape : shape * (v - before);
			before = v;
		}
		must(montage_position(kind == SYNTH_BLINK ? "Nz" : left ? "T7" : "T8", at));
		add_source(s, r, at, 0.45, size * (kind == SYNTH_BLINK ? 140 : 25), x);
		note_event(r, kind, -1, start, length);
	}
	free(x);
}

/* A segment in which one channel stands still (flat), has no values (gap), or the recorder writes
 * nothing (pause). */
static void add_segment_artefacts(const struct synth *s, struct synth_recording *r, enum synth_artefact kind)
{
	struct rng g = recording_stream(s, r, synth_artefact_name[kind], 0);
	for (int64_t i = artefact_count(s, 1); i > 0; i--) {
		int64_t start, length;
		draw_place(
			s, r, &g, kind == SYNTH_GAP ? 0.05 : 1, kind == SYNTH_GAP ? 0.3 : 2, &start, &length);
		int c = (int)rng_below(&g, (uint64_t)s->channels.n);
		float *x = r->signal + c * r->n, still = x[start];
		for (int64_t t = start; t < start + length; t++) {
			if (kind == SYNTH_PAUSE)
				r->pause[t] = true;
			else
				x[t] = kind == SYNTH_GAP ? NAN : still;
		}
		note_event(r, kind, kind == SYNTH_PAUSE ? -1 : c, start, length);
	}
}

/* Rounds of about ten seconds a class, every class once a round, each round in a random order; no
 * class twice in a row. */
static void lay_blocks(const struct synth *s, struct synth_recording *r)
{
	int classes = s->classes.n, rounds = (int)fmax(1, floor(s->seconds / (10.0 * classes)));
	int64_t *order = NEW_ARRAY(int64_t, classes);
	struct rng g = recording_stream(s, r, "blocks", 0);
	r->block = NEW_ARRAY(struct synth_block, rounds * classes);
	for (int i = 0; i < rounds; i++) {
		rng_permutation(&g, order, classes);
		if (i && order[0] == r->block[r->blocks - 1].class) {
			int64_t first = order[0];
			order[0] = order[classes - 1];
			order[classes - 1] = first;
		}
		for (int c = 0; c < classes; c++) {
			int64_t start = r->n * r->blocks / (rounds * classes);
			r->block[r->blocks++] = (struct synth_block){start, (int)order[c]};
		}
	}
	free(order);
	for (int b = 0; b < r->blocks; b++)
		for (int64_t t = r->block[b].start; t < (b + 1 < r->blocks ? r->block[b + 1].start : r->n);
			t++)
			r->label[t] = r->block[b].class;
}

struct synth_recording *synth_record(const struct synth *s, int subject, int session)
{
	struct synth_recording *r = NEW(struct synth_recording);
	*r = (struct synth_recording){.subject = subject, .session = session};
	r->n = (int64_t)llround(s->seconds * s->rate);
	r->signal = NEW_ARRAY(float, s->channels.n * r->n);
	r->label = NEW_ARRAY(int32_t, r->n);
	r->pause = NEW_ARRAY(bool, r->n);
	double *x = NEW_ARRAY(double, r->n), *base = NEW_ARRAY(double, s->channels.n);
	lay_blocks(s, r);
	add_background(s, r, x);
	add_rhythms(s, r, x);
	add_sensor_noise(s, r);
	for (int c = 0; c < s->channels.n; c++)
		base[c] = channel_power(r->signal + c * r->n, r->n);
	add_effects(s, r, base, x);
	if (s->relation.hz > 0)
		add_relation(s, r, base, x);
	struct rng own = rng_stream(s->seed, "subject gain", (uint64_t)subject, 0),
		   day = recording_stream(s, r, "session gain", 0);
	float gain = (float)exp(0.25 * clipped_normal(&own) + 0.05 * clipped_normal(&day));
	for (int64_t i = 0; i < s->channels.n * r->n; i++)
		r->signal[i] *= gain;
	for (int k = 0; k < SYNTH_ARTEFACTS; k++)
		if (s->artefact[k] && (k == SYNTH_BLINK || k == SYNTH_MUSCLE))
			add_bump_artefacts(s, r, (enum synth_artefact)k);
		else if (s->artefact[k])
			add_segment_artefacts(s, r, (enum synth_artefact)k);
	free(x);
	free(base);
	return r;
}

void synth_recording_free(struct synth_recording *r)
{
	if (!r)
		return;
	free(r->signal);
	free(r->label);
	free(r->pause);
	free(r->block);
	free(r->event);
	free(r);
}
