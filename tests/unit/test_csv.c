#include "check.h"

#include "base/error.h"
#include "base/mem.h"
#include "base/rng.h"
#include "io/csv.h"
#include "io/number.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

/* --- numbers */

static bool same_as_strtod(const char *s)
{
	double x = 0, y = strtod(s, NULL);
	if (!number_parse(s, s + strlen(s), &x))
		return false;
	float f = (float)x, g = (float)y;
	return !memcmp(&x, &y, sizeof x) && !memcmp(&f, &g, sizeof f);
}

/* A random decimal: up to 20 digits, a point anywhere, sometimes an exponent, sometimes the digits
 * of a double. */
static void random_decimal(struct rng *r, char *s, size_t room)
{
	uint64_t kind = rng_below(r, 4);
	if (kind == 0) {
		snprintf(s, room, "%.*f", (int)rng_below(r, 7), rng_normal(r) * 100);
	} else if (kind == 1) {
		snprintf(s, room, "%.17g", rng_normal(r) * 100);
	} else {
		int digits = 1 + (int)rng_below(r, 20), point = (int)rng_below(r, (uint64_t)digits + 1);
		size_t n = 0;
		if (rng_below(r, 2))
			s[n++] = rng_below(r, 2) ? '-' : '+';
		for (int i = 0; i < digits; i++) {
			if (i == point)
				s[n++] = '.';
			s[n++] = (char)('0' + rng_below(r, 10));
		}
		s[n] = 0;
		if (kind == 3)
			snprintf(s + n, room - n, "e%d", (int)rng_below(r, 61) - 30);
	}
}

static void a_million_decimals_are_those_of_strtod(void)
{
	struct rng r = rng_stream(11, "decimals", 0, 0);
	int wrong = 0;
	char s[80];
	for (int i = 0; i < 1000000; i++) {
		random_decimal(&r, s, sizeof s);
		if (!same_as_strtod(s) && wrong++ < 5)
			fprintf(stderr, "not as strtod: %s\n", s);
	}
	CHECK(wrong == 0);
}

static void hard_decimals_are_those_of_strtod(void)
{
	const char *hard[] = {"0", "-0", "+0.0", "5.", ".5", "1e22", "1e23", "9007199254740993",
		"9007199254740992.5", "18446744073709551615", "18446744073709551616", "99999999999999999999",
		"1e-22", "1e-23", "1e308", "1e309", "-1e400", "4.9e-324", "2.4703282292062327e-324", "1e-400",
		"0.000000000000000000000000001", "00000000000000000000000001.5", "1.7976931348623159e308",
		"9223372036854775808", "0e999999999", "1e+5", "1E5", "8.988465674311580e307",
		"179769313486231580793728971405303415079934132710037826936173",
		"1.00000000000000011102230246251565404236316680908203125",
		"1.00000000000000011102230246251565404236316680908203124", "1.000000000000000111",
		"4503599627370496.5", "4503599627370497.5", "9007199254740991e22"};
	for (size_t i = 0; i < sizeof hard / sizeof *hard; i++) {
		if (!same_as_strtod(hard[i]))
			fprintf(stderr, "not as strtod: %s\n", hard[i]);
		CHECK(same_as_strtod(hard[i]));
	}
}

static void what_is_no_number_is_refused(void)
{
	const char *bad[] = {"", ".", "-", "+", "e5", "1e", "1e+", "--1", "1.2.3", "1,5", " 1", "1 ", "0x10",
		"inf", "nan", "1_000", "1e5.5", "\xd9\xa1", "1f", "+-1"};
	double x;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		if (number_parse(bad[i], bad[i] + strlen(bad[i]), &x))
			fprintf(stderr, "accepted: \"%s\"\n", bad[i]);
		CHECK(!number_parse(bad[i], bad[i] + strlen(bad[i]), &x));
	}
	const char *missing[] = {
		"", "NaN", "nan", "-nan", "NA", "n/a", "N/A", "null", "-", "Inf", "-inf", "+Infinity"};
	for (size_t i = 0; i < sizeof missing / sizeof *missing; i++)
		CHECK(number_missing(missing[i], missing[i] + strlen(missing[i])));
	const char *present[] = {"0", "abc", "--", "nano", "na n", "+"};
	for (size_t i = 0; i < sizeof present / sizeof *present; i++)
		CHECK(!number_missing(present[i], present[i] + strlen(present[i])));
}

