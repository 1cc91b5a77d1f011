#include "synth/synth.h"

#include "base/error.h"
#include "base/mem.h"
#include "base/rng.h"
#include "format/layout.h"
#include "scalp/montage.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

const char *const synth_artefact_name[SYNTH_ARTEFACTS] = {"blink", "muscle", "flat", "gap", "pause"};

static bool all_digits(const char *s)
{
	size_t n = strspn(s, "0123456789");
	return n && !s[n];
}

int synth_channels(struct synth *s, const char *text)
{
	long long n;
	if (all_digits(text)) {
		if (!text_to_long(text, &n) || n < 1 || n > 1000)
			return err_set(EX_USAGE,
				"--channels %s: give a number from 1 to 72, or a list of names", text);
		if (montage_pick(&s->channels, (int)n))
			return err_at("--channels");
	} else {
		names_split(&s->channels, text, ',');
	}
	if (!s->channels.n)
		return err_set(EX_USAGE,
			"--channels names no channel; give a number, or names such as Fp1,Fp2,O1,O2");
	const char *twice = names_duplicate(&s->channels);
	if (twice)
		return err_set(EX_USAGE, "--channels: \"%s\" is listed twice", twice);
	s->position = mem_new((size_t)s->channels.n, sizeof *s->position);
	for (int c = 0; c < s->channels.n; c++)
		if (!montage_position(s->channels.s[c], s->position[c]))
			return err_set(EX_USAGE,
				"--channels: \"%s\" is not an electrode of the 10-05 system (Fp1, Cz, PO7, "
				"FFC1h ...)",
				s->channels.s[c]);
	return 0;
}

int synth_classes(struct synth *s, const char *text)
{
	long long n;
	if (!all_digits(text)) {
		names_split(&s->classes, text, ',');
		const char *twice = names_duplicate(&s->classes);
		if (twice)
			return err_set(EX_USAGE, "--classes: \"%s\" is listed twice", twice);
		for (int i = 0; i < s->classes.n; i++)
			if (strpbrk(s->classes.s[i], "\",;:@\t\r\n"))
				return err_set(EX_USAGE,
					"--classes: \"%s\": a name may not hold , ; : @ or quotes",
					s->classes.s[i]);
	} else if (text_to_long(text, &n) && n >= 2 && n <= 100) {
		names_add(&s->classes, "rest");
		for (int i = 1; i < n; i++) {
			char *name = n == 2 ? mem_text("task") : mem_format("task%d", i);
			names_add(&s->classes, name);
			free(name);
		}
	}
	return s->classes.n >= 2
		       ? 0
		       : err_set(EX_USAGE,
				 "--classes %s: give a number from 2 to 100, or a list of two names or more",
				 text);
}

int synth_artefacts(struct synth *s, const char *text)
{
	struct names list = {0};
	names_split(&list, text, ',');
	int r = list.n ? 0
		       : err_set(EX_USAGE,
				 "--artefacts: give one or more of blink, muscle, flat, gap, pause");
	for (int i = 0; i < list.n && !r; i++) {
		int k = 0;
		while (k < SYNTH_ARTEFACTS && strcmp(list.s[i], synth_artefact_name[k]))
			k++;
		if (k == SYNTH_ARTEFACTS)
			r = err_set(EX_USAGE,
				"--artefacts: \"%s\" is not one of blink, muscle, flat, gap, pause",
				list.s[i]);
		else
			s->artefact[k] = true;
	}
	names_free(&list);
	return r;
}

/* The channels that index region `region` of K owns: the same split as moe-split makes. */
static int region_place(const struct synth *s, struct synth_place *p, int region)
{
	struct layout l = {.channels = s->channels};
	if (layout_index_regions(&l, s->regions, 0))
		return -1;
	p->region = region;
	p->n = l.region[region].width;
	p->channel = NEW_ARRAY(int, p->n);
	for (int j = 0; j < p->n; j++)
		p->channel[j] = l.region[region].channel[j];
	l.channels = (struct names){0}; /* borrowed */
	layout_free(&l);
	return 0;
}

static int list_place(const struct synth *s, struct synth_place *place, const char *text, const char *option)
{
	struct names list = {0};
	char *commas = mem_text(text), *have = names_join(&s->channels, " ");
	for (char *p = commas; *p; p++)
		if (*p == '+')
			*p = ',';
	names_split(&list, commas, ',');
	const char *twice = names_duplicate(&list);
	int r = 0;
	place->region = -1;
	place->n = list.n;
	place->channel = NEW_ARRAY(int, list.n);
	if (!list.n)
		r = err_set(EX_USAGE, "%s: the place is missing; give the number of a region, or channels",
			option);
	if (twice)
		r = err_set(EX_USAGE, "%s: channel \"%s\" is listed twice", option, twice);
	for (int j = 0; j < list.n && !r; j++) {
		place->channel[j] = names_find(&s->channels, list.s[j]);
		if (place->channel[j] < 0)
			r = err_set(EX_USAGE, "%s: channel \"%s\" is not one of %s", option, list.s[j], have);
	}
	names_free(&list);
	free(commas);
	free(have);
	return r;
}

static int read_place(const struct synth *s, struct synth_place *p, const char *text, const char *option)
{
	long long k;
	if (!all_digits(text))
		return list_place(s, p, text, option);
	if (!text_to_long(text, &k) || k >= s->regions)
		return err_set(EX_USAGE, "%s: there is no region %s; --regions %d makes regions 0 to %d",
			option, text, s->regions, s->regions - 1);
	return region_place(s, p, (int)k);
}

