#include "recording/timestamp.h"

#include <stddef.h>
#include <stdint.h>

/* Digits of exactly this number; moves p behind them. */
static bool read_digits(const char **p, const char *end, int n, int *x)
{
	*x = 0;
	for (int i = 0; i < n; i++, ++*p) {
		if (*p >= end || **p < '0' || **p > '9')
			return false;
		*x = 10 * *x + (**p - '0');
	}
	return true;
}

static bool take_char(const char **p, const char *end, char c)
{
	if (*p >= end || **p != c)
		return false;
	++*p;
	return true;
}

/* Days since 1970-01-01 in the Gregorian calendar, counting years from March. */
static int64_t days_since_1970(int year, int month, int day)
{
	int64_t y = month > 2 ? year : year - 1, m = (month + 9) % 12;
	return 365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 1 - 719468;
}

static int days_of(int year, int month)
{
	static const int of[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool leap = (year % 4 == 0 && year % 100) || year % 400 == 0;
	return of[month - 1] + (month == 2 && leap);
}

static bool read_fraction(const char **p, const char *end, double *x)
{
	double unit = 0.1;
	const char *first = *p;
	for (*x = 0; *p < end && **p >= '0' && **p <= '9'; ++*p, unit /= 10)
		*x += unit * (**p - '0');
	return *p > first;
}

/* Z, +HH:MM, +HHMM, or nothing; *seconds east of UTC. */
static bool read_zone(const char **p, const char *end, int *seconds)
{
	int h, m;
	*seconds = 0;
	if (*p == end || take_char(p, end, 'Z'))
		return true;
	int sign = take_char(p, end, '-') ? -1 : take_char(p, end, '+') ? 1 : 0;
	if (!sign || !read_digits(p, end, 2, &h))
		return false;
	(void)take_char(p, end, ':');
	if (!read_digits(p, end, 2, &m) || h > 23 || m > 59)
		return false;
	*seconds = sign * (3600 * h + 60 * m);
	return true;
}

bool timestamp_parse(const char *s, const char *end, double *seconds)
{
	int year, month, day, hour, minute, second = 0, east;
	double part = 0;
	const char *p = s;
	if (!read_digits(&p, end, 4, &year) || !take_char(&p, end, '-') || !read_digits(&p, end, 2, &month) ||
		!take_char(&p, end, '-') || !read_digits(&p, end, 2, &day) || month < 1 || month > 12 ||
		day < 1 || day > days_of(year, month))
		return false;
	if (!take_char(&p, end, 'T') && !take_char(&p, end, ' '))
		return false;
	while (take_char(&p, end, ' '))
		;
	if (!read_digits(&p, end, 2, &hour) || !take_char(&p, end, ':') || !read_digits(&p, end, 2, &minute))
		return false;
	if (take_char(&p, end, ':') && (!read_digits(&p, end, 2, &second) ||
					       (take_char(&p, end, '.') && !read_fraction(&p, end, &part))))
		return false;
	while (take_char(&p, end, ' '))
		;
	if (hour > 23 || minute > 59 || second > 60 || !read_zone(&p, end, &east) || p != end)
		return false;
	*seconds = (double)(86400 * days_since_1970(year, month, day) + 3600 * hour + 60 * minute + second -
			    east) +
		   part;
	return true;
}

bool timestamp_is_date(double seconds)
{
	return seconds >= 1e8;
}
