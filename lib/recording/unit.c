#include "recording/unit.h"

#include <string.h>
#include <strings.h>

enum { UNITS = 5, SPELLINGS = 4 };

static const struct {
	double factor;
	const char *name[SPELLINGS]; /* as it is written; then in any case */
	const char *word[SPELLINGS];
} known[UNITS] = {
	[UNIT_AUTO] = {1, {NULL}, {NULL}},
	[UNIT_UV] = {1, {"uV", "\xc2\xb5V", "\xce\xbcV", "\xb5V"},
		{"uV", "microV", "microvolt", "microvolts"}},
	[UNIT_MV] = {1e3, {"mV"}, {"milliV", "millivolt", "millivolts"}},
	[UNIT_V] = {1e6, {"V"}, {"volt", "volts"}},
	[UNIT_NV] = {1e-3, {"nV"}, {"nV", "nanoV", "nanovolt", "nanovolts"}},
};

static bool is_word(const char *word, const char *s, size_t n, bool any_case)
{
	return word && strlen(word) == n && !(any_case ? strncasecmp(word, s, n) : strncmp(word, s, n));
}

enum voltage_unit unit_parse(const char *s)
{
	size_t n = strlen(s);
	if (n > 2 && strchr("([", s[0]) && strchr(")]", s[n - 1])) {
		s++;
		n -= 2;
	}
	for (int u = UNIT_UV; u < UNITS; u++)
		for (int i = 0; i < SPELLINGS; i++)
			if (is_word(known[u].name[i], s, n, false) || is_word(known[u].word[i], s, n, true))
				return (enum voltage_unit)u;
	return UNIT_AUTO;
}

double unit_factor(enum voltage_unit u)
{
	return known[u].factor;
}

const char *unit_common(const double *scale, int n)
{
	for (int i = 1; i < n; i++)
		if (scale[i] != scale[0])
			return "mixed";
	for (int u = UNIT_UV; u < UNITS; u++)
		if (known[u].factor == scale[0])
			return known[u].name[0];
	return "mixed";
}