/* --- tables */

static struct input *input_of(const char *bytes, size_t n)
{
	int fd = memfd_create("t", MFD_CLOEXEC);
	if (fd < 0 || write(fd, bytes, n) != (ssize_t)n || lseek(fd, 0, SEEK_SET))
		bug("memfd");
	return input_of_fd(fd, "t.csv");
}

/* The double of strtod, or NaN for what is no number. */
static bool is_its_number(struct csv_cell c, char decimal, double x)
{
	double y;
	char *s = mem_text_n(c.s, (size_t)(c.end - c.s));
	bool number = number_parse_decimal(c.s, c.end, decimal, &y);
	char *comma = decimal == ',' ? strchr(s, ',') : NULL;
	if (comma)
		*comma = '.';
	if (number)
		y = strtod(s, NULL);
	free(s);
	return number ? !memcmp(&x, &y, sizeof x) : isnan(x);
}

/* The next row by the one way or the other, which give the same cells; numbers are checked. */
static int next_row(struct csv_table *t, const struct csv_cell **cell, bool numbers)
{
	if (!numbers)
		return csv_table_next(t, cell);
	const double *x;
	int r = csv_table_numbers(t, cell, &x);
	for (int i = 0; r == 1 && i < csv_table_columns(t); i++)
		CHECK(is_its_number((*cell)[i], csv_table_decimal(t), x[i]));
	return r;
}

/* The whole table as text: names, then rows, cells in [] ; or "error: ..." */
static char *dump(const char *bytes, size_t n, struct csv_form form, bool numbers)
{
	struct text out = {0};
	struct input *in = input_of(bytes, n);
	struct csv_table *t = csv_table_new(in, &form);
	const struct csv_cell *cell;
	int r = -1;
	if (t) {
		for (int i = 0; i < csv_table_names(t)->n; i++)
			text_addf(&out, "<%s>", csv_table_names(t)->s[i]);
		while ((r = next_row(t, &cell, numbers)) == 1) {
			text_addf(&out, "\n%lld", (long long)csv_table_line(t));
			for (int i = 0; i < csv_table_columns(t); i++) {
				text_add(&out, "[");
				text_add_n(&out, cell[i].s, (size_t)(cell[i].end - cell[i].s));
				text_add(&out, "]");
			}
		}
	}
	if (r < 0) {
		text_free(&out);
		text_addf(&out, "error %d: %s", err_status(), err_text());
	}
	csv_table_free(t);
	input_close(in);
	return text_take(&out);
}

static void gives(const char *file, int line, const char *csv, struct csv_form form, const char *want)
{
	for (int numbers = 0; numbers < 2; numbers++) {
		char *s = dump(csv, strlen(csv), form, numbers);
		if (strcmp(s, want)) {
			check_failed_here++;
			fprintf(stderr, "%s:%d: got\n%s\nwanted\n%s\n", file, line, s, want);
		}
		free(s);
	}
}
#define RAGGED                "; --ragged drop leaves such rows out, --ragged pad fills them up"
#define GIVES(csv, want, ...) gives(__FILE__, __LINE__, csv, (struct csv_form){__VA_ARGS__}, want)

static void separators_are_found(void)
{
	GIVES("a,b\n1,2\n", "<a><b>\n2[1][2]", .delim = 0);
	GIVES("a;b\n1;2\n", "<a><b>\n2[1][2]", .delim = 0);
	GIVES("a\tb\n1\t2\n", "<a><b>\n2[1][2]", .delim = 0);
	GIVES("a;b,c\n1;2\n", "<a><b,c>\n2[1][2]", .delim = 0);
	GIVES("\"a;x\",b\n1,2\n", "<a;x><b>\n2[1][2]", .delim = 0);
	GIVES("a;b\n1;2\n", "<a;b>\n2[1;2]", .delim = ',');
	GIVES("a\n1\n2\n", "<a>\n2[1]\n3[2]", .delim = 0);
	GIVES("1\t\t3\n4\t5\t6\n", "<C0><C1><C2>\n1[1][][3]\n2[4][5][6]", .delim = 0);
}

