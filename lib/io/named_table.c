#include "io/named_table.h"

#include "base/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

int named_table_open(struct named_table *s, const char *path)
{
	*s = (struct named_table){.in = input_open(path)};
	return s->in ? 0 : -1;
}

void named_table_close(struct named_table *s)
{
	csv_table_free(s->table);
	input_close(s->in);
	names_free(&s->columns);
	*s = (struct named_table){0};
}

int named_table_begin(struct named_table *s, char delim, const struct names *columns)
{
	struct csv_form form = {
		.delim = delim, .header = columns ? CSV_HEADER_NO : CSV_HEADER_YES, .strict = true};
	s->table = csv_table_new(s->in, &form);
	if (!s->table)
		return -1;
	names_copy(&s->columns, columns ? columns : csv_table_names(s->table));
	if (s->columns.n == csv_table_columns(s->table))
		return 0;
	return named_table_fault(
		s, "the row has %d cells, but the header has %d", csv_table_columns(s->table), s->columns.n);
}

int named_table_column(const struct named_table *s, const char *name)
{
	for (int i = 0; i < s->columns.n; i++)
		if (!strcasecmp(s->columns.s[i], name))
			return i;
	return -1;
}

int named_table_next(struct named_table *s)
{
	return csv_table_next(s->table, &s->cell);
}

const char *named_table_name(const struct named_table *s)
{
	return input_name(s->in);
}

long long named_table_line(const struct named_table *s)
{
	return csv_table_line(s->table);
}

bool named_table_cell(const struct named_table *s, int column, struct csv_cell *c)
{
	if (column < 0)
		return false;
	*c = s->cell[column];
	size_t n = (size_t)(c->end - c->s);
	return n && !(n == 3 && !strncasecmp(c->s, "n/a", n));
}

char *named_table_text(const struct named_table *s, int column)
{
	struct csv_cell c;
	return named_table_cell(s, column, &c) ? mem_text_n(c.s, (size_t)(c.end - c.s)) : NULL;
}

int named_table_shown(struct csv_cell c)
{
	return (int)(c.end - c.s > 40 ? 40 : c.end - c.s);
}

int named_table_fault(const struct named_table *s, const char *format, ...)
{
	char what[512];
	va_list a;
	va_start(a, format);
	vsnprintf(what, sizeof what, format, a);
	va_end(a);
	return err_set(EX_DATAERR, "%s:%lld: %s", named_table_name(s), named_table_line(s), what);
}
