#include "filter/resample.h"

#include "base/mem.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* 60 dB, and the edge in the middle of the band that this takes with a kernel of such a length. */
static const double beta = 0.1102 * (60 - 8.7), band = (60 - 7.95) / (2 * 14.36 * RESAMPLE_HALF);

struct resampler {
	int up, down, C;
	int left, taps;           /* rows before the one a row out stands at or behind, and all of them */
	double *weight;           /* [up][taps] */
	double *row;              /* [room][C] */
	double *sum;              /* [C] */
	int64_t base, have, room; /* rows base .. have-1 are kept; room in rows */
	bool fresh;
};

int resample_ratio(double from, double to, int *up, int *down)
{
	double x = to / from, rest = x;
	double p0 = 0, q0 = 1, p1 = 1, q1 = 0; /* convergents of the continued fraction */
	for (;;) {
		double whole = floor(rest), p = whole * p1 + p0, q = whole * q1 + q0;
		if (!(p <= RESAMPLE_MOST && q <= RESAMPLE_MOST))
			return -1;
		if (p >= 1 && fabs(p / q - x) <= 1e-6 * x) {
			*up = (int)p;
			*down = (int)q;
			return 0;
		}
		p0 = p1;
		q0 = q1;
		p1 = p;
		q1 = q;
		rest = 1 / (rest - whole);
	}
}

int64_t resample_row(int64_t row, int up, int down)
{
	return (row * up + down - 1) / down;
}

/* Modified Bessel function of the first kind, order 0. */
static double bessel_i0(double x)
{
	double sum = 1, term = 1;
	for (int k = 1; term > 1e-18 * sum; k++) {
		term *= x * x / (4.0 * k * k);
		sum += term;
	}
	return sum;
}

/* The kernel at a distance in samples of the slower rate. */
static double kernel_at(double t)
{
	double u = t / RESAMPLE_HALF, cut = 1 - band;
	if (!(fabs(u) <= 1))
		return 0;
	double sinc = t == 0 ? cut : sin(M_PI * cut * t) / (M_PI * t);
	return sinc * bessel_i0(beta * sqrt(1 - u * u));
}

static void compute_weights(struct resampler *r)
{
	double slower = r->up < r->down ? (double)r->up / r->down : 1; /* its rate, of the input's */
	for (int phase = 0; phase < r->up; phase++) {
		double *w = r->weight + (size_t)phase * (size_t)r->taps, sum = 0;
		for (int i = 0; i < r->taps; i++) {
			double rows = i - r->left - (double)phase / r->up;
			w[i] = kernel_at(rows * slower);
			sum += w[i];
		}
		for (int i = 0; i < r->taps; i++)
			w[i] /= sum;
	}
}

struct resampler *resampler_new(int up, int down, int C)
{
	struct resampler *r = NEW(struct resampler);
	int reach = RESAMPLE_HALF * (up > down ? up : down); /* of the kernel, in steps of a row / up */
	r->up = up;
	r->down = down;
	r->C = C;
	r->left = reach / up;
	r->taps = r->left + 1 + (reach + up - 1) / up;
	r->room = 4 * (int64_t)r->taps;
	r->weight = NEW_ARRAY(double, (size_t)up *(size_t)r->taps);
	r->row = NEW_ARRAY(double, (size_t)r->room *(size_t)C);
	r->sum = NEW_ARRAY(double, C);
	compute_weights(r);
	return r;
}

void resampler_free(struct resampler *r)
{
	if (!r)
		return;
	free(r->weight);
	free(r->row);
	free(r->sum);
	free(r);
}

int resampler_delay(const struct resampler *r)
{
	return r->taps - 1 - r->left;
}

void resampler_begin(struct resampler *r, int64_t row)
{
	r->base = r->have = row - r->left;
	r->fresh = true;
}

static void keep_row(struct resampler *r, const double *x)
{
	size_t C = (size_t)r->C;
	if (r->have - r->base ==
		r->room) { /* at the end rows out may lag by the delay, and reach back by their taps */
		int64_t n = 2 * (int64_t)r->taps;
		memmove(r->row, r->row + (size_t)(r->room - n) * C, (size_t)n * C * sizeof *r->row);
		r->base = r->have - n;
	}
	memcpy(r->row + (size_t)(r->have - r->base) * C, x, C * sizeof *x);
	r->have++;
}

void resampler_push(struct resampler *r, const double *x)
{
	for (int i = 0; r->fresh && i < r->left; i++)
		keep_row(r, x);
	r->fresh = false;
	keep_row(r, x);
}

void resampler_end(struct resampler *r)
{
	double *last = r->sum;
	memcpy(last, r->row + (size_t)(r->have - 1 - r->base) * (size_t)r->C, (size_t)r->C * sizeof *last);
	for (int i = resampler_delay(r); i > 0; i--)
		keep_row(r, last);
}

const double *resampler_next(struct resampler *r, int64_t m)
{
	int64_t at = m * r->down / r->up;
	if (at + resampler_delay(r) >= r->have)
		return NULL;
	size_t C = (size_t)r->C;
	const double *w = r->weight + (size_t)(m * r->down % r->up) * (size_t)r->taps;
	const double *x = r->row + (size_t)(at - r->left - r->base) * C;
	double *restrict sum = r->sum;
	memset(sum, 0, C * sizeof *sum);
	for (int i = 0; i < r->taps; i++, x += C)
		for (size_t c = 0; c < C; c++)
			sum[c] += w[i] * x[c];
	return sum;
}
