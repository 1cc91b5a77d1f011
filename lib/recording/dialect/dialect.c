#include "recording/dialect/dialect.h"

#include "base/error.h"
#include "base/mem.h"
#include "io/number.h"
#include "recording/time_format.h"
#include "recording/time_column.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

const struct dialect dialect_plain = {NULL, NULL};

static const struct {
	const char *name;
	const struct dialect *dialect;
} table[] = {
#define DIALECT_ROW(name) {#name, &dialect_##name},
	DIALECTS(DIALECT_ROW)};
enum { DIALECT_COUNT = sizeof table / sizeof *table };

const char *dialect_name(int choice)
{
	return choice > 0 && choice <= DIALECT_COUNT ? table[choice - 1].name : NULL;
}

/* --- for dialects */

int dialect_find_column(const struct preview *g, const char *pattern)
{
	for (int i = 0; i < g->n && g->header; i++)
		if (dialect_name_matches(g->names->s[i], pattern))
			return i;
	return -1;
}

const char *dialect_find_comment(const struct header_info *f, const char *pattern)
{
	for (int i = 0; i < f->key.n; i++)
		if (dialect_name_matches(f->key.s[i], pattern))
			return f->value.s[i];
	return NULL;
}

double dialect_number_in(const char *text)
{
	double x;
	text += strcspn(text, "0123456789");
	size_t n = strspn(text, "0123456789.");
	while (n && text[n - 1] == '.')
		n--;
	return n && number_parse(text, text + n, &x) ? x : 0;
}

bool preview_number(const struct preview *g, int row, int column, double *x)
{
	if (!g->row[row] || column >= g->cells[row])
		return false;
	struct csv_cell c = g->row[row][column];
	return number_parse_decimal(c.s, c.end, csv_table_decimal(g->table), x) ||
	       (g->delim != ',' && number_parse_decimal(c.s, c.end, ',', x));
}

bool dialect_is_whole(double x)
{
	return isfinite(x) && x == floor(x);
}

/* --- comments */

/* "key = value" or "key: value", without the blanks around them. */
static void add_comment_pair(struct header_info *f, const char *s, size_t n)
{
	const char *end = s + n;
	while (s < end && strchr("#%; \t", *s))
		s++;
	const char *mid = s;
	while (mid < end && *mid != '=' && *mid != ':')
		mid++;
	const char *value = mid + 1, *stop = mid;
	while (stop > s && stop[-1] == ' ')
		stop--;
	while (value < end && (*value == ' ' || *value == '\t'))
		value++;
	while (end > value && isspace((unsigned char)end[-1]))
		end--;
	if (stop == s || value >= end || !isalpha((unsigned char)*s))
		return;
	char *key = mem_text_n(s, (size_t)(stop - s)), *what = mem_text_n(value, (size_t)(end - value));
	names_add(&f->key, key);
	names_add(&f->value, what);
	free(key);
	free(what);
}

static void read_comments(const struct preview *g, struct header_info *f)
{
	static const char *const rate[] = {"*sample[ _]rate*", "*sampling[ _]rate*", "*samplerate*",
		"*sampling[ _]frequency*", "sfreq", "srate", "fs"};
	for (int i = 0; i < g->comments->n; i++) {
		const char *s = g->comments->s[i];
		if (strchr("#%;", *s)) {
			add_comment_pair(f, s, strlen(s));
			continue;
		}
		for (size_t n; *s; s += n + (s[n] == ',')) { /* a line of pairs */
			n = strcspn(s, ",");
			add_comment_pair(f, s, n);
		}
	}
	for (size_t i = 0; i < sizeof rate / sizeof *rate && f->rate <= 0; i++) {
		const char *said = dialect_find_comment(f, rate[i]);
		f->rate = said ? dialect_number_in(said) : 0;
		f->rate_from = f->rate > 0 ? "comment" : NULL;
	}
}

/* --- what holds for all dialects */

static enum time_format time_format_in(const struct preview *g, int row, int column)
{
	double seconds;
	if (!g->row[row] || column >= g->cells[row])
		return TIME_FORMAT_NONE;
	return time_format_parse(g->row[row][column].s, g->row[row][column].end, &seconds);
}

