/* The numeric path: a line without quotes becomes numbers in one pass.
 *
 *     separators of the line --> the last eight bytes of each cell --> digits --> whole number / power of ten
 *
 * Cells with as many digits behind the point as those before them, and at most eight bytes without
 * the sign, are the usual ones: a loop that vector units take makes numbers of them, several at a
 * time. Both parts of the division are exact, so that its result is the double strtod gives. Cells
 * of other forms are found by the same loop and go another way.
 */
#include "io/csv_parts.h"

#include "base/mem.h"
#include "io/number.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

enum { SHORT = 8, LONGEST_LINE = 1 << 20 };

static const uint64_t ones = 0x0101010101010101u;

/* Compiled for several levels of the processor, the best of which is taken at the start. */
#if defined __x86_64__ && defined __GNUC__ && !defined __clang__ && !defined __SANITIZE_ADDRESS__ && \
	!defined __SANITIZE_THREAD__
#define CLONES __attribute__((target_clones("arch=x86-64-v3", "default")))
#else
#define CLONES
#endif

static inline uint64_t load_word(const char *p)
{
	uint64_t w;
	memcpy(&w, p, sizeof w);
	return w;
}

#ifdef __SSE2__
static uint64_t equal_in_64(const char *s, __m128i c)
{
	uint64_t bits = 0;
	for (int j = 0; j < 4; j++) {
		__m128i x = _mm_loadu_si128((const __m128i *)(const void *)(s + 16 * j));
		bits |= (uint64_t)(unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(x, c)) << 16 * j;
	}
	return bits;
}

/* Where c stands in s [n]: at [the number returned]. Up to CSV_BEYOND bytes behind s are read and
 * do not count. */
static int find_positions(const char *s, size_t n, char c, uint32_t *at)
{
	int k = 0;
	__m128i wanted = _mm_set1_epi8(c);
	for (size_t from = 0; from < n; from += 64) {
		uint64_t bits = equal_in_64(s + from, wanted);
		if (n - from < 64)
			bits &= ((uint64_t)1 << (n - from)) - 1;
		for (; bits; bits &= bits - 1)
			at[k++] = (uint32_t)from + (uint32_t)__builtin_ctzll(bits);
	}
	return k;
}
#else
static int find_positions(const char *s, size_t n, char c, uint32_t *at)
{
	int k = 0;
	uint64_t wanted = (unsigned char)c * ones;
	for (size_t from = 0; from < n; from += 8) {
		uint64_t w = load_word(s + from) ^ wanted; /* 0x80 in each byte that is zero now */
		uint64_t bits = ~(((w & 0x7f * ones) + 0x7f * ones) | w | 0x7f * ones);
		if (n - from < 8)
			bits &= ((uint64_t)1 << 8 * (n - from)) - 1;
		for (; bits; bits &= bits - 1)
			at[k++] = (uint32_t)from + ((uint32_t)__builtin_ctzll(bits) >> 3);
	}
	return k;
}
#endif

/* 0x80 in each byte that is no digit, digits being 0 .. 9 here. */
static inline uint64_t no_digits(uint64_t d)
{
	return (((d & 0x7f * ones) + 0x76 * ones) | d) & 0x80 * ones;
}

/* The number of eight digits, the first in the lowest byte: pairs, then fours, then all, multiplied
 * by shifts (10 = 8 + 2, 100 = 64 + 32 + 4, 10000 = 8192 + 1024 + 512 + 256 + 16), which every
 * vector unit has. */
static inline uint64_t eight_digits(uint64_t d)
{
	d = ((d << 3) + (d << 1) + (d >> 8)) & 0x00ff00ff00ff00ffu;
	d = ((d << 6) + (d << 5) + (d << 2) + (d >> 16)) & 0x0000ffff0000ffffu;
	return ((d << 13) + (d << 10) + (d << 9) + (d << 8) + (d << 4) + (d >> 32)) & 0xffffffffu;
}

static const double power[SHORT + 1] = {1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8};

