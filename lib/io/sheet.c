#include "io/sheet.h"

#include "base/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

int sheet_open(struct sheet *s, const char *path)
{
	*s = (struct sheet){.in = input_open(path)};
	return s->in ? 0 : -1;
}

void sheet_close(struct sheet *s)
{
	csv_table_free(s->table);
	input_close(s->in);
	names_free(&s->columns);
	*s = (struct sheet){0};
}

int sheet_begin(struct sheet *s, char delim, const struct names *columns)
{
	struct csv_form form = {
		.delim = delim, .header = columns ? CSV_HEADER_NO : CSV_HEADER_YES, .strict = true};
	s->table = csv_table_new(s->in, &form);
	if (!s->table)
		return -1;
	names_copy(&s->columns, columns ? columns : csv_table_names(s->table));
	if (s->columns.n == csv_table_columns(s->table))
		return 0;
	return sheet_fault(s, "%d cells under %d names", csv_table_columns(s->table), s->columns.n);
}

int sheet_column(const struct sheet *s, const char *name)
{
	for (int i = 0; i < s->columns.n; i++)
		if (!strcasecmp(s->columns.s[i], name))
			return i;
	return -1;
}

int sheet_next(struct sheet *s)
{
	return csv_table_next(s->table, &s->cell);
}

const char *sheet_name(const struct sheet *s)
{
	return input_name(s->in);
}

long long sheet_line(const struct sheet *s)
{
	return csv_table_line(s->table);
}

bool sheet_cell(const struct sheet *s, int column, struct csv_cell *c)
{
	if (column < 0)
		return false;
	*c = s->cell[column];
	size_t n = (size_t)(c->end - c->s);
	return n && !(n == 3 && !strncasecmp(c->s, "n/a", n));
}

char *sheet_text(const struct sheet *s, int column)
{
	struct csv_cell c;
	return sheet_cell(s, column, &c) ? mem_text_n(c.s, (size_t)(c.end - c.s)) : NULL;
}

int sheet_shown(struct csv_cell c)
{
	return (int)(c.end - c.s > 40 ? 40 : c.end - c.s);
}

int sheet_fault(const struct sheet *s, const char *format, ...)
{
	char what[512];
	va_list a;
	va_start(a, format);
	vsnprintf(what, sizeof what, format, a);
	va_end(a);
	return err_set(EX_DATAERR, "%s:%lld: %s", sheet_name(s), sheet_line(s), what);
}
