/* Where the electrodes of a recording sit: on the unit sphere, axes as in scalp/montage.h.
 *
 * Positions follow from names of the 10-05 system; the head is then a sphere with a radius of 95 mm
 * (an adult's circumference of 60 cm). Or they come from a file, electrodes.tsv of BIDS: its points
 * are projected from the centre of the sphere that fits all of them best (scalp/sphere.h), whose
 * radius is that of the head.
 */
#ifndef SCALP_ELECTRODES_H
#define SCALP_ELECTRODES_H

#include "scalp/montage.h"

struct electrodes {
	int n;
	/* [n] of each channel. From a file p is what was measured, and row, steps and side are
	 * those of the name when it lies within 30 degrees of p, else of the nearest 10-05 site. */
	struct montage_site *site;
	double radius; /* of the head, mm */
};

/* Positions of all channels. path: the file, NULL for names alone. recording: for messages. What
 * was understood of the file is appended to notes. -1 with an error that names the channels without
 * a position; electrodes_free in any case. */
int electrodes_place(struct electrodes *, const struct names *channels, const char *recording,
	const char *path, struct names *notes);
void electrodes_free(struct electrodes *);

/* Angle between two channels in whole microradians, so that what is equal compares equal. */
long electrodes_apart(const struct electrodes *, int a, int b);

/* --- for electrodes.c: the positions in a file, rotated to these axes and projected on the unit
 * sphere */
struct electrode_file {
	struct names name;
	double (*p)[3]; /* [name.n]; NaN: not known */
	double radius;  /* mm */
};

int electrode_file_read(struct electrode_file *, const char *path, struct names *notes);
void electrode_file_free(struct electrode_file *);

#endif
