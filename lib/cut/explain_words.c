/* What was understood of the recordings, in words. */
#include "cut/split_state.h"

#include "base/mem.h"
#include "recording/unit.h"
#include "sidecar/events.h"

#include <math.h>
#include <stdlib.h>

enum { SHOWN = 8 }; /* of a long list */

static void begin_line(struct text *t, const char *what)
{
	text_addf(t, "  %-13s", what);
}

/* A line that is a name, or a sentence. */
static void add_named_line(struct text *t, const char *what, const char *name)
{
	begin_line(t, what);
	text_shown(t, name);
	text_add(t, "\n");
}

/* "8: Fp1, Fp2, ..." */
static void add_names(struct text *t, const struct names *l)
{
	text_addf(t, "%d:", l->n);
	for (int i = 0; i < l->n; i++) {
		text_add(t, i ? ", " : " ");
		text_shown(t, l->s[i]);
	}
	text_add(t, "\n");
}

/* A line for each name with its reason. */
static void add_reasons(struct text *t, const char *what, const struct names *name, const struct names *why)
{
	for (int i = 0; i < name->n; i++) {
		begin_line(t, i ? "" : what);
		text_shown(t, *name->s[i] ? name->s[i] : "(no name)");
		text_add(t, ": ");
		text_shown(t, why->s[i]);
		text_add(t, "\n");
	}
}

static void add_time(struct text *t, const struct recording *r)
{
	const char *column = r->columns.time_name, *kind = split_time_kind(r);
	begin_line(t, "time");
	text_add(t, column ? "column " : "no column");
	if (column) {
		text_shown(t, column);
		text_addf(t, ", %s", kind ? kind : "of an unknown kind");
	}
	text_add(t, "\n");
	begin_line(t, "gaps");
	text_addf(t, "%lld", (long long)r->time.gaps);
	for (int64_t i = 0; i < r->time.gaps && i < SHOWN; i++) {
		text_addf(t, "%s row %lld", i ? "," : ":", (long long)r->time.gap[i].recorded);
		if (isnan(r->time.gap[i].seconds))
			text_add(t, " (time begins again)");
		else
			text_addf(t, " (%.6g s)", r->time.gap[i].seconds);
	}
	text_add(t, r->time.gaps > SHOWN ? ", ...\n" : "\n");
}

static void add_table(struct text *t, const struct recording *r)
{
	const struct text_form *f = &r->form;
	const char *delim = f->delim == '\t'  ? "tabs"
			    : f->delim == ' ' ? "blanks"
			    : f->delim == ';' ? "semicolons"
					      : "commas";
	begin_line(t, f->delim ? "dialect" : "format");
	if (!f->delim)
		text_addf(t, "%s\n", r->header.dialect);
	else
		text_addf(t, "%s: separated by %s, decimal %s, %d header %s\n", r->header.dialect, delim,
			f->decimal == ',' ? "commas" : "points", f->header_rows,
			f->header_rows == 1 ? "row" : "rows");
	add_reasons(t, "comments", &r->header.key, &r->header.value);
}

static void add_preprocessing(struct text *t, const struct split *s, const struct recording *r)
{
	if (!preprocessing_any(&s->preprocessing))
		return;
	char *words = preprocessing_words(&s->layout.preprocessing);
	begin_line(t, "preprocessed");
	text_shown(t, words);
	if (s->preprocessing.rate > 0 && r->rate > 0)
		text_addf(t, ": %lld rows, available %.3g s late in a live stream", (long long)r->rows,
			r->delay / r->rate);
	text_add(t, "\n");
	free(words);
}

/* "left (2), right (1)" */
static void add_counts(struct text *t, const char *what, const struct names *names, const int *count)
{
	const char *between = what;
	for (int i = 0; i < names->n; i++)
		if (count[i]) {
			text_add(t, between);
			text_shown(t, names->s[i]);
			text_addf(t, " (%d)", count[i]);
			between = ", ";
		}
}

