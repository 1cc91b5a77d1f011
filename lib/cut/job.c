/* One recording on its way: its table, the plan of its columns, its rows. */
#include "cut/split_state.h"

#include "base/error.h"
#include "cut/sidecars.h"
#include "recording/dialect/dialect.h"
#include "recording/quality.h"
#include "sidecar/events.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void job_free(struct job *j)
{
	csv_table_free(j->table);
	recording_free(&j->r);
	names_free(&j->labels);
	names_free(&j->suspicious);
	names_free(&j->why);
	if (j->events)
		events_free(j->events);
	free(j->events);
	if (j->own.fd >= 0)
		close(j->own.fd);
	*j = (struct job){.own = {.fd = -1}};
}

/* A word for a separator, or the character itself; 0 when it is none. */
static char delimiter(const char *word)
{
	static const struct {
		const char *word;
		char delim;
	} known[] = {{"comma", ','}, {",", ','}, {"semicolon", ';'}, {";", ';'}, {"tab", '\t'}, {"\t", '\t'},
		{"\\t", '\t'}, {"blank", ' '}, {"space", ' '}, {" ", ' '}};
	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (!strcmp(word, known[i].word))
			return known[i].delim;
	return 0;
}

static int read_form(const struct split_options *o, struct csv_form *form)
{
	static const enum csv_header header[] = {[SPLIT_HEADER_AUTO] = CSV_HEADER_AUTO,
		[SPLIT_HEADER_NONE] = CSV_HEADER_NO,
		[SPLIT_HEADER_NO] = CSV_HEADER_NO,
		[SPLIT_HEADER_ONE] = CSV_HEADER_YES,
		[SPLIT_HEADER_YES] = CSV_HEADER_YES,
		[SPLIT_HEADER_TWO] = CSV_HEADER_TWO};
	const struct split_reading *r = &o->reading;
	*form = (struct csv_form){.delim = r->delim ? delimiter(r->delim) : 0,
		.decimal = r->decimal ? *r->decimal : 0,
		.header = header[r->header],
		.ragged = (enum csv_ragged)r->ragged,
		.max_row = o->max_row,
		.max_columns = o->max_columns};
	if (r->delim && !form->delim)
		return err_set(EX_USAGE, "--delim: \"%s\" is none of comma, semicolon, tab, blank", r->delim);
	if (r->decimal && strcmp(r->decimal, ".") && strcmp(r->decimal, ","))
		return err_set(EX_USAGE, "--decimal: \"%s\" is neither . nor ,", r->decimal);
	return 0;
}

int job_begin(struct job *j, const struct split *s, struct input *in)
{
	const struct split_options *o = s->o;
	struct csv_form form;
	j->file = input_name(in);
	if (read_form(o, &form))
		return -1;
	j->table = csv_table_new(in, &form);
	if (!j->table || facts_find(&j->r.facts, j->file, j->table, &o->reading))
		return -1;
	struct channel_facts beside;
	const struct plan_facts known = {csv_table_units(j->table), &j->r.facts, &beside, sidecars_labels(o)};
	int r = sidecars_channels(j, o, &beside) ||
				columns_plan(&j->r.columns, j->file, csv_table_names(j->table), o,
					s->channels.n ? &s->channels : NULL, &known)
			? -1
			: 0;
	channel_facts_free(&beside);
	if (known.why_label)
		j->r.columns.label = -1; /* seen, and not read */
	return r;
}

static int inspect(struct job *j, const struct spool *spool)
{
	struct names channels = {0};
	float *map = spool_map(spool, false);
	if (!map)
		return -1;
	for (int c = 0; c < spool->C; c++)
		names_add(&channels, columns_channel(&j->r.columns, c));
	quality_check(map + j->r.first * spool->C, j->r.rows, spool->C, &channels, &j->suspicious, &j->why);
	names_free(&channels);
	spool_unmap(spool, map);
	return 0;
}

static int read_into(struct job *j, const struct split_options *o, struct spool *spool)
{
	struct recording *r = &j->r;
	struct split_options own = *o;
	sidecars_rate(j, &own);
	if (recording_read(r, j->file, j->table, &own, &j->labels, spool) || sidecars_read(j, o) ||
		(r->holes && o->value == SPLIT_VALUE_INTERP && recording_interpolate(r, j->file, spool)) ||
		(o->explain && inspect(j, spool)))
		return -1;
	csv_table_free(j->table);
	j->table = NULL;
	return 0;
}

int job_read(struct job *j, const struct split *s, struct spool *spool)
{
	if (!conditioning_any(&s->conditioning))
		return read_into(j, s->o, spool);
	struct spool raw = {.fd = -1};
	int e = read_into(j, s->o, &raw) ||
		recording_condition(&j->r, j->file, s->o, &s->conditioning, &raw, spool);
	if (raw.fd >= 0)
		close(raw.fd);
	return e ? -1 : 0;
}
