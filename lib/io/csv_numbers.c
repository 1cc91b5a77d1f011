/* The numeric lane: a line without quotes becomes numbers in one pass.
 *
 *     separators of the line --> where each cell starts and ends --> digits, eight at a time --> whole number / power of ten
 *
 * A cell of the form [-]digits.digits with at most eight digits is worked on within one word, without a branch on what it
 * holds; both parts of the division are exact, so that its result is the double strtod gives. It is tried first whether it has
 * as many digits behind the point as the cells before it, as that is the shorter way. Any other cell goes through number_parse.
 * The divisions are done at the end of the row, several at a time.
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

static uint64_t load(const char *p)
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

/* Where c stands in s [n]: at [the number returned]. Up to CSV_BEYOND bytes behind s are read and do not count. */
static int positions(const char *s, size_t n, char c, uint32_t *at)
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
static int positions(const char *s, size_t n, char c, uint32_t *at)
{
	int k = 0;
	uint64_t wanted = (unsigned char)c * ones;
	for (size_t from = 0; from < n; from += 8) {
		uint64_t w = load(s + from) ^ wanted; /* 0x80 in each byte that is zero now */
		uint64_t bits = ~(((w & 0x7f * ones) + 0x7f * ones) | w | 0x7f * ones);
		if (n - from < 8)
			bits &= ((uint64_t)1 << 8 * (n - from)) - 1;
		for (; bits; bits &= bits - 1)
			at[k++] = (uint32_t)from + ((uint32_t)__builtin_ctzll(bits) >> 3);
	}
	return k;
}
#endif

static bool all_digits(uint64_t d)
{
	return !((((d & 0x7f * ones) + 0x76 * ones) | d) & 0x80 * ones);
}

/* Eight digits, the first in the lowest byte: pairs, then fours, then all. */
static int32_t eight_digits(uint64_t d)
{
	d = d * 10 + (d >> 8);
	uint64_t low = d & 0x000000ff000000ffu, high = d >> 16 & 0x000000ff000000ffu;
	return (int32_t)((low * 0x000f424000000064u + high * 0x0000271000000001u) >> 32);
}

static const double power[2][SHORT + 1] = {
	{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8}, {-1, -1e1, -1e2, -1e3, -1e4, -1e5, -1e6, -1e7, -1e8}};

/* The number s [n] is *over / *under, with *fraction digits behind the point; false when it is not of the short form. Bytes
 * behind s are read and do not count. */
static bool short_number(const char *s, size_t n, int32_t *over, double *under, int *fraction)
{
	size_t negative = *s == '-';
	const char *p = s + negative;
	uint64_t w = load(p), behind = load(p + 1);
	uint64_t no_digit = ~w & 0x10 * ones; /* digits have bit 4, and the point has not */
	size_t digits = n - negative - 1;
	if (!no_digit || digits - 1 >= SHORT)
		return false;
	size_t point = (size_t)__builtin_ctzll(no_digit) >> 3;
	if (point >= digits || p[point] != '.')
		return false;
	/* the point taken out, then the digits moved to the end of the word, zeros before them */
	uint64_t before = ((uint64_t)1 << 8 * point) - 1;
	uint64_t d = ((w & before) | (behind & ~before)) ^ 0x30 * ones;
	d <<= 8 * (SHORT - digits);
	if (!all_digits(d))
		return false;
	*over = eight_digits(d);
	*fraction = (int)(digits - point);
	*under = power[negative][*fraction];
	return true;
}

/* Numbers with so many digits behind the point, and at most eight bytes without the sign. */
struct usual {
	size_t least;            /* bytes */
	int point;               /* where it stands in the last eight bytes: bits before it */
	uint64_t behind, before; /* the bytes of the digits behind it, and of those before it, one byte on */
	const double *under[2];
};

static struct usual usual_form(int fraction)
{
	uint64_t behind = ~(uint64_t)0 << 8 * (SHORT - fraction);
	return (struct usual){(size_t)fraction + 2, 8 * (SHORT - 1 - fraction), behind,
		~behind & ~(uint64_t)0xff, {&power[0][fraction], &power[1][fraction]}};
}

