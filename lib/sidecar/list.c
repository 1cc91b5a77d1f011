#include "sidecar/list.h"

#include "base/mem.h"
#include "io/number.h"
#include "io/named_table.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum column { ID, PATH, GROUP, SESSION, LABEL, RATE, COLUMNS };

static const char *const column_name[COLUMNS] = {"id", "path", "group", "session", "label", "rate"};

void recording_list_free(struct recording_list *l)
{
	for (int i = 0; i < l->n; i++) {
		free(l->entry[i].path);
		free(l->entry[i].group);
		free(l->entry[i].session);
		free(l->entry[i].label);
	}
	free(l->entry);
	free(l->name);
	names_free(&l->unknown);
	*l = (struct recording_list){0};
}

static int read_rate(const struct named_table *s, int column, double *rate)
{
	struct csv_cell c;
	*rate = 0;
	if (!named_table_cell(s, column, &c) ||
		(number_parse(c.s, c.end, rate) && *rate >= 1e-3 && *rate <= 1e7))
		return 0;
	return named_table_fault(
		s, "the rate \"%.*s\" is not a number from 0.001 to 1e7 (Hz)", named_table_shown(c), c.s);
}

/* A path counts from the list's folder. */
static char *resolve_path(const char *list, char *path)
{
	const char *slash = strrchr(list, '/');
	if (!slash || *path == '/')
		return path;
	char *whole = mem_format("%.*s%s", (int)(slash + 1 - list), list, path);
	free(path);
	return whole;
}

static int read_entry(const struct named_table *s, const int *column, struct list_entry *e)
{
	e->line = named_table_line(s);
	e->path = named_table_text(s, column[PATH]);
	e->group = named_table_text(s, column[GROUP]);
	e->session = named_table_text(s, column[SESSION]);
	e->label = named_table_text(s, column[LABEL]);
	if (!e->group)
		e->group = named_table_text(s, column[ID]);
	if (!e->path)
		return named_table_fault(s, "there is no path");
	if (!e->group && (column[ID] >= 0 || column[GROUP] >= 0))
		return named_table_fault(s, "there is neither a group nor an id");
	if (!e->session && column[SESSION] >= 0)
		return named_table_fault(s, "there is no session; fill it in, or leave the column out");
	e->path = resolve_path(named_table_name(s), e->path);
	if (access(e->path, R_OK))
		return named_table_fault(
			s, "%.300s: cannot be read; paths are relative to the folder of the list", e->path);
	return read_rate(s, column[RATE], &e->rate);
}

static int read_all(struct recording_list *l, struct named_table *s)
{
	int column[COLUMNS], more;
	if (named_table_begin(s, '\t', NULL))
		return -1;
	for (int k = 0; k < COLUMNS; k++)
		column[k] = named_table_column(s, column_name[k]);
	for (int i = 0; i < s->columns.n; i++) {
		bool known = false;
		for (int k = 0; k < COLUMNS; k++)
			known |= column[k] == i;
		if (!known)
			names_add(&l->unknown, s->columns.s[i]);
	}
	if (column[PATH] < 0)
		return named_table_fault(s,
			"there is no column \"path\"; a list has a header with path and, optionally, id, "
			"group, session, label and rate, separated by tabs");
	l->sessions = column[SESSION] >= 0;
	l->labels = column[LABEL] >= 0;
	while ((more = named_table_next(s)) == 1) {
		GROW(l->entry, l->n + 1);
		l->entry[l->n] = (struct list_entry){0};
		if (read_entry(s, column, &l->entry[l->n++]))
			return -1;
	}
	if (!more && !l->n)
		return named_table_fault(s, "there is a header but no recording");
	return more;
}

int recording_list_read(struct recording_list *l, const char *path)
{
	struct named_table s = {0};
	*l = (struct recording_list){.name = mem_text(path)};
	int r = named_table_open(&s, path) || read_all(l, &s) ? -1 : 0;
	named_table_close(&s);
	return r;
}