static void add_events(
	struct text *t, const struct split *s, const struct events *e, const struct recording *r)
{
	int *trials = NEW_ARRAY(int, s->labels.n + 1), *ignored = NEW_ARRAY(int, e->description.n + 1),
	    empty = 0;
	for (int64_t i = 0; i < r->trials; i++) {
		trials[r->trial[i].label]++;
		empty += !r->trial[i].windows;
	}
	begin_line(t, "events");
	text_addf(t, "%d in ", e->n);
	text_shown(t, e->file);
	text_addf(t, " (%s)", events_format(e));
	add_counts(t, "; trials of ", &s->labels, trials);
	if (events_ignored(e, ignored))
		add_counts(t, "; ignored: ", &e->description, ignored);
	text_addf(t, "; %d outside, %d without a window\n", e->outside, empty);
	free(trials);
	free(ignored);
}

static void add_windows(struct text *t, const struct split *s, int i)
{
	const struct recording *r = &s->explained[i].r;
	const char *between = "";
	begin_line(t, "labels");
	for (int k = 0; k < r->labels; k++)
		if (r->label_rows[k]) {
			text_add(t, between);
			text_shown(t, s->labels.s[k]);
			text_addf(t, " in %lld rows", (long long)r->label_rows[k]);
			between = ", ";
		}
	text_add(t, *between ? "\n" : "none\n");
	if (s->explained[i].events)
		add_events(t, s, s->explained[i].events, r);
	add_named_line(t, "group", r->group);
	if (s->conditions.n)
		add_named_line(t, "condition", s->conditions.s[i]);
	begin_line(t, "windows");
	if (split_cuts(s, r))
		text_addf(t, "%lld of %d samples, one every %d; %lld left out\n", (long long)r->windows,
			s->layout.length, s->layout.stride, (long long)r->left_out);
	else
		text_add(t, "not known without the rate\n");
}

static void add_regions(struct text *t, const struct layout *l)
{
	for (int k = 0; k < l->regions; k++) {
		const struct region *g = &l->region[k];
		begin_line(t, k ? "" : "regions");
		text_shown(t, g->name);
		text_add(t, ":");
		for (int halo = 0; halo < 2; halo++)
			for (int j = 0, n = 0; j < g->width; j++)
				if (g->channel[j] >= 0 && g->core[j] == !halo) {
					text_add(t, n++ ? ", " : halo ? "; halo " : " ");
					text_shown(t, l->channels.s[g->channel[j]]);
				}
		text_add(t, "\n");
	}
}

static void add_empty(struct text *t, const struct split *s)
{
	if (s->regions.empty.n) {
		begin_line(t, "no channel");
		add_names(t, &s->regions.empty);
	}
	if (s->regions.head > 0) {
		begin_line(t, "head");
		text_addf(t, "radius %.4g mm\n", s->regions.head);
	}
}

static void add_one(struct text *t, const struct split *s, int i)
{
	const struct recording *r = &s->explained[i].r;
	struct names remarks = {0};
	text_shown(t, r->name);
	text_addf(t, ": %lld rows of %d channels in %s, ", (long long)r->recorded, r->columns.channels.n,
		unit_common(r->columns.scale, r->columns.channels.n));
	if (r->rate > 0)
		text_addf(t, "%.10g Hz (%s)\n", r->rate, r->rate_from);
	else
		text_add(t, "rate not known (--rate)\n");
	add_table(t, r);
	begin_line(t, "channels");
	add_names(t, &r->columns.channels);
	add_reasons(t, "no channels", &r->columns.ignored, &r->columns.why);
	add_time(t, r);
	begin_line(t, "missing");
	text_addf(t, "%lld cells\n", (long long)r->missing);
	add_preprocessing(t, s, r);
	add_windows(t, s, i);
	add_reasons(t, "suspicious", &s->explained[i].suspicious, &s->explained[i].why);
	recording_remarks(r, &remarks);
	for (int k = 0; k < remarks.n; k++)
		add_named_line(t, k ? "" : "notes", remarks.s[k]);
	names_free(&remarks);
	add_regions(t, &s->layout);
	add_empty(t, s);
}

void split_explain_words(const struct split *s, struct text *t)
{
	for (int i = 0; i < s->explained_count; i++) {
		if (i)
			text_add(t, "\n");
		add_one(t, s, i);
	}
}