/* The number s .. end; eight bytes before the end may be read. */
static inline bool usual_number(
	const char *s, const char *end, const struct usual *u, int32_t *over, double *under)
{
	size_t negative = *s == '-', n = (size_t)(end - s) - negative;
	uint64_t w = load(end - SHORT) ^ 0x30 * ones;
	if (n - u->least > SHORT - u->least || (w >> u->point & 0xff) != ('.' ^ '0'))
		return false;
	w &= ~(uint64_t)0 << 8 * (SHORT - n); /* what stands before the number becomes zeros */
	uint64_t d = (w & u->behind) | (w << 8 & u->before);
	*over = eight_digits(d);
	*under = *u->under[negative];
	return all_digits(d);
}

static bool blank(char c, char delim)
{
	return c == ' ' || (c == '\t' && delim != '\t');
}

static double other_number(struct csv_cell *c, char delim)
{
	double x;
	while (c->s < c->end && blank(*c->s, delim))
		c->s++;
	while (c->end > c->s && blank(c->end[-1], delim))
		c->end--;
	return number_parse(c->s, c->end, &x) ? x : (double)NAN;
}

/* Rooms for so many cells. */
static void make_room(struct csv_table *t, int cells)
{
	if (t->cell_room < cells) {
		t->cell_room = cells;
		GROW(t->cell, cells);
	}
	if (t->number_room < cells) {
		t->number_room = cells;
		GROW(t->number, cells);
		GROW(t->over, cells);
		GROW(t->under, cells);
		GROW(t->odd, cells);
	}
}

static void room_for_line(struct csv_table *t, size_t n)
{
	if (t->at_room > n)
		return;
	t->at_room = n + 1;
	GROW(t->at, t->at_room);
}

/* The cells of a line and the two parts of each number; those that have none are listed in odd [the number returned]. */
static int cut(struct csv_table *t, const char *s, int cells)
{
	struct usual u = usual_form(t->fraction ? t->fraction : 1);
	bool usual = t->fraction && s - t->buffer >= SHORT;
	uint32_t from = 0;
	int odds = 0, fraction = t->fraction;
	for (int i = 0; i < cells; i++) {
		uint32_t to = t->at[i];
		t->cell[i] = (struct csv_cell){s + from, s + to};
		if (!(usual && usual_number(s + from, s + to, &u, &t->over[i], &t->under[i])) &&
			!short_number(s + from, to - from, &t->over[i], &t->under[i], &fraction)) {
			t->over[i] = 0;
			t->under[i] = 1;
			t->odd[odds++] = i;
		}
		from = to + 1;
	}
	t->fraction = fraction < SHORT - 1 ? fraction : 0;
	return odds;
}

bool csv_cut_numbers(struct csv_table *t, const char *s, size_t n)
{
	char delim = t->form.delim;
	if (n > LONGEST_LINE || csv_is_comment(s, n) || csv_is_empty(s, n))
		return false;
	room_for_line(t, n);
	int cells = positions(s, n, delim, t->at) + 1;
	if (cells != t->width)
		return false;
	make_room(t, cells);
	t->at[cells - 1] = (uint32_t)n;
	int odds = cut(t, s, cells);
	for (int i = 0; i < cells; i++)
		t->number[i] = t->over[i] / t->under[i];
	bool text = false;
	for (int i = 0; i < odds; i++) {
		int cell = t->odd[i];
		t->number[cell] = other_number(&t->cell[cell], delim);
		text |= isnan(t->number[cell]);
	}
	if (text && (memchr(s, '"', n) || memchr(s, '\r', n) || memchr(s, 0, n)))
		return false;
	t->cells = cells;
	return true;
}

int csv_table_numbers(struct csv_table *t, const struct csv_cell **cells, const double **x)
{
	t->lane = true;
	t->parsed = false;
	int r = csv_table_next(t, cells);
	t->lane = false;
	if (r == 1 && !t->parsed) {
		make_room(t, t->width);
		for (int i = 0; i < t->width; i++)
			if (!number_parse(t->cell[i].s, t->cell[i].end, &t->number[i]))
				t->number[i] = (double)NAN;
	}
	*x = t->number;
	return r;
}
