/* OpenBCI.
 *
 *     GUI from 5 on     Sample Index, EXG Channel 0, ..., Accel Channel 0, ..., Not Used, ..., Timestamp, ..., Timestamp (Formatted)
 *     GUI before        no names: index, channels, three of the accelerometer, time of day (, milliseconds since 1970)
 *     SD card           no names, no comments: index, 8 or 16 channels, and on some rows three of the accelerometer
 *
 * Boards: Ganglion 4 channels, Cyton 8, with Daisy 16.
 */
#include "recording/dialect/dialect.h"

#include "base/mem.h"
#include "recording/time_format.h"

#include <stdlib.h>
#include <string.h>

enum { AHEAD = 64, MOTION = 3 };

static bool in_comments(const struct preview *g, const char *pattern)
{
	for (int i = 0; i < g->comments->n; i++)
		if (dialect_name_matches(g->comments->s[i], pattern))
			return true;
	return false;
}

static bool is_index(const struct preview *g)
{
	double a, b;
	return preview_number(g, 0, 0, &a) && preview_number(g, 1, 0, &b) && dialect_is_whole(a) && a >= 0 &&
	       a < 256 && (b == a + 1 || b == 0);
}

/* Channels of a row of the SD card, 0 = it is none. */
static int card_channels(int cells)
{
	return cells == 9 || cells == 9 + MOTION ? 8 : cells == 17 || cells == 17 + MOTION ? 16 : 0;
}

/* Rows with the accelerometer among rows without it. */
static bool is_card(const struct preview *g)
{
	int channels = card_channels(g->n), n;
	bool differs = false;
	if (g->header || g->delim != ',' || g->comments->n || !channels || !is_index(g))
		return false;
	for (int i = 1; i < AHEAD; i++) {
		struct csv_cell *row = csv_table_ahead(g->table, i, &n);
		if (!row)
			break;
		free(row);
		if (card_channels(n) != channels)
			return false;
		differs |= n != g->n;
	}
	return differs;
}

static bool openbci_is(const struct preview *g)
{
	return in_comments(g, "*OpenBCI*") ||
	       (dialect_find_column(g, "sample index") >= 0 &&
		       dialect_find_column(g, "exg channel *") >= 0) ||
	       is_card(g);
}

static void plan_named(const struct preview *g, struct header_info *f)
{
	header_info_role(f, dialect_find_column(g, "sample index"), ROLE_COUNTER, "counts the samples");
	header_info_role(f, dialect_find_column(g, "timestamp"), ROLE_TIME, NULL);
	for (int i = 0; i < g->n; i++) {
		enum column_role role;
		const char *name = g->names->s[i], *why = dialect_vocabulary(name, &role);
		if (dialect_name_matches(name, "exg channel *") ||
			dialect_name_matches(name, "eeg channel *"))
			header_info_role(f, i, ROLE_CHANNEL, NULL);
		else if (why && f->role[i] == ROLE_OPEN)
			header_info_role(f, i, ROLE_IGNORED, why);
	}
	header_info_rest(f, g->n, "not an EXG channel");
}

/* The column of times: milliseconds since 1970 rather than a time of day. */
static int time_column(const struct preview *g)
{
	double x;
	int by_text = -1;
	for (int i = g->n - 1; i > 0; i--) {
		if (i >= g->cells[0])
			continue;
		if (preview_number(g, 0, i, &x) && x >= 5e11 && x < 5e12)
			return i;
		if (time_format_parse(g->row[0][i].s, g->row[0][i].end, &x) != TIME_FORMAT_NONE)
			by_text = i;
	}
	return by_text;
}

/* Where the first time stands: what is before it is index, channels and the accelerometer. */
static int first_time(const struct preview *g)
{
	double x;
	for (int i = 1; i < g->n && i < g->cells[0]; i++)
		if (time_format_parse(g->row[0][i].s, g->row[0][i].end, &x) != TIME_FORMAT_NONE ||
			(preview_number(g, 0, i, &x) && x >= 5e11))
			return i;
	return g->n;
}

static int count_channels(const struct preview *g, const struct header_info *f)
{
	const char *said = dialect_find_comment(f, "number of channels");
	int n = said ? (int)dialect_number_in(said) : 0, numbers = first_time(g) - 1;
	if (n > 0 && n <= numbers)
		return n;
	for (n = 16; n >= 4; n /= 2)
		if (numbers == n || numbers >= n + MOTION)
			return n;
	return numbers;
}

static void plan_unnamed(const struct preview *g, struct header_info *f)
{
	int channels = g->row[0] ? count_channels(g, f) : 0;
	header_info_role(f, 0, ROLE_COUNTER, "counts the samples");
	header_info_role(f, g->row[0] ? time_column(g) : -1, ROLE_TIME, NULL);
	for (int i = 1; i <= channels; i++) {
		char *name = mem_format("EXG Channel %d", i - 1);
		csv_table_rename(g->table, i, name);
		free(name);
		header_info_role(f, i, ROLE_CHANNEL, NULL);
	}
	for (int i = channels + 1; i < g->n && i <= channels + MOTION; i++)
		if (f->role[i] == ROLE_OPEN)
			header_info_role(f, i, ROLE_IGNORED, "movement, not EEG");
	header_info_rest(f, g->n, "not an EXG channel");
	if (!g->comments->n && card_channels(g->n)) {
		csv_table_widths(g->table, channels + 1, channels + 1 + MOTION);
		f->rate = channels == 8 ? 250 : 125;
		f->rate_from = "dialect";
	}
}

static void openbci_plan(const struct preview *g, struct header_info *f)
{
	if (g->header)
		plan_named(g, f);
	else
		plan_unnamed(g, f);
}

/* OpenBCI GUI and SD card: comments with %, 8 or 16 channels between a counter 0..255 and what is
 * no EEG. */
const struct dialect dialect_openbci = {openbci_is, openbci_plan};
