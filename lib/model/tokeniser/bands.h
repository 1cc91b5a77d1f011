/* What tokenisers of bands share: stretches of a window, and the Fourier lines of each band in a stretch.
 *
 *     x [L][W], freed of its mean  --waves [2 lines][L]-->  parts [2 lines][W]: cosine and sine of each line
 *
 * The lines are r/L * i (rate r, i whole) with lower < f <= upper and below Nyquist. A band without a line of its own takes
 * the frequency in its middle. Scaled such that a line's two squares add up to the power in it per line (Welch 1967, one segment).
 */
#ifndef MODEL_TOKENISER_BANDS_H
#define MODEL_TOKENISER_BANDS_H

#include "model/config.h"
#include "model/tokeniser.h"

/* Tapers of a stretch: sines(m) are the first m sine tapers, sqrt(2/(L+1)) sin(pi (j+1)(t+1)/(L+1)), over which spectra are averaged
 * (Riedel, Sidorenko 1995); no sine: a rectangle. */
enum { TAPER_HANN = -1 };

struct stretches {
	int L, hop, lines; /* lines: frequencies in use, once for each taper */
	int bands;
	int first[CONFIG_BANDS], last[CONFIG_BANDS]; /* lines first .. last-1 of a band */
	real wave[];                                 /* [2 * lines][L] */
};

/* Stretches of a window: -1 with an error when a band is not below Nyquist, or the window is too short. */
int bands_size(const struct config *, int T, double rate, int *n);
int bands_count(const struct config *, int T, double rate, int samples);
struct stretches *bands_prepare(const struct config *, int T, double rate, int tapers);
/* parts [2 lines][W] of the stretch x [L][W]; silent [W]: columns without any signal (padding, a flat channel). */
void bands_transform(
	const struct stretches *, const real *x, int W, real *parts, bool *silent, struct arena *);

#endif
