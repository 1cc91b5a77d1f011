/* Where electrodes sit: names of the 10-20, 10-10 and 10-5 systems to points of the unit sphere.
 *
 *     x to the right ear, y to the nose, z up; Cz = (0, 0, 1). Ten per cent of an arc are 18 degrees, so that Fpz, T7, Oz
 *     and T8 lie 72 degrees from Cz on one ring, and the ring's tenth steps are 18 degrees of azimuth.
 *
 * Nothing is looked up. A row (F, FC, C, ...) is the circle through its two marks on the ring and
 * its point on the midline; numbers cut the half of it into four equal steps, h is half a step
 * nearer to the midline (AFF1h), and beyond the ring 9 and 10 lie 18 degrees further down at the
 * azimuth of the ring's mark. Half-way rows (AFF between AF and F) are made alike. The rows at 81
 * and 90 degrees (NFp, N, OI, I) have the azimuths of Fp and O.
 *
 * Sources: Jasper, "The ten-twenty electrode system of the International Federation",
 * Electroencephalogr Clin Neurophysiol 10, 1958, for arcs and ring; American
 * Electroencephalographic Society, "Guideline thirteen", J Clin Neurophysiol 11, 1994, for the
 * names between (T7 for T3, P7 for T5); Oostenveld, Praamstra, "The five percent electrode system",
 * Clin Neurophysiol 112, 2001, for the half steps.
 */
#ifndef SCALP_MONTAGE_H
#define SCALP_MONTAGE_H

#include "base/text.h"

struct montage_site {
	double p[3];  /* on the unit sphere */
	int front;    /* degrees from Cz to the midline point of its row, to the front: Fz 36, Cz 0, Oz -72 */
	double steps; /* from the midline: Cz 0, C1 1, C3 2, C3h 1.5, T7 4, T9 5 */
	int side;     /* -1 left, 0 midline, 1 right */
};

/* The place of a name of the 10-05 system, letter case aside; false when it is none, and for pairs
 * of electrodes. Around it may stand EEG or RAW and a blank, dots behind, and a reference behind a
 * hyphen (REF, LE, AVG, AV, AR, A1, A2, M1, M2): "EEG Fp1-REF". T3 T4 T5 T6 are T7 T8 P7 P8, T1 T2
 * are FT9 FT10, M1 M2 are TP9 TP10, A1 A2 are T9 T10. */
bool montage_find(const char *name, struct montage_site *);
bool montage_position(const char *name, double p[3]); /* only where it is */

/* The site of the 10-05 system nearest to a point of the sphere. */
struct montage_site montage_nearest(const double p[3]);

/* Angle between two points of the sphere, radians. */
double montage_angle(const double a[3], const double b[3]);

/* n electrodes that cover the scalp, appended front to back, each row from left to right; -1 with
 * an error when n is beyond the 10-10 system. 16 fall into four rows of four: frontal, central,
 * parietal, occipital. */
int montage_pick(struct names *, int n);

#endif
