/* Recorders that write numbers between tabs and no names. */
#include "recording/dialect/dialect.h"

#include <string.h>

/* Two rows of numbers, whole ones (or such with a point) only. */
static bool numbers_only(const struct preview *g, bool whole)
{
	double x;
	if (g->header || g->delim != '\t' || g->n < 2)
		return false;
	for (int row = 0; row < 2 && (!row || g->row[row]); row++)
		for (int i = 0; i < g->n; i++)
			if (!preview_number(g, row, i, &x) || (whole && !dialect_is_whole(x)))
				return false;
	return true;
}

/* The last column whose first number lies between, -1 = none. */
static int last_between(const struct preview *g, double low, double high)
{
	double x;
	int i = g->n - 1;
	while (i >= 0 && !(preview_number(g, 0, i, &x) && x >= low && x < high))
		i--;
	return i;
}

/* --- Neuroelectrics: channels (8, 20, 32), perhaps three of the accelerometer, trigger,
 * milliseconds since 1970 */

static bool neuroelectrics_is(const struct preview *g)
{
	return numbers_only(g, true) && last_between(g, 5e11, 5e12) == g->n - 1;
}

static void neuroelectrics_plan(const struct preview *g, struct header_info *f)
{
	int before = g->n - 2;
	bool motion = before == 8 + 3 || before == 20 + 3 || before == 32 + 3;
	f->unit = UNIT_NV;
	f->time_unit = TIME_UNIT_MS;
	header_info_role(f, g->n - 1, ROLE_TIME, NULL);
	if (before > 0)
		header_info_role(f, before, ROLE_IGNORED, "marks events");
	for (int i = before - 3; i < before && motion; i++)
		header_info_role(f, i, ROLE_IGNORED, "movement, not EEG");
}

/* Neuroelectrics .easy: whole nanovolts, trigger, milliseconds since 1970, no names. */
const struct dialect dialect_neuroelectrics = {neuroelectrics_is, neuroelectrics_plan};

/* --- BrainFlow: number of the package, channels, what else the board has, seconds since 1970,
 * marker */

/* Boards whose width is no other's. */
static const struct {
	int columns, channels;
} board[] = {{15, 4}, {24, 8}, {32, 16}, {35, 32}};

static bool brainflow_is(const struct preview *g)
{
	double first;
	return numbers_only(g, false) && last_between(g, 5e8, 5e9) >= g->n - 2 &&
	       preview_number(g, 0, 0, &first) && dialect_is_whole(first) && first >= 0 && first < 5e8;
}

static void brainflow_plan(const struct preview *g, struct header_info *f)
{
	int time = last_between(g, 5e8, 5e9);
	if (g->header || time < 1)
		return;
	f->time_unit = TIME_UNIT_S;
	header_info_role(f, 0, ROLE_COUNTER, "counts the samples");
	header_info_role(f, time, ROLE_TIME, NULL);
	for (int i = time + 1; i < g->n; i++)
		header_info_role(f, i, ROLE_IGNORED, "marks events");
	for (size_t i = 0; i < sizeof board / sizeof *board; i++)
		for (int c = board[i].channels + 1; c < time && g->n == board[i].columns; c++)
			header_info_role(f, c, ROLE_IGNORED, "not an EEG channel of this board");
}

/* BrainFlow: all rows of a board's data, tabs, no names. */
const struct dialect dialect_brainflow = {brainflow_is, brainflow_plan};
