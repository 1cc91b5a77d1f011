/* Recorders that identify their columns by names and units. */
#include "recording/dialect/dialect.h"

#include <string.h>

/* --- EmotivPRO */

static bool emotiv_is(const struct preview *g)
{
	return (g->comments->n && dialect_name_matches(g->comments->s[0], "title:*")) ||
	       dialect_find_column(g, "eeg.counter") >= 0;
}

static void emotiv_plan(const struct preview *g, struct header_info *f)
{
	enum column_role role;
	for (int i = 0; i < g->n && g->header; i++) {
		const char *name = g->names->s[i];
		if (dialect_name_matches(name, "eeg.*") && !dialect_vocabulary(name, &role))
			header_info_role(f, i, ROLE_CHANNEL, NULL);
		else if (!dialect_vocabulary(name, &role))
			header_info_role(f, i, ROLE_IGNORED, "not an EEG. channel");
	}
	header_info_role(f, dialect_find_column(g, "timestamp"), ROLE_TIME, NULL);
	if (f->rate > 0)
		f->rate_from = "first line";
}

/* EmotivPRO: a first line of pairs, then EEG.* among others. */
const struct dialect dialect_emotiv = {emotiv_is, emotiv_plan};

/* --- Unicorn: what all know of names is enough */

static bool unicorn_is(const struct preview *g)
{
	return dialect_find_column(g, "validation indicator") >= 0 ||
	       (dialect_find_column(g, "battery level") >= 0 && dialect_find_column(g, "counter") >= 0);
}

/* Unicorn: Counter, Battery Level and Validation Indicator beside the channels. */
const struct dialect dialect_unicorn = {unicorn_is, NULL};

/* --- OpenViBE: Time:512Hz, Epoch, channels, Event Id, Event Date, Event Duration */

static bool openvibe_is(const struct preview *g)
{
	return dialect_find_column(g, "time:*hz") == 0 ||
	       (dialect_find_column(g, "epoch") >= 0 && dialect_find_column(g, "event id") >= 0);
}

static void openvibe_plan(const struct preview *g, struct header_info *f)
{
	int time = dialect_find_column(g, "time:*hz");
	if (time < 0)
		return;
	f->rate = dialect_number_in(g->names->s[time]);
	f->rate_from = f->rate > 0 ? "header" : NULL;
	f->time_unit = TIME_UNIT_S;
	header_info_role(f, time, ROLE_TIME, NULL);
}

/* OpenViBE: the rate in the name of the time column, events behind the channels. */
const struct dialect dialect_openvibe = {openvibe_is, openvibe_plan};

/* --- rdsamp */

static bool physionet_is(const struct preview *g)
{
	return g->units->n &&
	       (dialect_find_column(g, "elapsed time") == 0 || dialect_find_column(g, "time and date") == 0 ||
		       dialect_find_column(g, "sample #") == 0);
}

static void physionet_plan(const struct preview *g, struct header_info *f)
{
	if (dialect_find_column(g, "sample #") == 0)
		header_info_role(f, 0, ROLE_IGNORED, "row numbers");
	else
		header_info_role(f, 0, g->header ? ROLE_TIME : ROLE_OPEN, NULL);
}

/* rdsamp of PhysioNet's WFDB: single quotes, a row of units. */
const struct dialect dialect_physionet = {physionet_is, physionet_plan};

/* --- EEGLAB */

static bool eeglab_is(const struct preview *g)
{
	return g->delim == '\t' && csv_table_open_rows(g->table) && dialect_find_column(g, "time") == 0;
}

static void eeglab_plan(const struct preview *g, struct header_info *f)
{
	header_info_role(f, dialect_find_column(g, "time"), ROLE_TIME, NULL);
	f->likely_unit = TIME_UNIT_MS;
}

/* EEGLAB's text export: tabs, also behind the last cell; time in milliseconds that starts again
 * with each trial. */
const struct dialect dialect_eeglab = {eeglab_is, eeglab_plan};