static void headers_are_found(void)
{
	GIVES("1,2\n3,4\n", "<C0><C1>\n1[1][2]\n2[3][4]", .delim = 0);
	GIVES("1,2\n3,4\n", "<1><2>\n2[3][4]", .header = CSV_HEADER_YES);
	GIVES("a,b\n3,4\n", "<C0><C1>\n1[a][b]\n2[3][4]", .header = CSV_HEADER_NO);
	GIVES("1,2,rest\n3,4,task\n", "<C0><C1><C2>\n1[1][2][rest]\n2[3][4][task]", .delim = 0);
	GIVES("Time,1,2\n0.5,3,4\n", "<Time><1><2>\n2[0.5][3][4]", .delim = 0);
	GIVES("0,1,2\n1.5,2.5,3.5\n", "<0><1><2>\n2[1.5][2.5][3.5]", .delim = 0);
	GIVES("0,1,2\n3,4,5\n", "<C0><C1><C2>\n1[0][1][2]\n2[3][4][5]", .delim = 0);
	GIVES("nan,2\n3,4\n", "<C0><C1>\n1[nan][2]\n2[3][4]", .delim = 0);
	GIVES(",a,b\n0,3,4\n", "<><a><b>\n2[0][3][4]", .delim = 0);
	GIVES("\"1\",\"2\"\n\"3\",4\n", "<C0><C1>\n1[1][2]\n2[3][4]", .delim = 0);
}

static void line_ends_marks_and_comments_are_skipped(void)
{
	GIVES("a,b\r\n1,2\r\n", "<a><b>\n2[1][2]", .delim = 0);
	GIVES("a,b\n1,2\r", "<a><b>\n2[1][2]", .delim = 0);
	GIVES("a,b\n1,2", "<a><b>\n2[1][2]", .delim = 0);
	GIVES("\xef\xbb\xbf"
	      "a,b\n1,2\n",
		"<a><b>\n2[1][2]", .delim = 0);
	GIVES("# x;y\n%z\n\na , b\n 1 ,\t2 \n# c\n3,4\n\n\n", "<a><b>\n5[1][2]\n7[3][4]", .delim = 0);
	GIVES("a,b\n1,2\n\n3,4\n",
		"error 65: t.csv:3: there is an empty line between the rows; remove it, or write the cells "
		"that are missing",
		.delim = 0);
	GIVES("a,b\r1,2\r3,4\r", "<a><b>\n2[1][2]\n3[3][4]", .delim = 0);
	GIVES("a,b\r1,2", "<a><b>\n2[1][2]", .delim = 0);
	GIVES("a,b\n1,2\r3,4\n",
		"error 65: t.csv:2: the lines end in two different ways; end all of them with LF (tr '\\r' "
		"'\\n' < FILE)",
		.delim = 0);
	GIVES("; one\na,b\n; two\n1,2\n", "<a><b>\n4[1][2]", .delim = 0);
	GIVES(";b\n;2\n", "<><b>\n2[][2]", .delim = 0);
	GIVES(";b\n1;2\n3;4\n", "<><b>\n2[1][2]\n3[3][4]", .delim = 0);
	GIVES("title:x, sampling rate:128, \na,b\n1,2\n", "<a><b>\n3[1][2]", .delim = 0);
}

static void quotes_go_through_libcsv(void)
{
	GIVES("\"a\",\"b\"\"c\"\n1,\"2\"\n", "<a><b\"c>\n2[1][2]", .delim = 0);
	GIVES("a,b\n\"x\ny\",1\n2,3\n", "<a><b>\n2[x\ny][1]\n4[2][3]", .delim = 0);
	GIVES("a,b\n\"x\r\n\r\ny\",1\n2,3", "<a><b>\n2[x\n\ny][1]\n5[2][3]", .delim = 0);
	GIVES("a,b\n\"\",1\n", "<a><b>\n2[][1]", .delim = 0);
	GIVES("a,b\n1,\"2\n3,4\n", "error 65: t.csv:2: a quote is opened and never closed", .delim = 0);
	GIVES("a,b\n1,2\"x\n",
		"error 65: t.csv:2: there is a quote in the wrong place; a quoted cell starts and ends with "
		"a quote, and quotes inside it are doubled",
		.delim = 0);
	GIVES("a,b\n1,\"2\"x\n",
		"error 65: t.csv:2: there is a quote in the wrong place; a quoted cell starts and ends with "
		"a quote, and quotes inside it are doubled",
		.delim = 0);
}

