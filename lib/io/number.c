#include "io/number.h"

#include "base/mem.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Powers of ten that a double holds exactly. */
static const double ten[] = {1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14,
	1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
/* And those that fit into 64 bits. */
static const uint64_t power[] = {1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000, 1000000000,
	10000000000, 100000000000, 1000000000000, 10000000000000, 100000000000000, 1000000000000000,
	10000000000000000, 100000000000000000, 1000000000000000000, 10000000000000000000u};
enum { EXACT = 22, WHOLE = 19 };

__extension__ typedef unsigned __int128 wide;

/* m / 10^k for a mantissa of up to 64 bits, in whole numbers: the quotient has at least 63 bits,
 * and whether a remainder is left goes into its last, so that rounding it to 53 bits is rounding
 * the true value. 0 < k < 20. */
static double divide_by_power(uint64_t m, int k)
{
	uint64_t d = power[k];
	int lm = __builtin_clzll(m), ld = __builtin_clzll(d);
	wide n = (wide)(m << lm) << 63;
	d <<= ld;
	uint64_t q = (uint64_t)(n / d);
	q |= n % d != 0;
	return ldexp((double)q, ld - lm - 63);
}

/* W. D. Clinger, "How to read floating point numbers accurately" (PLDI 1990): a mantissa and a
 * power of ten that are both exact give the right double in one operation. */
static bool scale_exactly(uint64_t m, int e, double *x)
{
	if (m >> 53) {
		if (e >= 0 || e < -WHOLE)
			return false;
		*x = divide_by_power(m, -e);
		return true;
	}
	if (e < -EXACT || e > EXACT)
		return false;
	*x = e < 0 ? (double)m / ten[-e] : (double)m * ten[e];
	return true;
}

static double parse_slowly(const char *s, const char *end, char decimal)
{
	char small[64];
	size_t n = (size_t)(end - s);
	char *t = n < sizeof small ? small : mem_new(n + 1, 1);
	memcpy(t, s, n);
	t[n] = 0;
	char *point = decimal == '.' ? NULL : memchr(t, decimal, n);
	if (point)
		*point = '.';
	double x = strtod(t, NULL);
	if (t != small)
		free(t);
	return x;
}

static bool parse_exponent(const char *p, const char *end, int *e)
{
	bool negative = p < end && *p == '-';
	int v = 0;
	if (p < end && (*p == '-' || *p == '+'))
		p++;
	if (p == end)
		return false;
	for (; p < end; p++) {
		unsigned d = (unsigned)*p - '0';
		if (d > 9)
			return false;
		if (v < 100000)
			v = 10 * v + (int)d;
	}
	*e = negative ? -v : v;
	return true;
}

static inline bool parse_number(const char *s, const char *end, char decimal, double *x)
{
	const char *p = s;
	bool negative = p < end && *p == '-';
	uint64_t m = 0;
	unsigned d;
	int e = 0;
	if (p < end && (*p == '-' || *p == '+'))
		p++;
	const char *first = p;
	while (p < end && (d = (unsigned)*p - '0') <= 9) {
		m = 10 * m + d;
		p++;
	}
	long digits = p - first, fraction = 0;
	if (p < end && *p == decimal) {
		const char *point = ++p;
		while (p < end && (d = (unsigned)*p - '0') <= 9) {
			m = 10 * m + d;
			p++;
		}
		fraction = p - point;
		digits += fraction;
	}
	if (!digits)
		return false;
	if (p < end && ((*p | 32) != 'e' || !parse_exponent(p + 1, end, &e)))
		return false;
	/* 19 digits always fit into 64 bits; with more (leading zeros count here) m may have
	 * wrapped round */
	if (digits > 19 || !scale_exactly(m, e - (int)fraction, x)) {
		*x = parse_slowly(s, end, decimal);
		return true;
	}
	if (negative)
		*x = -*x;
	return true;
}

bool number_parse(const char *s, const char *end, double *x)
{
	return parse_number(s, end, '.', x);
}

bool number_parse_decimal(const char *s, const char *end, char decimal, double *x)
{
	return parse_number(s, end, decimal, x);
}

bool number_missing(const char *s, const char *end)
{
	static const char *const word[] = {"nan", "na", "n/a", "#n/a", "null", "none", "inf", "infinity"};
	size_t n = (size_t)(end - s);
	if (!n || (n == 1 && *s == '-'))
		return true;
	if (*s == '-' || *s == '+') {
		s++;
		n--;
	}
	for (size_t i = 0; i < sizeof word / sizeof *word; i++)
		if (strlen(word[i]) == n && !strncasecmp(s, word[i], n))
			return true;
	return false;
}
