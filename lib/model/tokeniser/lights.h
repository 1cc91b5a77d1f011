/* What follows a given frequency in a window: flickering lights, tones, a metronome. Each band of
 * encoder.bands stands for the frequency f in its middle. For each of them, and for each of several
 * high passes `low`,
 *
 *     Z = segment [V][L], channels freed of their means, limited to frequencies above low and up to 60 Hz
 *     R = sine and cosine at f and, below Nyquist, 2 f: orthonormal columns [L][4]
 *     U = S^-1/2 Z R / sqrt(L)      S = Z Z^T / L, regularised (whiten.h)
 *
 * U [V][4] is what of the channels, made white, the references explain: the singular values of U
 * are the canonical correlations of channels and references (Lin, Zhang, Wu, Gao 2006), those of
 * several high passes a filter bank (Chen, Wang, Gao, Jung, Gao 2015).
 */
#ifndef MODEL_TOKENISER_LIGHTS_H
#define MODEL_TOKENISER_LIGHTS_H

#include "model/config.h"
#include "model/tokeniser.h"

enum { LIGHT_WAVES = 4, LIGHT_LOWS = 3 };

struct lights {
	int L, hop;
	int n, lows;           /* frequencies; high passes that leave something */
	int width;             /* numbers of a segment's transform: cosine and sine of each line */
	int first[LIGHT_LOWS]; /* where those begin that a high pass leaves */
	size_t reference;      /* where in wave the references' transforms begin, [width][n * LIGHT_WAVES] */
	real wave[];           /* [L][width], orthonormal columns */
};

/* High passes at this rate. */
int lights_lows(double rate);
/* Segments of a window of this region. -1 with an error when a frequency is not below Nyquist, or
 * the window too short or too long. */
int lights_size(const struct config *, const char *tokens, int T, double rate, const struct region *, int *n);
/* Freed with free(). */
struct lights *lights_prepare(const struct config *, int T, double rate);
/* Calls for each segment, frequency and high pass of x, in this order, with U [V][LIGHT_WAVES],
 * columns without a reference 0. Channels without any change count as 0. */
void lights_walk(const struct lights *, const real *x, int T, const struct region *, struct arena *scratch,
	void (*see)(void *context, int light, int low, const double *U, int V), void *context);

#endif
