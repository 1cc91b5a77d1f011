#include "sidecar/channel_file.h"

#include "base/error.h"
#include "base/mem.h"
#include "io/named_table.h"
#include "recording/unit.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum column { NAME, TYPE, UNIT, STATUS, COLUMNS };

static const char *const column_name[COLUMNS] = {"name", "type", "units", "status"};

/* Why a channel is left out; "" when it is not; NULL with an error. To be freed. */
static char *why_out(const struct named_table *s, char *const *cell)
{
	const char *status = cell[STATUS], *type = cell[TYPE];
	if (status && !strcasecmp(status, "bad"))
		return mem_format("marked bad in %s", named_table_name(s));
	if (status && strcasecmp(status, "good")) {
		named_table_fault(s, "the status \"%.40s\" is neither good nor bad", status);
		return NULL;
	}
	return type && strcasecmp(type, "EEG") ? mem_format("of type %s in %s", type, named_table_name(s))
					       : mem_text("");
}

/* One row: cell [COLUMNS], NULL = missing. */
static int add_channel(struct channel_info *f, const struct named_table *s, char *const *cell)
{
	const char *name = cell[NAME], *unit = cell[UNIT];
	char *why = why_out(s, cell);
	if (!why)
		return -1;
	enum voltage_unit u = unit ? unit_parse(unit) : UNIT_AUTO;
	bool unknown = unit && u == UNIT_AUTO, out = *why;
	GROW(f->factor, f->channel.n + 1);
	GROW(f->bad, f->channel.n + 1);
	f->factor[f->channel.n] = unknown ? -1 : u == UNIT_AUTO ? 0 : unit_factor(u);
	f->bad[f->channel.n] = cell[STATUS] && !strcasecmp(cell[STATUS], "bad");
	names_add(&f->channel, name);
	names_add(&f->why, why);
	free(why);
	return unknown && !out ? named_table_fault(s,
					 "channel \"%.80s\": the unit \"%.40s\" is not one of uV, mV, V, nV",
					 name, unit)
			       : 0;
}

static int read_row(struct channel_info *f, const struct named_table *s, const int *column,
	const char *recording, const struct names *table)
{
	char *cell[COLUMNS];
	for (int k = 0; k < COLUMNS; k++)
		cell[k] = named_table_text(s, column[k]);
	const char *name = cell[NAME];
	int r = !name ? named_table_fault(s, "the channel has no name")
		: names_find(&f->channel, name) >= 0
			? named_table_fault(s, "channel \"%.80s\" is listed twice", name)
		: names_find(table, name) < 0
			? named_table_fault(s, "channel \"%.80s\" is not a column of %.200s", name, recording)
			: add_channel(f, s, cell);
	for (int k = 0; k < COLUMNS; k++)
		free(cell[k]);
	return r;
}

static int read_all(
	struct channel_info *f, struct named_table *s, const char *recording, const struct names *table)
{
	int column[COLUMNS], more;
	if (named_table_begin(s, '\t', NULL))
		return -1;
	for (int k = 0; k < COLUMNS; k++)
		column[k] = named_table_column(s, column_name[k]);
	if (column[NAME] < 0)
		return named_table_fault(s,
			"there is no column \"name\"; a channels file has a header with name and, "
			"optionally, type, units and status, separated by tabs");
	while ((more = named_table_next(s)) == 1)
		if (read_row(f, s, column, recording, table))
			return -1;
	return more;
}

int channel_file_read(
	struct channel_info *f, const char *path, const char *recording, const struct names *table)
{
	struct named_table s = {0};
	*f = (struct channel_info){.name = mem_text(path)};
	int r = named_table_open(&s, path) || read_all(f, &s, recording, table) ? -1 : 0;
	named_table_close(&s);
	return r;
}
