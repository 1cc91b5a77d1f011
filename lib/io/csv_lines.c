/* The lines of a table: reading ahead, and which of them are no rows. */
#include "io/csv_parts.h"

#include "base/error.h"
#include "base/mem.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

enum { CHUNK = 1 << 17 }; /* bytes read at a time */

static int row_too_long(const struct csv_table *t)
{
	return err_set(EX_DATAERR,
		"%s:%lld: the row is longer than %zu bytes; this is not a table, or the limit must be raised "
		"with --max-row",
		t->name, (long long)t->line, t->form.max_row);
}

int csv_fill(struct csv_table *t)
{
	if (t->from) {
		memmove(t->buffer, t->buffer + t->from, t->n);
		t->from = 0;
	}
	if (t->n > t->form.max_row + CHUNK)
		return row_too_long(t);
	if (t->room - t->n < CHUNK) {
		t->room = 2 * (t->room + CHUNK);
		GROW(t->buffer, t->room + CSV_BEYOND);
	}
	long r = input_read(t->in, t->buffer + t->n, CHUNK);
	if (r < 0)
		return -1;
	t->end = r == 0;
	t->n += (size_t)r;
	memset(t->buffer + t->n, 0, CSV_BEYOND);
	return 0;
}

int csv_peek_line(struct csv_table *t, size_t at, const char **s, size_t *n, size_t *next)
{
	size_t scanned = at;
	for (;;) {
		const char *nl =
			t->n > scanned ? memchr(t->buffer + t->from + scanned, t->eol, t->n - scanned) : NULL;
		*s = t->buffer + t->from + at;
		if (nl || t->end) {
			*n = nl ? (size_t)(nl - *s) : t->n - at;
			*next = at + *n + (nl ? 1 : 0);
			break;
		}
		scanned = t->n;
		if (csv_fill(t))
			return -1;
	}
	if (!*n && *next == at)
		return 0;
	if (*n > t->form.max_row)
		return row_too_long(t);
	if (*n && (*s)[*n - 1] == '\r')
		--*n;
	return 1;
}

void csv_take(struct csv_table *t, size_t bytes)
{
	t->from += bytes;
	t->n -= bytes;
	t->lines++;
}

bool csv_is_comment(const struct csv_table *t, const char *s, size_t n)
{
	return n && (*s == '#' || *s == '%' || (*s == ';' && t->semicolons));
}

static bool is_pairs(const char *s, size_t n)
{
	const char *end = s + n;
	int pairs = 0;
	if (n < 6 || strncasecmp(s, "title:", 6))
		return false;
	for (const char *p = s, *stop; p < end; p = stop + 1) {
		stop = memchr(p, ',', (size_t)(end - p));
		stop = stop ? stop : end;
		while (p < stop && *p == ' ')
			p++;
		const char *colon = p < stop ? memchr(p, ':', (size_t)(stop - p)) : NULL;
		if (p < stop && (!colon || colon == p || !isalpha((unsigned char)*p)))
			return false;
		pairs += p < stop;
	}
	return pairs > 1;
}

bool csv_is_preface(const char *s, size_t n)
{
	return is_pairs(s, n) || (n == 5 && !strncasecmp(s, "sep=", 4));
}

bool csv_is_empty(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (s[i] != ' ' && s[i] != '\t')
			return false;
	return true;
}

bool csv_table_ready(struct csv_table *t)
{
	for (size_t at = 0;;) {
		const char *s = t->buffer + t->from + at,
			   *nl = t->n > at ? memchr(s, t->eol, t->n - at) : NULL;
		if (nl && !csv_is_comment(t, s, (size_t)(nl - s)) && !csv_is_empty(s, (size_t)(nl - s)))
			return true;
		if (nl)
			at += (size_t)(nl - s) + 1;
		else if (t->end)
			return true;
		else if (!input_ready(t->in))
			return false;
		else if (csv_fill(t))
			return true; /* the next row meets the same error */
	}
}

int csv_find_line_ends(struct csv_table *t)
{
	t->eol = '\n';
	for (size_t i = 0;;) {
		const char *s = t->buffer + t->from;
		while (i < t->n && s[i] != '\n' && s[i] != '\r')
			i++;
		if (i < t->n && (s[i] == '\n' || i + 1 < t->n)) {
			t->eol = s[i] == '\r' && s[i + 1] != '\n' ? '\r' : '\n';
			return 0;
		}
		if (t->end)
			return 0;
		if (csv_fill(t))
			return -1;
	}
}