/* The number s [n], [-]digits.digits with at most eight digits, *fraction of them behind the point;
 * false when it is of another form. Bytes behind s are read and do not count. */
static bool short_number(const char *s, size_t n, char sign, double *x, int *fraction)
{
	size_t negative = *s == '-';
	const char *p = s + negative;
	uint64_t w = load_word(p), behind = load_word(p + 1);
	uint64_t no_digit = ~w & 0x10 * ones; /* digits have bit 4, and the point has not */
	size_t digits = n - negative - 1;
	if (!no_digit || digits - 1 >= SHORT)
		return false;
	size_t point = (size_t)__builtin_ctzll(no_digit) >> 3;
	if (point >= digits || p[point] != sign)
		return false;
	/* the point taken out, then the digits moved to the end of the word, zeros before them */
	uint64_t before = ((uint64_t)1 << 8 * point) - 1;
	uint64_t d = ((w & before) | (behind & ~before)) ^ 0x30 * ones;
	d <<= 8 * (SHORT - digits);
	if (no_digits(d))
		return false;
	*fraction = (int)(digits - point);
	*x = (double)eight_digits(d) / power[*fraction];
	*x = negative ? -*x : *x;
	return true;
}

/* The last eight bytes of a cell as digits, what stands before the number cleared; 0 when it is too
 * long or too short. */
static inline uint64_t last_bytes(const char *s, const char *end, size_t least, size_t *negative)
{
	*negative = *s == '-';
	size_t n = (size_t)(end - s) - *negative;
	if (n - least > SHORT - least)
		return 0;
	return (load_word(end - SHORT) ^ 0x30 * ones) & ~(uint64_t)0 << 8 * (SHORT - n);
}

/* number [n] from the last bytes and the sign (the highest bit) of each cell; strange [n] is not 0
 * where one is not of the usual form. Whether any is. */
CLONES static bool usual_numbers(const uint64_t *restrict word, const uint64_t *restrict sign, int n,
	int fraction, char sign_of_decimals, double *restrict number, uint64_t *restrict strange)
{
	const int point = 8 * (SHORT - 1 - fraction);
	const uint64_t behind = ~(uint64_t)0 << 8 * (SHORT - fraction), before = ~behind & ~(uint64_t)0xff;
	const double under = power[fraction];
	const uint64_t mark = (uint64_t)((unsigned char)sign_of_decimals ^ '0');
	uint64_t any = 0;
	for (int i = 0; i < n; i++) {
		uint64_t w = word[i], d = (w & behind) | (w << 8 & before);
		strange[i] = no_digits(d) | ((w >> point & 0xff) ^ mark);
		any |= strange[i];
		uint64_t bits = eight_digits(d) | 0x4330000000000000u; /* 2^52 + the number */
		double x;
		memcpy(&x, &bits, sizeof x);
		x = (x - 0x1p52) / under;
		memcpy(&bits, &x, sizeof x);
		bits |= sign[i];
		memcpy(&number[i], &bits, sizeof x);
	}
	return any;
}

static bool is_blank(char c, char delim)
{
	return c == ' ' || (c == '\t' && delim != '\t');
}

bool csv_number(const struct csv_table *t, struct csv_cell c, double *x)
{
	char sign = csv_table_decimal(t);
	return number_parse_decimal(c.s, c.end, sign, x) ||
	       (!t->decimal && t->form.delim != ',' && number_parse_decimal(c.s, c.end, ',', x));
}

double csv_learn_number(struct csv_table *t, struct csv_cell c)
{
	double x;
	if (!csv_number(t, c, &x))
		return (double)NAN;
	if (!t->decimal && memchr(c.s, '.', (size_t)(c.end - c.s)))
		t->decimal = '.';
	else if (!t->decimal && memchr(c.s, ',', (size_t)(c.end - c.s)))
		t->decimal = ',';
	return x;
}