static void blanks_separate(void)
{
	GIVES("a b\n 1  2 \n3\t-4\n", "<a><b>\n2[1][2]\n3[3][-4]", .delim = 0);
	GIVES("left hand\n1\n2\n", "<left hand>\n2[1]\n3[2]", .delim = 0);
	GIVES("1.5 2\n3 4\n", "<C0><C1>\n1[1.5][2]\n2[3][4]", .delim = 0);
	GIVES("a, b,c\n0, 1.5,\t2\n", "<a><b><c>\n2[0][1.5][2]", .delim = 0);
}

static void names_are_made_unique_and_lose_dots(void)
{
	GIVES("a,a,b.,b..,,,a#2,a\n1,2,3,4,5,6,7,8\n",
		"<a><a#2><b><b#2><><><a#2#2><a#3>\n2[1][2][3][4][5][6][7][8]", .delim = 0);
	GIVES("...,b\n1,2\n", "<...><b>\n2[1][2]", .delim = 0);
}

static void units_may_stand_below_the_names(void)
{
	GIVES("'time','Fc5.'\n'seconds','uV'\n0.1,2\n", "<time><Fc5>\n3[0.1][2]", .delim = 0);
	GIVES("Time,1,2\n(s),(uV),(uV)\n0.1,2,3\n", "<Time><1><2>\n3[0.1][2][3]", .delim = 0);
	GIVES("a,b\nx,y\n1,2\n", "<a><b>\n3[1][2]", .header = CSV_HEADER_TWO);
	GIVES("a,b\nuV,uV\n1,2\n", "<a><b>\n2[uV][uV]\n3[1][2]", .header = CSV_HEADER_YES);
}

static void rows_may_end_with_a_separator_or_without_their_last_cell(void)
{
	GIVES("a,b,\n1,2,\n3,4,\n", "<a><b>\n2[1][2]\n3[3][4]", .delim = 0);
	GIVES("a\tb\t\n1\t2\t", "<a><b>\n2[1][2]", .delim = 0);
	GIVES("a,b\n1,2,\n3,4,\n", "<a><b>\n2[1][2]\n3[3][4]", .delim = 0);
	GIVES("a,b,\n1,2\n3,4\n", "<a><b>\n2[1][2]\n3[3][4]", .delim = 0);
	GIVES("1,2,\n3,4,\n", "<C0><C1>\n1[1][2]\n2[3][4]", .delim = 0);
	GIVES("a,b,c\n1,2\n3,4\n", "<a><b><c>\n2[1][2][]\n3[3][4][]", .delim = 0);
	GIVES("a,b,\n1,2,\n3,4\n", "error 65: t.csv:3: 2 cells, but the first row has 3" RAGGED, .delim = 0);
	GIVES("a,b,\n1,2,\n3,4,5\n", "error 65: t.csv:3: 3 cells, but the first row has 3" RAGGED,
		.delim = 0);
	GIVES("a,b,c\n1,2\n3,4,5\n", "error 65: t.csv:3: 3 cells, but the first row has 2" RAGGED,
		.delim = 0);
	GIVES("a,b,\n1,2,3\n4,5,6\n", "<a><b><>\n2[1][2][3]\n3[4][5][6]", .delim = 0);
	GIVES("a,b\n1,2\n3\n4,5,6\n7,8\n", "<a><b>\n2[1][2]\n5[7][8]", .ragged = CSV_RAGGED_DROP);
	GIVES("a,b\n1,2\n3\n4,5,6\n7,8\n", "<a><b>\n2[1][2]\n3[3][]\n4[4][5]\n5[7][8]",
		.ragged = CSV_RAGGED_PAD);
}

static void a_strict_table_is_as_it_stands(void)
{
	GIVES("a.,b\n1,2\n", "<a.><b>\n2[1][2]", .strict = true);
	GIVES("a,b,c\n1,2\n", "error 65: t.csv:2: 2 cells, but the first row has 3", .strict = true);
	GIVES("a,b\n1,2,\n", "error 65: t.csv:2: 3 cells, but the first row has 2", .strict = true);
	GIVES("a,b,a\n1,2,3\n", "error 65: t.csv:1: two columns are called \"a\"; rename one",
		.strict = true);
}