static struct synth_effect *new_effect(struct synth *s)
{
	GROW(s->effect, s->effects + 1);
	s->effect[s->effects] = (struct synth_effect){0};
	return &s->effect[s->effects++];
}

int synth_effect(struct synth *s, const char *text)
{
	char *copy = mem_text(text), *at = strchr(copy, '@'), *colon = NULL;
	if (at) {
		*at = 0;
		colon = strrchr(copy, ':');
	}
	struct synth_effect *e = new_effect(s);
	int r = 0;
	long long index = -1;
	if (!colon) {
		r = err_set(
			EX_USAGE, "--effect %s: write CLASS:HZ@PLACE, such as task:10@O1+O2 or 1:20@3", text);
	} else {
		*colon = 0;
		e->class = names_find(&s->classes, copy);
		if (e->class < 0 && text_to_long(copy, &index) && index >= 0 && index < s->classes.n)
			e->class = (int)index;
		if (e->class < 0) {
			char *have = names_join(&s->classes, ", ");
			r = err_set(EX_USAGE, "--effect %s: class \"%s\" is not one of %s", text, copy, have);
			free(have);
		} else if (!text_to_double(colon + 1, &e->hz)) {
			r = err_set(
				EX_USAGE, "--effect %s: \"%s\" is not a frequency in Hz", text, colon + 1);
		} else {
			r = read_place(s, &e->place, at + 1, "--effect");
		}
	}
	free(copy);
	return r;
}

/* A rhythm's usual frequency, or what the rate leaves of it. */
static double beta_hz(const struct synth *s)
{
	return s->rate * 0.4 < 20 ? s->rate * 0.4 : 20;
}

static const char *shared_channel(
	const struct synth *s, const struct synth_place *a, const struct synth_place *b)
{
	for (int i = 0; i < a->n; i++)
		for (int j = 0; j < b->n; j++)
			if (a->channel[i] == b->channel[j])
				return s->channels.s[a->channel[i]];
	return NULL;
}

int synth_relation(struct synth *s, const char *text)
{
	struct names places = {0};
	struct synth_place *p = s->relation.place;
	names_split(&places, text, ',');
	int r = places.n == 2 ? 0
			      : err_set(EX_USAGE,
					"--relation %s: write PLACE,PLACE, such as 0,3 or F3+F4,O1+O2", text);
	for (int i = 0; i < 2 && !r; i++)
		r = read_place(s, &p[i], places.s[i], "--relation");
	const char *both = r ? NULL : shared_channel(s, &p[0], &p[1]);
	if (both)
		r = err_set(EX_USAGE, "--relation %s: channel \"%s\" is in both places", text, both);
	s->relation.hz = beta_hz(s);
	names_free(&places);
	return r;
}

int synth_effects_at(struct synth *s, const char *where)
{
	struct rng r = rng_stream(s->seed, "place", 0, 0);
	char *drawn = mem_format("%d", (int)rng_below(&r, (uint64_t)s->regions));
	int failed = 0;
	for (int c = 1; c < s->classes.n && !failed; c++) {
		struct synth_effect *e = new_effect(s);
		e->class = c;
		/* 20 Hz for one class; more share the band between 6 Hz and 40 Hz, or what the rate
		 * leaves of it */
		double high = s->rate * 0.4 < 40 ? s->rate * 0.4 : 40, low = high < 12 ? high / 2 : 6;
		e->hz = s->classes.n == 2 ? beta_hz(s) : low + (high - low) * (c - 1) / (s->classes.n - 2);
		failed = read_place(s, &e->place, where ? where : drawn, where ? "--where" : "--regions");
	}
	free(drawn);
	return failed;
}

int synth_check(const struct synth *s)
{
	if (s->seconds < s->classes.n)
		return err_set(EX_USAGE, "--seconds %g is too short: %d classes need a second each",
			s->seconds, s->classes.n);
	/* Blocks are ten seconds at least, or the recording's part for a class: a whole cycle. */
	int n = s->classes.n;
	if (s->relation.hz > 0 && (n > 10 || s->seconds < n * n))
		return err_set(EX_USAGE,
			"--relation with %d classes: there may be at most 10, and --seconds must be at least "
			"their square, %d",
			n, n * n);
	if (s->relation.hz > 0 && s->rate < 10)
		return err_set(EX_USAGE, "--relation: bursts of a second need a --rate of 10 or more");
	if (s->seconds * s->rate * s->channels.n > 1e9)
		return err_set(EX_USAGE,
			"--seconds %g: a recording would have more than a billion values; make it shorter",
			s->seconds);
	for (int i = 0; i < s->effects; i++)
		if (!(s->effect[i].hz > 0 && s->effect[i].hz < s->rate / 2))
			return err_set(EX_USAGE,
				"--effect at %g Hz: the frequency must be above 0 and below half the rate of "
				"%g Hz",
				s->effect[i].hz, s->rate);
	return 0;
}

void synth_free(struct synth *s)
{
	for (int i = 0; i < s->effects; i++)
		free(s->effect[i].place.channel);
	free(s->effect);
	free(s->relation.place[0].channel);
	free(s->relation.place[1].channel);
	free(s->position);
	names_free(&s->channels);
	names_free(&s->classes);
	*s = (struct synth){0};
}
