/* Recursive filters over rows of channels: Butterworth sections and notches, causal, in double.
 *
 *     filter_butterworth / filter_notch --> biquads --filter_new--> filter_begin(first row), filter_run(rows), filter_run ...
 *
 * Butterworth: the poles exp(i pi (2k + n + 1) / 2n) of the analogue prototype of order n = 4,
 * moved to the edge (low pass, high pass) or to both edges (band pass: order 4 at each, 8 poles),
 * by the bilinear transform s = 2 f (z - 1) / (z + 1) with edges warped to 2 f tan(pi hz / f)
 * beforehand. A section holds one pole with its conjugate, and of the zeros one pair: -1 -1 (low
 * pass), 1 1 (high pass) or 1 -1 (band pass). The sections come in the order of their poles'
 * distance from the origin, the most resonant last, and each has the gain of its own analogue
 * section.
 *
 * Notch: the section with zeros at the frequency w and poles of the bandwidth w / Q (the bilinear
 * transform of (s^2 + w^2) / (s^2 + s w / Q + w^2); Orfanidis, "Introduction to Signal Processing",
 * 1996, 11.3).
 */
#ifndef FILTER_FILTER_H
#define FILTER_FILTER_H

#include <stdint.h>

enum { FILTER_ORDER = 4, FILTER_NOTCH_Q = 30, FILTER_MOST = FILTER_ORDER };

/* y[t] = b0 x[t] + b1 x[t-1] + b2 x[t-2] - a1 y[t-1] - a2 y[t-2] */
struct biquad {
	double b0, b1, b2, a1, a2;
};

/* Sections that pass low .. high Hz; low 0: a low pass, high 0: a high pass. Edges lie within 0 ..
 * rate / 2, low before high. Returns their number. */
int filter_butterworth(struct biquad[FILTER_MOST], double low, double high, double rate);
struct biquad filter_notch(double hz, double rate);

/* Sections one after the other, for C channels. */
struct filter;

struct filter *filter_new(const struct biquad *, int sections, int C);
/* As if the first row [C] had been there for ever: what a constant like it gives is there from the
 * first sample on. */
void filter_begin(struct filter *, const double *first);
/* x [rows][C], in place (direct form II transposed). The result does not depend on how the rows are
 * cut into calls. */
void filter_run(struct filter *, double *x, int64_t rows);
void filter_free(struct filter *);

#endif
