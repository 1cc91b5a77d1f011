#include "recording/unit.h"

#include <string.h>
#include <strings.h>

enum { UNITS = 5, SPELLINGS = 4 };

static const struct {
	double factor;
	const char *name[SPELLINGS]; /* as it is written; then in any case */
	const char *word[SPELLINGS];
} known[UNITS] = {
	[SPLIT_UNIT_AUTO] = {1, {NULL}, {NULL}},
	[SPLIT_UV] = {1, {"uV", "\xc2\xb5V", "\xce\xbcV", "\xb5V"},
		{"uV", "microV", "microvolt", "microvolts"}},
	[SPLIT_MV] = {1e3, {"mV"}, {"milliV", "millivolt", "millivolts"}},
	[SPLIT_V] = {1e6, {"V"}, {"volt", "volts"}},
	[SPLIT_NV] = {1e-3, {"nV"}, {"nV", "nanoV", "nanovolt", "nanovolts"}},
};

static bool is_word(const char *word, const char *s, size_t n, bool any_case)
{
	return word && strlen(word) == n && !(any_case ? strncasecmp(word, s, n) : strncmp(word, s, n));
}

enum split_unit unit_parse(const char *s)
{
	size_t n = strlen(s);
	if (n > 2 && strchr("([", s[0]) && strchr(")]", s[n - 1])) {
		s++;
		n -= 2;
	}
	for (int u = SPLIT_UV; u < UNITS; u++)
		for (int i = 0; i < SPELLINGS; i++)
			if (is_word(known[u].name[i], s, n, false) || is_word(known[u].word[i], s, n, true))
				return (enum split_unit)u;
	return SPLIT_UNIT_AUTO;
}

double unit_factor(enum split_unit u)
{
	return known[u].factor;
}

const char *unit_common(const double *scale, int n)
{
	for (int i = 1; i < n; i++)
		if (scale[i] != scale[0])
			return "mixed";
	for (int u = SPLIT_UV; u < UNITS; u++)
		if (known[u].factor == scale[0])
			return known[u].name[0];
	return "mixed";
}
