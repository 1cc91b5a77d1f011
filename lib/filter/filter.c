#include "filter/filter.h"

#include "base/mem.h"

#include <complex.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct filter {
	int sections, C;
	struct biquad *section; /* [sections] */
	double *state;          /* [sections][2][C] */
};

/* --- design */

static double warp_frequency(double hz, double rate)
{
	return 2 * rate * tan(M_PI * hz / rate);
}

/* The section of an analogue pole and its conjugate; zeros [3]: its numerator, gain aside. */
static struct biquad section_of(double complex pole, const double zeros[3], double gain, double rate)
{
	double complex z = (2 * rate + pole) / (2 * rate - pole);
	double size = creal(z) * creal(z) + cimag(z) * cimag(z);
	return (struct biquad){gain * zeros[0], gain * zeros[1], gain * zeros[2], -2 * creal(z), size};
}

static double squared_modulus(double complex z)
{
	return creal(z) * creal(z) + cimag(z) * cimag(z);
}

static struct biquad low_pass(double complex pole, double rate)
{
	static const double zeros[] = {1, 2, 1};
	return section_of(pole, zeros, squared_modulus(pole / (2 * rate - pole)), rate);
}

static struct biquad high_pass(double complex pole, double rate)
{
	static const double zeros[] = {1, -2, 1};
	return section_of(pole, zeros, squared_modulus(2 * rate / (2 * rate - pole)), rate);
}

static struct biquad band_pass(double complex pole, double width, double rate)
{
	static const double zeros[] = {1, 0, -1};
	return section_of(pole, zeros, 2 * rate * width / squared_modulus(2 * rate - pole), rate);
}

static int by_resonance(const void *x, const void *y)
{
	double a = ((const struct biquad *)x)->a2, b = ((const struct biquad *)y)->a2;
	return a < b ? -1 : a > b;
}

int filter_butterworth(struct biquad s[FILTER_MOST], double low, double high, double rate)
{
	double w0 = low > 0 ? warp_frequency(low, rate) : 0, w1 = high > 0 ? warp_frequency(high, rate) : 0;
	int n = 0;
	for (int k = 0; k < FILTER_ORDER / 2; k++) { /* those above the real axis */
		double angle = M_PI * (2 * k + FILTER_ORDER + 1) / (2 * FILTER_ORDER);
		double complex p = cos(angle) + I * sin(angle);
		if (!(low > 0))
			s[n++] = low_pass(p * w1, rate);
		else if (!(high > 0))
			s[n++] = high_pass(w0 / p, rate);
		else { /* s^2 - p (w1 - w0) s + w0 w1 = 0 */
			double complex half = p * (w1 - w0) / 2, root = csqrt(half * half - w0 * w1);
			s[n++] = band_pass(half + root, w1 - w0, rate);
			s[n++] = band_pass(half - root, w1 - w0, rate);
		}
	}
	qsort(s, (size_t)n, sizeof *s, by_resonance);
	return n;
}

struct biquad filter_notch(double hz, double rate)
{
	double w = 2 * M_PI * hz / rate, gain = 1 / (1 + tan(w / FILTER_NOTCH_Q / 2));
	return (struct biquad){gain, -2 * gain * cos(w), gain, -2 * gain * cos(w), 2 * gain - 1};
}

/* --- running */

struct filter *filter_new(const struct biquad *section, int sections, int C)
{
	struct filter *f = NEW(struct filter);
	f->sections = sections;
	f->C = C;
	f->section = NEW_ARRAY(struct biquad, sections + 1);
	memcpy(f->section, section, (size_t)sections * sizeof *section);
	f->state = NEW_ARRAY(double, 2 * (size_t)sections * (size_t)C + 1);
	return f;
}

void filter_free(struct filter *f)
{
	if (!f)
		return;
	free(f->section);
	free(f->state);
	free(f);
}

void filter_begin(struct filter *f, const double *first)
{
	double gain = 1; /* of the sections before, for a constant */
	for (int i = 0; i < f->sections; i++) {
		const struct biquad *s = &f->section[i];
		double here = (s->b0 + s->b1 + s->b2) / (1 + s->a1 + s->a2);
		double second = s->b2 - s->a2 * here, one = s->b1 - s->a1 * here + second;
		double *state = f->state + 2 * (size_t)i * (size_t)f->C;
		for (int c = 0; c < f->C; c++) {
			state[c] = one * (gain * first[c]);
			state[f->C + c] = second * (gain * first[c]);
		}
		gain *= here;
	}
}

static void run_section(
	const struct biquad s, int C, double *restrict one, double *restrict two, double *restrict x)
{
	for (int c = 0; c < C; c++) {
		double in = x[c], out = s.b0 * in + one[c];
		one[c] = s.b1 * in - s.a1 * out + two[c];
		two[c] = s.b2 * in - s.a2 * out;
		x[c] = out;
	}
}

void filter_run(struct filter *f, double *x, int64_t rows)
{
	size_t C = (size_t)f->C;
	for (int i = 0; i < f->sections; i++) {
		double *state = f->state + 2 * (size_t)i * C;
		for (int64_t t = 0; t < rows; t++)
			run_section(f->section[i], f->C, state, state + C, x + (size_t)t * C);
	}
}
