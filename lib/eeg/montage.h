/* Where electrodes sit: names of the 10-20, 10-10 and 10-5 systems to points of the unit sphere.
 *
 *     x to the right ear, y to the nose, z up; Cz = (0, 0, 1). Ten per cent of an arc are 18 degrees, so that Fpz, T7, Oz
 *     and T8 lie 72 degrees from Cz on one ring, and the ring's tenth steps are 18 degrees of azimuth.
 *
 * Nothing is looked up: a row (F, FC, C, ...) is the circle through its ring points and its midline point, cut into equal
 * parts (Jasper 1958; Oostenveld, Praamstra, "The five percent electrode system", Clin Neurophysiol 2001).
 */
#ifndef EEG_MONTAGE_H
#define EEG_MONTAGE_H

#include "base/text.h"

/* Position of an electrode, letter case aside; false when the name is none. T3 T4 T5 T6 are T7 T8 P7 P8, M1 M2 are TP9 TP10,
 * A1 A2 are T9 T10. */
bool montage_position(const char *name, double p[3]);

/* Angle between two points of the sphere, radians. */
double montage_angle(const double a[3], const double b[3]);

/* n electrodes that cover the scalp, appended front to back, each row from left to right; -1 with an error when n is
 * beyond the 10-10 system. 16 fall into four rows of four: frontal, central, parietal, occipital. */
int montage_pick(struct names *, int n);

#endif
