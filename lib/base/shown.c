/* Names as they leave the programs: for people, and for the cells of tables. */
#include "base/text.h"

#include <string.h>

size_t text_utf8(const char *s, size_t n)
{
	const unsigned char *p = (const unsigned char *)s;
	if (p[0] < 0x80)
		return 1;
	size_t len = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;
	if (p[0] < 0xc2 || p[0] > 0xf4 || len > n)
		return 0;
	for (size_t i = 1; i < len; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) || (p[0] == 0xf0 && p[1] < 0x90) ||
		(p[0] == 0xf4 && p[1] > 0x8f))
		return 0;
	return len;
}

/* The number of the character at s, of len bytes. */
static unsigned code_point(const unsigned char *s, size_t len)
{
	unsigned code = len == 1 ? s[0] : s[0] & (0xffu >> (len + 1));
	for (size_t i = 1; i < len; i++)
		code = code << 6 | (s[i] & 0x3fu);
	return code;
}

size_t text_unseen(const char *s, size_t n, unsigned *code)
{
	size_t len = text_utf8(s, n);
	*code = len ? code_point((const unsigned char *)s, len) : (unsigned char)*s;
	bool control = *code < 0x20 || (*code >= 0x7f && *code < 0xa0);
	bool line = *code == 0x2028 || *code == 0x2029; /* line and paragraph separator */
	bool direction = (*code >= 0x202a && *code <= 0x202e) || (*code >= 0x2066 && *code <= 0x2069);
	return !len ? 1 : control || line || direction ? len : 0;
}

/* \x of a byte, \u of a character of several. */
static void add_code(struct text *t, size_t len, unsigned code)
{
	text_addf(t, len == 1 ? "\\x%02x" : "\\u%04x", code);
}

void text_shown(struct text *t, const char *s)
{
	static const char from[] = "\n\t\r\033", to[] = "ntre";
	size_t left = strlen(s), len;
	for (unsigned code; left; s += len, left -= len) {
		const char *known = strchr(from, *s);
		len = text_unseen(s, left, &code);
		if (!len)
			text_add_n(t, s, len = text_utf8(s, left));
		else if (known)
			text_addf(t, "\\%c", to[known - from]);
		else
			add_code(t, len, code);
	}
}

void text_shown_wide(struct text *t, const char *s, int width)
{
	struct text shown = {0};
	text_shown(&shown, s);
	text_addf(t, "%*s", width, text_string(&shown));
	text_free(&shown);
}

/* --- cells */

/* Whether a spreadsheet would take s for a formula. A plain number is none, whatever its sign. */
static bool is_formula(const char *s)
{
	double x;
	bool number = s[strspn(s, "+-.0123456789eE")] == 0 && text_to_double(s, &x);
	return *s && strchr("=+-@\t\r\n", *s) && !number;
}

/* Whether s reads like the code of a character: \x and two hexadecimal digits, \u and four. */
static bool is_code(const char *s)
{
	size_t digits = s[0] != '\\' ? 0 : s[1] == 'x' ? 2 : s[1] == 'u' ? 4 : 0;
	return digits && strspn(s + 2, "0123456789abcdefABCDEF") >= digits;
}

void text_cell(struct text *t, const char *s, char separator)
{
	bool quoted = separator == ',' && strpbrk(s, ",\"\r\n");
	size_t left = strlen(s), len;
	text_add(t, quoted ? "\"" : "");
	text_add(t, is_formula(s + strspn(s, "'")) ? "'" : "");
	for (unsigned code; left; s += len, left -= len) {
		len = text_unseen(s, left, &code);
		if (strchr("\t\r\n", *s))
			text_add_n(t, separator == ',' ? s : " ", 1);
		else if (len)
			add_code(t, len, code);
		else if (is_code(s))
			add_code(t, len = 1, '\\');
		else
			text_add_n(t, s, len = text_utf8(s, left));
		if (quoted && *s == '"')
			text_add(t, "\"");
	}
	text_add(t, quoted ? "\"" : "");
}