static void commas_may_be_decimal_signs(void)
{
	GIVES("0,00, 1,5\n-2,25, 3,0\n", "<C0><C1>\n1[0,00][1,5]\n2[-2,25][3,0]", .decimal = ',');
	GIVES("a,b\n0,00,1,50\n-2,25,3,00\n", "<a><b>\n2[0,00][1,50]\n3[-2,25][3,00]", .decimal = ',');
	GIVES("0,00,1,50\n-2,25,3,00\n", "<C0><C1>\n1[0,00][1,50]\n2[-2,25][3,00]", .decimal = ',');
	GIVES("0,00, 1,5\n",
		"error 65: t.csv:1: \"0,00, 1,5\": commas seem to be decimal signs and separators at once; "
		"--decimal , reads them as both, --decimal . reads each as a separator",
		.delim = 0);
	GIVES("a,b\n0,00,1,50\n",
		"error 65: t.csv:2: \"0,00,1,50\": commas seem to be decimal signs and separators at once; "
		"--decimal , reads them as both, --decimal . reads each as a separator",
		.delim = 0);
	GIVES("0,00, 1,5\n", "<C0><C1><C2><C3>\n1[0][00][1][5]", .decimal = '.');
	GIVES("a, b, c\n0, 61379.36, 2,0, 12:00\n",
		"error 65: t.csv:2: 5 cells, but the first row has 3" RAGGED, .delim = 0);
	GIVES("a;b\n0;1,5\n2,25;3\n", "<a><b>\n2[0][1,5]\n3[2,25][3]", .delim = 0);
}

static void damage_is_named(void)
{
	GIVES("a,b\n1,2\n1\n", "error 65: t.csv:3: 1 cells, but the first row has 2" RAGGED, .delim = 0);
	GIVES("a,b\n1,2,3\n", "error 65: t.csv:2: 3 cells, but the first row has 2" RAGGED, .delim = 0);
	GIVES("a\xff,b\n1,2\n",
		"error 65: t.csv:1: the name of column 1 is not UTF-8 text; convert the file (iconv -t "
		"UTF-8)",
		.delim = 0);
	GIVES("# only\n\n", "error 65: t.csv: no rows, only comments or empty lines", .delim = 0);
	GIVES("a,b,c\n1,2,3\n", "error 65: t.csv:1: there are more columns than --max-columns allows",
		.max_columns = 2);
	GIVES("\"a\",b,c\n1,2,3\n", "error 65: t.csv:1: there are more columns than --max-columns allows",
		.max_columns = 2);
	GIVES("aaaaaaaaaaaaaaaaaaaaaaaaa,b\n1,2\n",
		"error 65: t.csv:1: the row is longer than 20 bytes; this is not a table, or the limit must "
		"be raised with --max-row",
		.max_row = 20);
	GIVES("a,b\n\"xxxxxxxxx\nxxxxxxxxx\nxxxxxxxx\",2\n",
		"error 65: t.csv:2: a quote is opened and not closed within --max-row bytes", .max_row = 20);
	static const char nul[] =
		"abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz,b\n1,2\n1,\0"
		"2\n";
	char *s = dump(nul, sizeof nul - 1, (struct csv_form){0}, true);
	CHECK_TEXT(s, "error 65: t.csv:3: there is a NUL byte, so this is not a table of text");
	free(s);
}

/* The last number of a table, read as numbers. */
static double last_number(const char *csv, struct csv_form form, char *decimal, int *header_rows)
{
	struct input *in = input_of(csv, strlen(csv));
	struct csv_table *t = csv_table_new(in, &form);
	const struct csv_cell *cell;
	const double *x;
	double last = -1;
	while (t && csv_table_numbers(t, &cell, &x) == 1)
		last = x[csv_table_columns(t) - 1];
	*decimal = t ? csv_table_decimal(t) : 0;
	*header_rows = t ? csv_table_header_rows(t) : -1;
	csv_table_free(t);
	input_close(in);
	return last;
}