static double other_number(struct csv_table *t, struct csv_cell *c, char delim)
{
	while (c->s < c->end && is_blank(*c->s, delim))
		c->s++;
	while (c->end > c->s && is_blank(c->end[-1], delim))
		c->end--;
	return csv_learn_number(t, *c);
}

void csv_cell_room(struct csv_table *t, int cells)
{
	if (t->cell_room < cells) {
		t->cell_room = cells;
		GROW(t->cell, cells);
	}
	if (t->number_room < cells) {
		t->number_room = cells;
		GROW(t->number, cells);
		GROW(t->word, cells);
		GROW(t->sign, cells);
		GROW(t->strange, cells);
	}
}

static void room_for_line(struct csv_table *t, size_t n)
{
	if (t->at_room > n)
		return;
	t->at_room = n + 1;
	GROW(t->at, t->at_room);
}

/* Makes the cells of a line, and numbers of those that are usual; strange tells which are not.
 * Whether any is. */
static bool cut_cells(struct csv_table *t, const char *s, int cells, int fraction)
{
	size_t least = (size_t)fraction + 2, negative; /* a digit, the point, the fraction */
	uint32_t from = 0;
	for (int i = 0; i < cells; i++) {
		const char *a = s + from, *b = s + t->at[i];
		t->cell[i] = (struct csv_cell){a, b};
		t->word[i] = last_bytes(a, b, least, &negative);
		t->sign[i] = (uint64_t)negative << 63;
		from = t->at[i] + 1;
	}
	bool any =
		usual_numbers(t->word, t->sign, cells, fraction, csv_table_decimal(t), t->number, t->strange);
	if (!any && !t->decimal)
		t->decimal = '.';
	return any;
}

/* The numbers of the other cells; whether there is text among them. */
static bool read_other_cells(struct csv_table *t, int cells)
{
	bool text = false;
	int fraction = t->fraction;
	char sign = csv_table_decimal(t);
	for (int i = 0; i < cells; i++) {
		struct csv_cell *c = &t->cell[i];
		if (!t->strange[i] ||
			short_number(c->s, (size_t)(c->end - c->s), sign, &t->number[i], &fraction))
			continue;
		t->number[i] = other_number(t, c, t->form.delim);
		text |= isnan(t->number[i]);
	}
	t->fraction = fraction < SHORT - 1 ? fraction : t->fraction;
	return text;
}

bool csv_cut_numbers(struct csv_table *t, const char *s, size_t n)
{
	char delim = t->form.delim;
	if (delim == ' ' || (delim == ',' && t->form.decimal == ','))
		return false;
	if (n > LONGEST_LINE || csv_is_comment(t, s, n) || csv_is_empty(s, n) || s - t->buffer < SHORT)
		return false;
	room_for_line(t, n);
	int cells = find_positions(s, n, delim, t->at) + 1;
	if (cells != t->width + t->tail ||
		(t->tail == 1 && !csv_is_empty(s + t->at[cells - 2] + 1, n - t->at[cells - 2] - 1)))
		return false;
	csv_cell_room(t, cells + 1);
	t->at[cells - 1] = (uint32_t)n;
	bool any = cut_cells(t, s, cells, t->fraction);
	if (any && read_other_cells(t, cells) &&
		(memchr(s, t->quote, n) || memchr(s, '\r', n) || memchr(s, '\n', n) || memchr(s, 0, n)))
		return false;
	if (t->tail < 0) {
		t->cell[cells] = (struct csv_cell){s + n, s + n};
		t->number[cells] = (double)NAN;
	}
	t->cells = t->width;
	return true;
}

int csv_table_numbers(struct csv_table *t, const struct csv_cell **cells, const double **x)
{
	t->as_numbers = true;
	t->parsed = false;
	int r = csv_table_next(t, cells);
	t->as_numbers = false;
	if (r == 1 && !t->parsed) {
		csv_cell_room(t, t->width);
		for (int i = 0; i < t->width; i++)
			t->number[i] = csv_learn_number(t, t->cell[i]);
	}
	*x = t->number;
	return r;
}