/* Not a number, not a word for a missing one, and not a time, in the rows that can be seen. */
static bool is_key(const struct preview *g, int column)
{
	double x;
	for (int row = 0; row < 2 && g->row[row]; row++) {
		if (column >= g->cells[row] || preview_number(g, row, column, &x) ||
			time_format_in(g, row, column) != TIME_FORMAT_NONE)
			return false;
		const struct csv_cell *c = &g->row[row][column];
		if (number_missing(c->s, c->end))
			return false;
	}
	return g->row[0];
}

static bool names_a_class(const struct preview *g, int i)
{
	static const char *const pattern[] = {"class", "class[ _]*", "target", "labels", "*[ _]label",
		"label[ _]*", "*[dD]etection", "state", "stage", "sleep[ _]stage", "category"};
	for (size_t k = 0; k < sizeof pattern / sizeof *pattern; k++)
		if (dialect_name_matches(g->names->s[i], pattern[k]))
			return true;
	return dialect_name_matches(g->names->s[i], "y") && i == g->n - 1 && dialect_find_column(g, "x") < 0;
}

/* A whole number or a word. */
static bool holds_classes(const struct preview *g, int i)
{
	double x;
	return g->row[0] && i < g->cells[0] &&
	       (!preview_number(g, 0, i, &x) || (dialect_is_whole(x) && fabs(x) < 1000));
}

static void plan_rest(const struct preview *g, struct header_info *f)
{
	bool timed = false, labelled = dialect_find_column(g, "label") >= 0;
	enum time_unit unit;
	enum column_role role;
	for (int i = 0; i < g->n; i++) {
		timed |= f->role[i] == ROLE_TIME ||
			 (f->role[i] == ROLE_OPEN && g->header && time_column_named(g->names->s[i], &unit));
		labelled |= f->role[i] == ROLE_LABEL;
	}
	for (int i = 0; i < g->n; i++) {
		const char *name = g->names->s[i];
		if (f->role[i] != ROLE_OPEN)
			continue;
		const char *why = g->header ? dialect_vocabulary(name, &role) : NULL;
		bool time_by_name = g->header && time_column_named(name, &unit);
		if (why)
			header_info_role(f, i, role, why);
		else if (!time_by_name && time_format_in(g, 0, i) != TIME_FORMAT_NONE) {
			header_info_role(f, i, timed ? ROLE_IGNORED : ROLE_TIME, "another time column");
			timed = true;
		} else if (g->header && !labelled && !dialect_name_matches(name, "label") &&
			   names_a_class(g, i) && holds_classes(g, i)) {
			header_info_role(f, i, ROLE_LABEL, NULL);
			labelled = true;
		} else if (!i && g->n > 1 && g->header && *name && !time_by_name &&
			   !dialect_name_matches(name, "label") && is_key(g, i)) {
			header_info_role(f, i, ROLE_IGNORED, "identifiers, not numbers");
		}
	}
}

int dialect_find(struct header_info *f, const char *file, struct csv_table *t, const struct reading_text *r)
{
	struct preview g = {.table = t,
		.file = file,
		.names = csv_table_names(t),
		.units = csv_table_units(t),
		.comments = csv_table_comments(t),
		.n = csv_table_columns(t),
		.header = csv_table_header_rows(t) > 0,
		.delim = csv_table_delim(t)};
	header_info_begin(f, g.n);
	for (int i = 0; i < (g.header ? 1 : 2);
		i++) /* a live stream is not to be waited for longer than for its header */
		g.row[i] = csv_table_ahead(t, i, &g.cells[i]);
	read_comments(&g, f);
	int which = r->dialect > 0 ? r->dialect - 1 : 0;
	for (int i = 0; i < DIALECT_COUNT && !r->dialect; i++)
		if (table[i].dialect->is && table[i].dialect->is(&g)) {
			which = i;
			break;
		}
	f->dialect = table[which].name;
	if (table[which].dialect->plan)
		table[which].dialect->plan(&g, f);
	plan_rest(&g, f);
	free(g.row[0]);
	free(g.row[1]);
	return 0;
}
