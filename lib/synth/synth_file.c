/* A synthetic recording and its truth as text. */
#include "synth/synth.h"

#include "base/json.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* x with two decimals into s; returns its length. */
static size_t two_decimals(char *s, double x)
{
	long long v = llround(x * 100);
	unsigned long long a = v < 0 ? 0ULL - (unsigned long long)v : (unsigned long long)v;
	char digits[24];
	size_t n = 0, i = 0;
	do {
		digits[n++] = (char)('0' + a % 10);
		a /= 10;
	} while (a || n < 3);
	if (v < 0)
		s[i++] = '-';
	while (n) {
		if (n == 2)
			s[i++] = '.';
		s[i++] = digits[--n];
	}
	return i;
}

static int write_row(const struct synth *s, const struct synth_recording *r, int64_t t, struct output *o)
{
	char number[48];
	int n = snprintf(number, sizeof number, "%.10g", (double)t / s->rate);
	if (output_write(o, number, (size_t)n))
		return -1;
	for (int c = 0; c < s->channels.n; c++) {
		float x = r->signal[c * r->n + t];
		number[0] = ',';
		size_t len = isnan(x) ? 1 : 1 + two_decimals(number + 1, (double)x);
		if (output_write(o, number, len))
			return -1;
	}
	return output_printf(o, ",%s\n", s->classes.s[r->label[t]]);
}

int synth_write_csv(const struct synth *s, const struct synth_recording *r, struct output *o)
{
	if (output_printf(o, "time"))
		return -1;
	for (int c = 0; c < s->channels.n; c++)
		if (output_printf(o, ",%s", s->channels.s[c]))
			return -1;
	if (output_printf(o, ",label\n"))
		return -1;
	for (int64_t t = 0; t < r->n; t++)
		if (!r->pause[t] && write_row(s, r, t, o))
			return -1;
	return 0;
}

/* "region":..,"channels":[..] */
static void put_place(const struct synth *s, const struct synth_place *p, struct text *t)
{
	text_add(t, "\"region\":");
	if (p->region >= 0)
		text_addf(t, "%d", p->region);
	else
		text_add(t, "null");
	text_add(t, ",\"channels\":[");
	for (int j = 0; j < p->n; j++) {
		text_add(t, j ? "," : "");
		json_string(t, s->channels.s[p->channel[j]]);
	}
	text_add(t, "]");
}

static void put_relation(const struct synth *s, struct text *t)
{
	text_add(t, "{\"hz\":");
	json_double(t, s->relation.hz);
	text_add(t, ",\"places\":[{");
	put_place(s, &s->relation.place[0], t);
	text_add(t, "},{");
	put_place(s, &s->relation.place[1], t);
	text_addf(t, "}],\"burst\":1,\"cycle\":%d,\"later\":{", s->classes.n);
	for (int c = 0; c < s->classes.n; c++) {
		text_add(t, c ? "," : "");
		json_string(t, s->classes.s[c]);
		text_addf(t, ":%d", c);
	}
	text_add(t, "},\"snr\":");
	json_double(t, s->snr);
	text_add(t, "}");
}

void synth_truth_head(const struct synth *s, struct text *t)
{
	text_addf(t, "{\"seed\":\"%llu\",\"rate\":", (unsigned long long)s->seed);
	json_double(t, s->rate);
	text_add(t, ",\"seconds\":");
	json_double(t, s->seconds);
	text_add(t, ",\"unit\":\"uV\",\"channels\":");
	json_list(t, &s->channels);
	text_add(t, ",\"classes\":");
	json_list(t, &s->classes);
	text_addf(t, ",\"experts\":%d,\"effects\":[", s->regions);
	for (int i = 0; i < s->effects; i++) {
		const struct synth_effect *e = &s->effect[i];
		text_add(t, i ? ",{\"class\":" : "{\"class\":");
		json_string(t, s->classes.s[e->class]);
		text_add(t, ",\"hz\":");
		json_double(t, e->hz);
		text_add(t, ",");
		put_place(s, &e->place, t);
		text_add(t, ",\"snr\":");
		json_double(t, s->snr);
		text_add(t, "}");
	}
	text_add(t, "],\"relation\":");
	if (s->relation.hz > 0)
		put_relation(s, t);
	else
		text_add(t, "null");
	text_add(t, ",\"recordings\":[");
}

void synth_truth_recording(
	const struct synth *s, const struct synth_recording *r, const char *file, struct text *t)
{
	text_add(t, text_ends(text_string(t), "[") ? "\n{\"file\":" : ",\n{\"file\":");
	json_string(t, file);
	text_addf(t, ",\"subject\":\"S%02d\",\"session\":\"%d\",\"blocks\":[", r->subject, r->session);
	for (int b = 0; b < r->blocks; b++) {
		text_add(t, b ? ",{\"start\":" : "{\"start\":");
		json_double(t, (double)r->block[b].start / s->rate);
		text_add(t, ",\"label\":");
		json_string(t, s->classes.s[r->block[b].class]);
		text_add(t, "}");
	}
	text_add(t, "],\"artefacts\":[");
	for (int i = 0; i < r->events; i++) {
		const struct synth_event *e = &r->event[i];
		text_addf(t, "%s{\"kind\":\"%s\",\"start\":", i ? "," : "", synth_artefact_name[e->kind]);
		json_double(t, (double)e->start / s->rate);
		text_add(t, ",\"seconds\":");
		json_double(t, (double)e->length / s->rate);
		text_add(t, ",\"channel\":");
		if (e->channel >= 0)
			json_string(t, s->channels.s[e->channel]);
		else
			text_add(t, "null");
		text_add(t, "}");
	}
	text_add(t, "]}");
}
