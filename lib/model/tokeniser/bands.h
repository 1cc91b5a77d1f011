/* What tokenisers of bands share: segments of a window (conv has these too), and the Fourier lines
 * of each band in a segment.
 *
 *     x [L][W], each column freed of its mean  --waves-->  parts [V][width]: cosine and sine of each line, of V of the columns
 *
 * The lines are r/L * i (rate r, i whole) with lower < f <= upper and below Nyquist. A band without
 * a line of its own takes the frequency in its middle. Scaled such that a line's two squares add up
 * to the power in it per line (Welch 1967, one segment).
 */
#ifndef MODEL_TOKENISER_BANDS_H
#define MODEL_TOKENISER_BANDS_H

#include "model/config.h"
#include "model/tokeniser.h"

/* Tapers of a segment: sines(m) are the first m sine tapers, sqrt(2/(L+1)) sin(pi
 * (j+1)(t+1)/(L+1)), over which spectra are averaged (Riedel, Sidorenko 1995); no sine: a
 * rectangle. Of L samples there are L. */
enum { TAPER_HANN = -1 };

struct segments {
	int L, hop;
	int bands, width; /* numbers of a row of parts: whole vectors for each band, the rest of them 0 */
	int first[CONFIG_BANDS],
		size[CONFIG_BANDS]; /* where a band's numbers stand, and how many there are with those */
	int lines[CONFIG_BANDS];    /* of a band, once for each taper */
	real wave[];                /* [L][width] */
};

/* Samples of a segment, and from one to the next; more than T when the window is too short. */
void bands_cut(const struct config *, int T, double rate, int *L, int *hop);
/* Stretches of a window: -1 with an error when a band is not below Nyquist, the window is too
 * short, or the segment so long that its waves fill more than 2^28 numbers. */
int bands_size(const struct config *, int T, double rate, int tapers, int *n);
int bands_count(const struct config *, int T, double rate, int samples);
struct segments *bands_prepare(const struct config *, int T, double rate, int tapers);
/* parts [V][width] of columns column[0 .. V-1] of the segment x [L][W]; silent [V]: those without
 * any signal (padding, a flat channel); NULL where that is not asked. room [V][L] */
void bands_transform(const struct segments *, const real *x, int W, const int *column, int V, real *parts,
	bool *silent, real *room);

#endif
