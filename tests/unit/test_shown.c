/* Names as they leave: for people, for cells of tables, as JSON. */
#include "check.h"

#include "base/json.h"
#include "base/progress.h"
#include "base/text.h"

#include <stdlib.h>
#include <unistd.h>

static const char *shown(const char *s)
{
	static struct text t;
	text_free(&t);
	text_shown(&t, s);
	return text_string(&t);
}

static const char *cell(const char *s, char separator)
{
	static struct text t;
	text_free(&t);
	text_cell(&t, s, separator);
	return text_string(&t);
}

static void people_see_what_would_steer_a_terminal(void)
{
	CHECK_TEXT(shown("\033]0;title\a\033[31mred"), "\\e]0;title\\x07\\e[31mred");
	CHECK_TEXT(shown("a\nb\tc\rd\177"), "a\\nb\\tc\\rd\\x7f");
	CHECK_TEXT(shown("\xc2\x9b"
			 "31m"),
		"\\u009b31m"); /* CSI as one character */
	CHECK_TEXT(shown("a\xe2\x80\xae"
			 "b\xe2\x81\xa6"
			 "c\xe2\x80\xa8"),
		"a\\u202eb\\u2066c\\u2028");
	CHECK_TEXT(shown("a\xff\xc3"), "a\\xff\\xc3");
	CHECK_TEXT(shown("\xed\xa0\x80"), "\\xed\\xa0\\x80"); /* half a surrogate pair is no character */
}

static void people_see_letters_as_they_are(void)
{
	const char *plain = "Fp1 'C3' \"O\\x1b\" \\n = +1 é Ω 脑 \xf0\x9f\xa7\xa0 \xc2\xa0 \xe2\x80\x93 ע";
	CHECK_TEXT(shown(plain), plain);
	CHECK_TEXT(shown(""), "");
}

static void columns_keep_their_width(void)
{
	struct text t = {0};
	text_shown_wide(&t, "ab", 4);
	text_shown_wide(&t, "cd", -4);
	text_shown_wide(&t, "\n", 4);
	CHECK_TEXT(text_string(&t), "  abcd    \\n");
	text_free(&t);
}

static void formulas_are_defused(void)
{
	static const char *const of[][2] = {{"=cmd|calc", "'=cmd|calc"}, {"+1+1", "'+1+1"}, {"-a", "'-a"},
		{"@SUM(A1)", "'@SUM(A1)"}, {"'=1", "''=1"}, {"''@", "'''@"}, {"-", "'-"}, {"-inf", "'-inf"},
		{"-0x1p3", "'-0x1p3"}, {"\t=1", "'\t=1"}, {"\r", "\"'\r\""}, {"=\"x\"", "\"'=\"\"x\"\"\""}};
	for (size_t i = 0; i < sizeof of / sizeof *of; i++)
		CHECK_TEXT(cell(of[i][0], ','), of[i][1]);
	CHECK_TEXT(cell("=a,b", '\t'), "'=a,b");
	CHECK_TEXT(cell("\t=1", '\t'), "' =1");
}

static void cells_of_usual_names_stay(void)
{
	static const char *const usual[] = {"", "S01", "S01_1.csv", "'", "'left'", "O'Neill", "a=b", "a-b",
		"-1", "+1", "-1.5e-3", "'-1", "C:\\x\\unit", "\\n", "é 脑", "1,5"};
	for (size_t i = 0; i + 1 < sizeof usual / sizeof *usual; i++)
		CHECK_TEXT(cell(usual[i], ','), usual[i]);
	CHECK_TEXT(cell("1,5", ','), "\"1,5\"");
	CHECK_TEXT(cell("1,5", '\t'), "1,5");
	CHECK_TEXT(cell("say \"a\"\n", ','), "\"say \"\"a\"\"\n\"");
	CHECK_TEXT(cell("a\tb\r\nc", '\t'), "a b  c");
	struct text t = {0};
	text_number_cell(&t, -0.5, ',');
	CHECK_TEXT(text_string(&t), ",-0.5");
	text_free(&t);
}

/* --- the way back, as moe-formats(5) tells it */

static void unquote(char *s)
{
	size_t n = strlen(s), k = 0;
	if (*s != '"')
		return;
	for (size_t i = 1; i + 1 < n; i++) {
		s[k++] = s[i];
		i += s[i] == '"';
	}
	s[k] = 0;
}

