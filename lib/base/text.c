#include "base/text.h"

#include "base/error.h"
#include "base/mem.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void make_room(struct text *t, size_t more)
{
	size_t need = t->n + more + 1;
	if (need <= t->room)
		return;
	t->room = need < 64 ? 64 : 2 * need;
	GROW(t->s, t->room);
}

void text_add_n(struct text *t, const char *s, size_t n)
{
	make_room(t, n);
	memcpy(t->s + t->n, s, n);
	t->n += n;
	t->s[t->n] = 0;
}

void text_add(struct text *t, const char *s)
{
	text_add_n(t, s, strlen(s));
}

void text_addf(struct text *t, const char *format, ...)
{
	va_list a;
	va_start(a, format);
	int n = vsnprintf(NULL, 0, format, a);
	va_end(a);
	must(n >= 0);
	make_room(t, (size_t)n);
	va_start(a, format);
	vsnprintf(t->s + t->n, (size_t)n + 1, format, a);
	va_end(a);
	t->n += (size_t)n;
}

void text_number_cell(struct text *t, double x, char separator)
{
	text_add_n(t, &separator, 1);
	if (!isnan(x))
		text_addf(t, "%.9g", x);
}

const char *text_string(const struct text *t)
{
	return t->s ? t->s : "";
}

char *text_take(struct text *t)
{
	char *s = t->s ? t->s : mem_text("");
	*t = (struct text){0};
	return s;
}

void text_free(struct text *t)
{
	free(t->s);
	*t = (struct text){0};
}

int names_add(struct names *l, const char *s)
{
	ROOM_FOR_ONE(l->s, l->n, l->room);
	l->s[l->n] = mem_text(s);
	return l->n++;
}

int names_find(const struct names *l, const char *s)
{
	for (int i = 0; i < l->n; i++)
		if (!strcmp(l->s[i], s))
			return i;
	return -1;
}

int names_intern(struct names *l, const char *s)
{
	int i = names_find(l, s);
	return i >= 0 ? i : names_add(l, s);
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

void names_sort(struct names *l)
{
	if (l->n)
		qsort(l->s, (size_t)l->n, sizeof *l->s, by_text);
}

const char *names_duplicate(const struct names *l)
{
	const char *found = NULL;
	const char **sorted = NEW_ARRAY(const char *, l->n);
	for (int i = 0; i < l->n; i++)
		sorted[i] = l->s[i];
	qsort(sorted, (size_t)l->n, sizeof *sorted, by_text);
	for (int i = 1; i < l->n && !found; i++)
		if (!strcmp(sorted[i - 1], sorted[i]))
			found = sorted[i];
	free(sorted);
	return found;
}

bool names_equal(const struct names *a, const struct names *b)
{
	if (a->n != b->n)
		return false;
	for (int i = 0; i < a->n; i++)
		if (strcmp(a->s[i], b->s[i]))
			return false;
	return true;
}

void names_copy(struct names *to, const struct names *from)
{
	*to = (struct names){0};
	for (int i = 0; i < from->n; i++)
		names_add(to, from->s[i]);
}

/* One part from p: quoted ("" inside stands for ") or up to the separator; returns where the next
 * begins, NULL at the end. */
static const char *split_one(const char *p, char separator, struct text *part)
{
	while (isspace((unsigned char)*p) && *p != separator)
		p++;
	part->n = 0;
	if (*p == '"') {
		for (p++; *p && (*p != '"' || p[1] == '"'); p++) {
			text_add_n(part, p, 1);
			p += *p == '"';
		}
		p += strcspn(p, (char[]){separator, 0});
	} else {
		size_t n = strcspn(p, (char[]){separator, 0}), used = n;
		while (used && isspace((unsigned char)p[used - 1]))
			used--;
		text_add_n(part, p, used);
		p += n;
	}
	return *p ? p + 1 : NULL;
}

void names_split(struct names *l, const char *list, char separator)
{
	struct text part = {0};
	for (const char *p = list; p;) {
		p = split_one(p, separator, &part);
		if (part.n)
			names_add(l, part.s);
	}
	text_free(&part);
}

char *names_join(const struct names *l, const char *separator)
{
	struct text t = {0};
	for (int i = 0; i < l->n; i++) {
		text_add(&t, i ? separator : "");
		text_add(&t, l->s[i]);
	}
	return text_take(&t);
}

void names_free(struct names *l)
{
	for (int i = 0; i < l->n; i++)
		free(l->s[i]);
	free(l->s);
	*l = (struct names){0};
}

bool text_among(const char *list, const char *word)
{
	struct names l = {0};
	if (list)
		names_split(&l, list, '|');
	bool found = names_find(&l, word) >= 0;
	names_free(&l);
	return found;
}

bool text_starts(const char *s, const char *prefix)
{
	return !strncmp(s, prefix, strlen(prefix));
}

bool text_ends(const char *s, const char *suffix)
{
	size_t n = strlen(s), m = strlen(suffix);
	return n >= m && !strcmp(s + n - m, suffix);
}

/* Levenshtein distance, one row at a time; words longer than the row count as far away. */
static int edit_distance(const char *a, const char *b)
{
	enum { LONGEST = 63 };
	int row[LONGEST + 1];
	int n = (int)strlen(b);
	if (n > LONGEST || strlen(a) > LONGEST)
		return LONGEST;
	for (int j = 0; j <= n; j++)
		row[j] = j;
	for (int i = 1; a[i - 1]; i++) {
		int diagonal = row[0];
		row[0] = i;
		for (int j = 1; j <= n; j++) {
			int best = diagonal + (a[i - 1] != b[j - 1]);
			diagonal = row[j];
			if (row[j] + 1 < best)
				best = row[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			row[j] = best;
		}
	}
	return row[n];
}

const char *text_nearest(const char *s, const char *const *list, int n)
{
	const char *best = NULL;
	int least = 1 + (int)strlen(s) / 3;
	for (int i = 0; i < n; i++) {
		int d = edit_distance(s, list[i]);
		if (d <= least && (!best || d < least)) {
			least = d;
			best = list[i];
		}
	}
	return best;
}

bool text_to_double(const char *s, double *x)
{
	char *end;
	if (!*s || isspace((unsigned char)*s))
		return false;
	*x = strtod(s, &end);
	return !*end && isfinite(*x);
}

bool text_to_long(const char *s, long long *x)
{
	char *end;
	if (!*s || isspace((unsigned char)*s))
		return false;
	errno = 0;
	*x = strtoll(s, &end, 10);
	return !*end && !errno;
}
