/* One recording on its way: what reads it, the plan of its columns, its rows. */
#include "cut/split_state.h"

#include "base/error.h"
#include "cut/sidecars.h"
#include "recording/quality.h"
#include "sidecar/events.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void intake_free(struct intake *j)
{
	reader_close(&j->reader);
	recording_free(&j->r);
	names_free(&j->labels);
	names_free(&j->suspicious);
	names_free(&j->why);
	if (j->events)
		events_free(j->events);
	free(j->events);
	if (j->own.fd >= 0)
		close(j->own.fd);
	*j = (struct intake){.own = {.fd = -1}};
}

int intake_begin(struct intake *j, const struct split *s, struct input *in)
{
	const struct reading_options *o = s->o;
	j->file = input_name(in);
	if (reader_open(&j->reader, in, o, &j->r.header))
		return -1;
	struct channel_info sidecar;
	const struct column_info known = {&j->reader.units, &j->r.header, &sidecar, sidecars_labels(o)};
	int r = sidecars_channels(j, o, &sidecar) || columns_plan(&j->r.columns, j->file, &j->reader.names, o,
							     s->channels.n ? &s->channels : NULL, &known)
			? -1
			: 0;
	channel_info_free(&sidecar);
	if (known.why_label)
		j->r.columns.label = -1; /* seen, and not read */
	return r;
}

static int check_quality(struct intake *j, const struct row_file *row_file)
{
	struct names channels = {0};
	float *map = row_file_map(row_file, false);
	if (!map)
		return -1;
	for (int c = 0; c < row_file->C; c++)
		names_add(&channels, columns_channel(&j->r.columns, c));
	quality_check(
		map + j->r.first * row_file->C, j->r.rows, row_file->C, &channels, &j->suspicious, &j->why);
	names_free(&channels);
	row_file_unmap(row_file, map);
	return 0;
}

static int read_into(struct intake *j, const struct reading_options *o, struct row_file *row_file)
{
	struct recording *r = &j->r;
	struct reading_options own = *o;
	sidecars_rate(j, &own);
	if (recording_read(r, &j->reader, &own, &j->labels, row_file) || sidecars_read(j, o) ||
		(r->missing_runs && o->value == VALUE_INTERP &&
			recording_interpolate(r, j->file, row_file)) ||
		(o->explain && check_quality(j, row_file)))
		return -1;
	reader_close(&j->reader);
	return 0;
}

int intake_read(struct intake *j, const struct split *s, struct row_file *row_file)
{
	if (!preprocessing_any(&s->preprocessing))
		return read_into(j, s->o, row_file);
	struct row_file raw = {.fd = -1};
	int e = read_into(j, s->o, &raw) ||
		recording_preprocess(&j->r, j->file, s->o, &s->preprocessing, &raw, row_file);
	if (raw.fd >= 0)
		close(raw.fd);
	return e ? -1 : 0;
}
