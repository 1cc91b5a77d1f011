/* The Muse headband: Mind Monitor's files, and those of muse-lsl. */
#include "recording/dialect/dialect.h"

static const double muse_rate = 256;

static bool mindmonitor_is(const struct preview *g)
{
	return dialect_find_column(g, "timestamp") >= 0 && dialect_find_column(g, "raw_*") >= 0;
}

/* The cell of the last column is there only in rows with a message, which have no other. */
static void mindmonitor_plan(const struct preview *g, struct header_info *f)
{
	for (int i = 0; i < g->n && g->header; i++)
		if (dialect_name_matches(g->names->s[i], "raw_*"))
			header_info_role(f, i, ROLE_CHANNEL, NULL);
	header_info_role(f, dialect_find_column(g, "timestamp"), ROLE_TIME, NULL);
	f->device_rate = muse_rate;
	if (g->n > 1 && dialect_find_column(g, "elements") == g->n - 1)
		csv_table_widths(g->table, g->n - 1, g->n);
	for (int i = 0; i < g->n; i++) {
		enum column_role role;
		if (f->role[i] == ROLE_OPEN && !dialect_vocabulary(g->names->s[i], &role))
			header_info_role(f, i, ROLE_IGNORED, "not a RAW_ channel");
	}
}

/* Mind Monitor (Muse): band powers and RAW_ columns, bursts, rows with a message only. */
const struct dialect dialect_mindmonitor = {mindmonitor_is, mindmonitor_plan};

static bool muse_is(const struct preview *g)
{
	return dialect_find_column(g, "timestamps") >= 0 && dialect_find_column(g, "tp9") >= 0 &&
	       dialect_find_column(g, "af7") >= 0 && dialect_find_column(g, "af8") >= 0 &&
	       dialect_find_column(g, "tp10") >= 0;
}

static void muse_plan(const struct preview *g, struct header_info *f)
{
	header_info_role(f, dialect_find_column(g, "timestamps"), ROLE_TIME, NULL);
	f->device_rate = muse_rate;
}

/* muse-lsl: TP9, AF7, AF8, TP10 and timestamps. */
const struct dialect dialect_muse = {muse_is, muse_plan};