static void decode(char *s)
{
	char *to = s;
	for (const char *p = s; *p;) {
		unsigned code;
		if (sscanf(p, "\\x%2x", &code) == 1 && strspn(p + 2, "0123456789abcdefABCDEF") >= 2) {
			*to++ = (char)code;
			p += 4;
		} else if (sscanf(p, "\\u%4x", &code) == 1 && strspn(p + 2, "0123456789abcdefABCDEF") >= 4) {
			if (code >= 0x800)
				*to++ = (char)(0xe0 | code >> 12);
			*to++ = code >= 0x800 ? (char)(0x80 | (code >> 6 & 0x3f)) : (char)(0xc0 | code >> 6);
			*to++ = (char)(0x80 | (code & 0x3f));
			p += 6;
		} else {
			*to++ = *p++;
		}
	}
	*to = 0;
}

static void without_apostrophe(char *s)
{
	const char *rest = s + strspn(s, "'");
	char *end;
	strtod(rest, &end);
	bool number = !*end && strspn(rest, "+-.0123456789eE") == strlen(rest);
	if (rest > s && *rest && strchr("=+-@\t\r\n", *rest) && !number)
		memmove(s, s + 1, strlen(s));
}

static void every_cell_can_be_read_back(void)
{
	static const char *const sign[] = {"'", "=", "-", "\t", "\n", ",", "\"", "\\", "x", "u", "1b", "00",
		"\033", "\xff", "\xc2\x9b", "\xe2\x80\xae", "é"};
	enum { SIGNS = sizeof sign / sizeof *sign, LENGTH = 4 };
	int all = 1, wrong = 0, raw = 0;
	for (int i = 0; i < LENGTH; i++)
		all *= SIGNS;
	for (int i = 0; i < all; i++) {
		char name[64] = "", back[256];
		for (int rest = i; rest; rest /= SIGNS)
			strcat(name, sign[rest % SIGNS]);
		snprintf(back, sizeof back, "%s", cell(name, ','));
		raw += strpbrk(back, "\033\xff\x9b") != NULL;
		raw += strchr("=\t\n", back[*back == '"' ? 1 : 0]) && *back;
		unquote(back);
		decode(back);
		without_apostrophe(back);
		wrong += strcmp(back, name) != 0;
	}
	CHECK(all > 80000);
	CHECK(wrong == 0);
	CHECK(raw == 0);
}

static void json_escapes_what_is_not_seen(void)
{
	static const char all[] =
		"\001\t\n\r\033\037\"\\\177\xc2\x80\xc2\x9f\xc2\xa0\xe2\x80\xae\xe2\x81\xa9é";
	struct text t = {0};
	json_string(&t, all);
	CHECK_TEXT(text_string(&t),
		"\"\\u0001\\t\\n\\u000d\\u001b\\u001f\\\"\\\\\\u007f\\u0080\\u009f\xc2\xa0\\u202e\\u2069é\"");
	cJSON *back = json_parse(t.s, t.n, "test");
	CHECK(back && !strcmp(back->valuestring, all));
	cJSON_Delete(back);
	t.n = 0;
	json_copy(&t, "{\"a\177\":[1,\"\xc2\x9b\\n\\\"é\"]}");
	CHECK_TEXT(text_string(&t), "{\"a\\u007f\":[1,\"\\u009b\\n\\\"é\"]}");
	text_free(&t);
}

static void the_progress_line_is_escaped(void)
{
	char path[] = "/tmp/moe-shown-XXXXXX", got[200] = "";
	int fd = mkstemp(path), standard = dup(STDERR_FILENO);
	struct progress p;
	progress_begin(&p, PROGRESS_ALWAYS, false);
	dup2(fd, STDERR_FILENO);
	progress_show(&p, 0, 0, "group %s", "a\n\033[31mb");
	progress_end(&p);
	dup2(standard, STDERR_FILENO);
	CHECK(pread(fd, got, sizeof got - 1, 0) > 0);
	CHECK_TEXT(got, "\r\033[Kgroup a\\n\\e[31mb\r\033[K");
	unlink(path);
	close(fd);
	close(standard);
}

int main(void)
{
	CASE(people_see_what_would_steer_a_terminal);
	CASE(people_see_letters_as_they_are);
	CASE(columns_keep_their_width);
	CASE(formulas_are_defused);
	CASE(cells_of_usual_names_stay);
	CASE(every_cell_can_be_read_back);
	CASE(json_escapes_what_is_not_seen);
	CASE(the_progress_line_is_escaped);
	return check_done();
}
