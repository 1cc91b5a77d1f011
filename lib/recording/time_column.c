#include "recording/time_column.h"

#include <string.h>
#include <strings.h>

bool time_column_unit(const char *s, size_t n, enum time_unit *unit)
{
	static const struct {
		const char *word;
		enum time_unit unit;
	} known[] = {{"s", TIME_UNIT_S}, {"sec", TIME_UNIT_S}, {"seconds", TIME_UNIT_S}, {"ms", TIME_UNIT_MS},
		{"msec", TIME_UNIT_MS}, {"milliseconds", TIME_UNIT_MS}, {"us", TIME_UNIT_US},
		{"microseconds", TIME_UNIT_US}};
	if (n > 2 && strchr("([", s[0]) && strchr(")]", s[n - 1])) {
		s++;
		n -= 2;
	}
	for (size_t k = 0; k < sizeof known / sizeof *known; k++)
		if (strlen(known[k].word) == n && !strncasecmp(s, known[k].word, n)) {
			*unit = known[k].unit;
			return true;
		}
	return false;
}

bool time_column_named(const char *name, enum time_unit *unit)
{
	static const char *const stem[] = {"timestamps", "timestamp", "time stamp", "time", "elapsed time",
		"time and date", "datetime", "zeitstempel", "zeit", "temps", "tiempo", "tempo"};
	for (size_t i = 0; i < sizeof stem / sizeof *stem; i++) {
		size_t n = strlen(stem[i]);
		if (strncasecmp(name, stem[i], n))
			continue;
		const char *rest = name + n;
		if (!*rest ||
			(*rest == '#' && !rest[1 + strspn(rest + 1, "0123456789")])) /* or it comes again */
			return true;
		rest += strspn(rest, " _([");
		if (rest > name + n && time_column_unit(rest, strcspn(rest, ")] "), unit))
			return true;
	}
	return false;
}