static void what_is_learnt_of_a_table_is_told(void)
{
	char decimal;
	int rows;
	CHECK(last_number("a;b\n1;2\n3;-4,25\n", (struct csv_form){0}, &decimal, &rows) == -4.25);
	CHECK(decimal == ',' && rows == 1);
	CHECK(last_number("a;b\n1;2,5\n1,25;1,5\n31,25;12,5\n", (struct csv_form){0}, &decimal, &rows) ==
		12.5);
	CHECK(decimal == ',');
	CHECK(isnan(last_number("a;b\n1;2.5\n3;4,5\n", (struct csv_form){0}, &decimal, &rows)) &&
		decimal == '.');
	CHECK(isnan(last_number("a;b\n1;2,5\n3;4.5\n", (struct csv_form){0}, &decimal, &rows)) &&
		decimal == ',');
	CHECK(last_number("0,0, 1,5\n0,0, 2,5\n", (struct csv_form){.decimal = ','}, &decimal, &rows) == 2.5);
	CHECK(decimal == ',' && rows == 0);
	CHECK(last_number("a\nuV\n1\n", (struct csv_form){0}, &decimal, &rows) == 1 && rows == 2);
	struct input *in = input_of("% Rate = 5\n#\na,b\nuV,mV\n1,2\n3,4\n", 31);
	struct csv_table *t = csv_table_new(in, &(struct csv_form){0});
	int n = 0;
	CHECK(csv_table_comments(t)->n == 2 && !strcmp(csv_table_comments(t)->s[0], "% Rate = 5"));
	CHECK(csv_table_units(t)->n == 2 && !strcmp(csv_table_units(t)->s[1], "mV"));
	struct csv_cell *ahead = csv_table_ahead(t, 1, &n);
	CHECK(ahead && n == 2 && *ahead[1].s == '4');
	free(ahead);
	CHECK(!csv_table_ahead(t, 2, &n));
	csv_table_free(t);
	input_close(in);
}

/* A table larger than every buffer, by both lanes. */
static void both_lanes_agree(void)
{
	struct rng r = rng_stream(3, "lanes", 0, 0);
	struct text csv = {0};
	text_add(&csv, "x,y,,label\n");
	for (int i = 0; i < 20000; i++) {
		char s[80];
		random_decimal(&r, s, sizeof s);
		text_addf(&csv, "%s, %s ,%s,%s%s", s, rng_below(&r, 9) ? "-1.5" : "", s,
			rng_below(&r, 2) ? "left hand" : "right", rng_below(&r, 2) ? "\r\n" : "\n");
	}
	char *fast = dump(csv.s, csv.n, (struct csv_form){0}, false);
	char *slow = dump(csv.s, csv.n, (struct csv_form){.slow = true}, true);
	char *numbers = dump(csv.s, csv.n, (struct csv_form){0}, true);
	CHECK(strlen(fast) > 600000 && !strcmp(fast, slow) && !strcmp(fast, numbers));
	free(fast);
	free(slow);
	free(numbers);
	text_free(&csv);
}

/* A million cells, most of them of the short form, are those of strtod (next_row checks). */
static void a_table_of_a_million_decimals_is_that_of_strtod(void)
{
	struct rng r = rng_stream(7, "table", 0, 0);
	struct text csv = {0};
	text_add(&csv, "a,b,c,d,e,f,g,h,i,j\n");
	for (int i = 0; i < 1000000; i++) {
		char s[80];
		if (rng_below(&r, 4))
			snprintf(s, sizeof s, "%.*f", 1 + (int)rng_below(&r, 8), rng_normal(&r) * 30);
		else
			random_decimal(&r, s, sizeof s);
		text_add(&csv, s);
		text_add(&csv, i % 10 < 9 ? "," : "\n");
	}
	char *whole = dump(csv.s, csv.n, (struct csv_form){0}, true);
	CHECK(strlen(whole) > csv.n);
	free(whole);
	text_free(&csv);
}

int main(void)
{
	CASE(a_million_decimals_are_those_of_strtod);
	CASE(hard_decimals_are_those_of_strtod);
	CASE(what_is_no_number_is_refused);
	CASE(separators_are_found);
	CASE(headers_are_found);
	CASE(line_ends_marks_and_comments_are_skipped);
	CASE(quotes_go_through_libcsv);
	CASE(blanks_separate);
	CASE(names_are_made_unique_and_lose_dots);
	CASE(units_may_stand_below_the_names);
	CASE(rows_may_end_with_a_separator_or_without_their_last_cell);
	CASE(a_strict_table_is_as_it_stands);
	CASE(commas_may_be_decimal_signs);
	CASE(what_is_learnt_of_a_table_is_told);
	CASE(damage_is_named);
	CASE(both_lanes_agree);
	CASE(a_table_of_a_million_decimals_is_that_of_strtod);
	return check_done();
}
