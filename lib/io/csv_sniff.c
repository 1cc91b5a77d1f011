/* How the cells of a table are separated, from its first rows: quotes, separator, and commas that
 * are separators and decimal signs at once. */
#include "io/csv_parts.h"

#include "base/error.h"
#include "base/mem.h"
#include "io/number.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS = 2, CANDIDATES = 3 };
static const char candidate[] = "\t;,";

struct sample {
	long count[ROWS][CANDIDATES]; /* of each separator */
	int words[ROWS];              /* between blanks */
	bool numeric[ROWS];           /* all those words are numbers, or stand for none */
	char *line[ROWS];             /* copies */
	int64_t at[ROWS];             /* their numbers */
	int rows;
};

static long count_outside_quotes(const char *s, char c, char quote)
{
	long k = 0;
	bool quoted = false;
	for (; *s; s++) {
		quoted ^= *s == quote;
		k += !quoted && *s == c;
	}
	return k;
}

static void count_words(const char *s, int *words, bool *numeric)
{
	double x;
	*words = 0;
	*numeric = true;
	for (;;) {
		s += strspn(s, " \t");
		size_t n = strcspn(s, " \t");
		if (!n)
			return;
		++*words;
		*numeric &= number_parse(s, s + n, &x) || number_parse_decimal(s, s + n, ',', &x) ||
			    number_missing(s, s + n);
		s += n;
	}
}

/* Text that begins as no table does. */
static int refuse_other(const struct csv_table *t, const char *s, size_t n)
{
	if (*s == '@')
		return err_set(EX_DATAERR, "%s: this is an ARFF file; save it as CSV", t->name);
	if ((*s == '{' && (n == 1 || strchr("\"} \t", s[1]))) ||
		(*s == '[' && (n == 1 || strchr("\"[{] \t", s[1]))))
		return err_set(EX_DATAERR, "%s: this is JSON; save the samples as CSV", t->name);
	return 0;
}

/* The first rows; lines that start with a semicolon count when `semicolons`. */
static int take_sample(struct csv_table *t, struct sample *a, bool semicolons)
{
	size_t at = 0, next, n;
	const char *s;
	*a = (struct sample){.rows = 0};
	for (t->line = 1; a->rows < ROWS; t->line++, at = next) {
		int r = csv_peek_line(t, at, &s, &n, &next);
		if (r < 0)
			return -1;
		if (!r)
			break;
		if (csv_is_comment(t, s, n) || csv_is_empty(s, n) || (!a->rows && csv_is_preface(s, n)) ||
			(*s == ';' && !semicolons))
			continue;
		if (!a->rows && refuse_other(t, s, n))
			return -1;
		if (!a->rows)
			t->quote = *s == '\'' ? '\'' : '"';
		int i = a->rows++;
		a->line[i] = mem_text_n(s, n);
		a->at[i] = t->line;
		for (int k = 0; k < CANDIDATES; k++)
			a->count[i][k] = count_outside_quotes(a->line[i], candidate[k], t->quote);
		count_words(a->line[i], &a->words[i], &a->numeric[i]);
	}
	return 0;
}

static void drop_sample(struct sample *a)
{
	for (int i = 0; i < a->rows; i++)
		free(a->line[i]);
	*a = (struct sample){.rows = 0};
}

/* The separator that stands equally often in the first rows; tab before semicolon before comma
 * before blanks. */
static char choose_delim(const struct sample *a)
{
	for (int i = 0; i < CANDIDATES; i++)
		if (a->count[0][i] && (a->rows < ROWS || a->count[0][i] == a->count[1][i]))
			return candidate[i];
	if (a->rows == ROWS && a->words[0] == a->words[1] && a->words[0] > 1 && a->numeric[1])
		return ' ';
	for (int i = 0; i < CANDIDATES; i++)
		if (a->count[0][i])
			return candidate[i];
	return ',';
}

static bool is_digits(const char *s, size_t n)
{
	size_t i = 0;
	while (i < n && isdigit((unsigned char)s[i]))
		i++;
	return n && i == n;
}

/* Pieces between a comma and blanks, half of which or more are themselves whole numbers around a
 * comma, none with a point. */
static bool commas_and_blanks(const char *s)
{
	int pieces = 0, commas = 0;
	if (!strstr(s, ", ") && !strstr(s, ",\t"))
		return false;
	for (;;) {
		s += strspn(s, " \t-+");
		size_t n = 0;
		while (s[n] && !(s[n] == ',' && (!s[n + 1] || strchr(" \t", s[n + 1]))))
			n++;
		const char *comma = memchr(s, ',', n);
		size_t before = comma ? (size_t)(comma - s) : 0;
		pieces++;
		commas += comma && is_digits(s, before) && is_digits(comma + 1, n - before - 1);
		if (memchr(s, '.', n))
			return false;
		s += n;
		if (!*s || !s[1])
			return commas > 1 && 2 * commas >= pieces;
		s++;
	}
}

/* Whole numbers only, an even number of them, every second one with the same number of digits, two
 * or more, and one of these starting with a nought. */
static bool pairs_of_digits(const char *s)
{
	size_t digits = 0;
	int cells = 0;
	bool nought = false;
	for (;; s++) {
		size_t n = strcspn(s, ","), sign = !(cells % 2) && (*s == '-' || *s == '+');
		if (!is_digits(s + sign, n - sign))
			return false;
		if (cells % 2) {
			if (n < 2 || (digits && n != digits))
				return false;
			digits = n;
			nought |= *s == '0';
		}
		cells++;
		s += n;
		if (!*s || !s[1])
			return cells % 2 == 0 && cells > 2 && nought;
	}
}

static int refuse_commas(const struct csv_table *t, const struct sample *a)
{
	int i = a->rows - 1; /* data, whether there is a header or not */
	if (i < 0 || (!commas_and_blanks(a->line[i]) && !pairs_of_digits(a->line[i])))
		return 0;
	char shown[64];
	size_t n = strlen(a->line[i]), k = n < sizeof shown - 4 ? n : sizeof shown - 4;
	for (size_t j = 0; j < k; j++)
		shown[j] = iscntrl((unsigned char)a->line[i][j]) ? ' ' : a->line[i][j];
	memcpy(shown + k, k < n ? "..." : "", k < n ? 4 : 1);
	return err_set(EX_DATAERR,
		"%s:%lld: \"%s\": commas seem to be decimal signs and separators at once; --decimal , reads "
		"them as both, --decimal . reads each as a separator",
		t->name, (long long)a->at[i], shown);
}

int csv_sniff_delim(struct csv_table *t)
{
	struct sample a;
	char wanted = t->form.delim;
	t->quote = '"';
	int r = take_sample(t, &a, wanted == ';');
	if (!r && !a.rows) /* every line starts with a semicolon */
		r = take_sample(t, &a, true);
	if (!r && !wanted)
		t->form.delim = choose_delim(&a);
	t->semicolons = t->form.delim != ';';
	if (!r && t->form.delim == ',' && !t->form.decimal && !t->form.strict)
		r = refuse_commas(t, &a);
	drop_sample(&a);
	return r;
}
