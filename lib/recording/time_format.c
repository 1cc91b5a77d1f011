#include "recording/time_format.h"

#include "recording/timestamp.h"

#include <ctype.h>
#include <stdint.h>
#include <string.h>

struct text_at {
	const char *p, *end;
};

static bool take_char(struct text_at *a, char c)
{
	if (a->p == a->end || *a->p != c)
		return false;
	a->p++;
	return true;
}

/* Digits, least to most of them. */
static bool read_whole(struct text_at *a, int least, int most, int64_t *x)
{
	int n = 0;
	*x = 0;
	for (; a->p < a->end && isdigit((unsigned char)*a->p) && n < most; n++)
		*x = 10 * *x + (*a->p++ - '0');
	return n >= least;
}

/* [hh:]mm:ss[.fraction] */
static bool read_time_of_day(struct text_at *a, double *seconds)
{
	int64_t part[3], n = 0, digit;
	do {
		if (!read_whole(a, 1, n ? 2 : 4, &part[n]))
			return false;
		n++;
	} while (n < 3 && take_char(a, ':'));
	if (n < 2 || part[n - 1] > 60 || part[n - 2] > (n == 3 ? 59 : 9999))
		return false;
	*seconds =
		n == 3 ? (double)(3600 * part[0] + 60 * part[1] + part[2]) : (double)(60 * part[0] + part[1]);
	if (take_char(a, '.') || take_char(a, ',')) {
		int64_t fraction = 0, scale = 1;
		if (a->p == a->end || !isdigit((unsigned char)*a->p))
			return false;
		while (read_whole(a, 1, 1, &digit))
			if (scale < 1000000000000) {
				fraction = 10 * fraction + digit;
				scale *= 10;
			}
		*seconds += (double)fraction / (double)scale;
	}
	return true;
}

/* A date in the form of timestamp_parse: dashes for slashes, the year before day and month, a point
 * for a comma. */
static bool read_date_and_time(struct text_at *a, double *seconds)
{
	char t[48];
	size_t n = (size_t)(a->end - a->p);
	if (n < 16 || n >= sizeof t)
		return false;
	memcpy(t, a->p, n);
	if (t[2] == '.' && t[5] == '.') { /* dd.mm.yyyy */
		memcpy(t, a->p + 6, 4);
		memcpy(t + 5, a->p + 3, 2);
		memcpy(t + 8, a->p, 2);
		t[4] = t[7] = '-';
	} else if (t[4] == '/' && t[7] == '/') {
		t[4] = t[7] = '-';
	}
	char *comma = memchr(t, ',', n);
	if (comma)
		*comma = '.';
	if (!timestamp_parse(t, t + n, seconds))
		return false;
	a->p = a->end;
	return true;
}

/* [-]d days [+]hh:mm:ss.fraction */
static bool read_delta(struct text_at *a, double *seconds)
{
	int64_t d;
	bool negative = take_char(a, '-');
	if (!read_whole(a, 1, 6, &d) || !take_char(a, ' ') || a->end - a->p < 3 || memcmp(a->p, "day", 3))
		return false;
	a->p += 3;
	take_char(a, 's');
	while (take_char(a, ' ') || take_char(a, '+'))
		;
	if (a->p == a->end)
		*seconds = 0;
	else if (!read_time_of_day(a, seconds))
		return false;
	*seconds += (double)(negative ? -d : d) * 86400;
	return true;
}

enum time_format time_format_parse(const char *s, const char *end, double *seconds)
{
	static bool (*const form[])(struct text_at *, double *) = {[TIME_FORMAT_DATE] = read_date_and_time,
		[TIME_FORMAT_OF_DAY] = read_time_of_day,
		[TIME_FORMAT_DELTA] = read_delta};
	bool brackets = end - s > 2 && *s == '[' && end[-1] == ']';
	if (brackets) {
		s++;
		end--;
	}
	for (int k = TIME_FORMAT_DATE; k <= TIME_FORMAT_DELTA; k++) {
		struct text_at a = {s, end};
		if (form[k](&a, seconds) && (a.p == a.end || (brackets && *a.p == ' ')))
			return (enum time_format)k;
	}
	return TIME_FORMAT_NONE;
}
