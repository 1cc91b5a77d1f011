/* What was understood of the recordings, in words. */
#include "eeg/split_state.h"

#include "base/mem.h"
#include "eeg/events.h"
#include "eeg/unit.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>

enum { SHOWN = 8 }; /* of a long list */

static void line(struct text *t, const char *what)
{
	text_addf(t, "  %-13s", what);
}

/* "8: Fp1, Fp2, ..." */
static void list(struct text *t, const struct names *l)
{
	text_addf(t, "%d:", l->n);
	for (int i = 0; i < l->n; i++)
		text_addf(t, "%s %s", i ? "," : "", l->s[i]);
	text_add(t, "\n");
}

/* A line for each name and why. */
static void reasons(struct text *t, const char *what, const struct names *name, const struct names *why)
{
	for (int i = 0; i < name->n; i++) {
		line(t, i ? "" : what);
		text_addf(t, "%s: %s\n", *name->s[i] ? name->s[i] : "(no name)", why->s[i]);
	}
}

static void say_time(struct text *t, const struct recording *r)
{
	const char *column = explain_time_column(r), *kind = explain_time_kind(r);
	line(t, "time");
	if (column)
		text_addf(t, "column %s, %s\n", column, kind ? kind : "of an unknown kind");
	else
		text_add(t, "no column\n");
	line(t, "gaps");
	text_addf(t, "%lld", (long long)r->time.gaps);
	for (int64_t i = 0; i < r->time.gaps && i < SHOWN; i++) {
		text_addf(t, "%s row %lld", i ? "," : ":", (long long)r->time.gap[i].recorded);
		if (isnan(r->time.gap[i].seconds))
			text_add(t, " (begins anew)");
		else
			text_addf(t, " (%.6g s)", r->time.gap[i].seconds);
	}
	text_add(t, r->time.gaps > SHOWN ? ", ...\n" : "\n");
}

static void say_table(struct text *t, const struct recording *r)
{
	const char *delim = r->delim == '\t'  ? "tabs"
			    : r->delim == ' ' ? "blanks"
			    : r->delim == ';' ? "semicolons"
					      : "commas";
	line(t, "dialect");
	text_addf(t, "%s: %s between cells, decimal %s, %d header %s\n", r->facts.dialect, delim,
		r->decimal == ',' ? "commas" : "points", r->header_rows,
		r->header_rows == 1 ? "row" : "rows");
	for (int i = 0; i < r->facts.key.n; i++) {
		line(t, i ? "" : "comments");
		text_addf(t, "%s: %s\n", r->facts.key.s[i], r->facts.value.s[i]);
	}
}

static void say_windows(
	struct text *t, const struct split *s, const struct recording *r, const struct events *e)
{
	const char *between = "";
	line(t, "labels");
	for (int i = 0; i < r->labels; i++)
		if (r->label_rows[i]) {
			text_addf(
				t, "%s%s in %lld rows", between, s->labels.s[i], (long long)r->label_rows[i]);
			between = ", ";
		}
	text_add(t, *between ? "\n" : "none\n");
	if (e) {
		line(t, "events");
		text_addf(t, "%d in %s: %lld trials, %d outside the recording\n", e->n, e->file,
			(long long)r->trials, e->outside);
	}
	line(t, "group");
	text_addf(t, "%s\n", r->group);
	line(t, "windows");
	if (s->layout.length)
		text_addf(t, "%lld of %d samples, one every %d; %lld left out\n", (long long)r->windows,
			s->layout.length, s->layout.stride, (long long)r->left_out);
	else
		text_add(t, "not known without the rate\n");
}

static void say_regions(struct text *t, const struct layout *l)
{
	for (int k = 0; k < l->regions; k++) {
		const struct region *g = &l->region[k];
		line(t, k ? "" : "regions");
		text_addf(t, "%s:", g->name);
		for (int halo = 0; halo < 2; halo++)
			for (int j = 0, n = 0; j < g->width; j++)
				if (g->channel[j] >= 0 && g->core[j] == !halo)
					text_addf(t, "%s %s",
						n++    ? ","
						: halo ? "; halo"
						       : "",
						l->channels.s[g->channel[j]]);
		text_add(t, "\n");
	}
}

static void say_empty(struct text *t, const struct split *s)
{
	if (s->regions.empty.n) {
		line(t, "no channel");
		list(t, &s->regions.empty);
	}
	if (s->regions.head > 0) {
		line(t, "head");
		text_addf(t, "radius %.4g mm\n", s->regions.head);
	}
}

static void say_one(struct text *t, const struct split *s, int i)
{
	const struct recording *r = &s->told[i].r;
	struct names remarks = {0};
	text_addf(t, "%s: %lld rows of %d channels in %s, ", r->name, (long long)r->recorded,
		r->columns.channels.n, unit_common(r->columns.scale, r->columns.channels.n));
	if (r->rate > 0)
		text_addf(t, "%.10g Hz (%s)\n", r->rate, r->rate_from);
	else
		text_add(t, "rate not known (--rate)\n");
	say_table(t, r);
	line(t, "channels");
	list(t, &r->columns.channels);
	reasons(t, "no channels", &r->columns.ignored, &r->columns.why);
	say_time(t, r);
	line(t, "missing");
	text_addf(t, "%lld cells\n", (long long)r->missing);
	say_windows(t, s, r, s->told[i].events);
	reasons(t, "suspicious", &s->told[i].suspicious, &s->told[i].why);
	recording_remarks(r, &remarks);
	for (int k = 0; k < remarks.n; k++) {
		line(t, k ? "" : "notes");
		text_addf(t, "%s\n", remarks.s[k]);
	}
	names_free(&remarks);
	say_regions(t, &s->layout);
	say_empty(t, s);
}

void split_explain_words(const struct split *s, struct text *t)
{
	for (int i = 0; i < s->tolds; i++) {
		if (i)
			text_add(t, "\n");
		say_one(t, s, i);
	}
	for (size_t i = 0; i < t->n; i++) /* what stands in files shall not steer a terminal */
		if (iscntrl((unsigned char)t->s[i]) && t->s[i] != '\n')
			t->s[i] = '?';
}
