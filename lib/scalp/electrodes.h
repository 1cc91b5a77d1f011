/* Where the electrodes of a recording sit: on the unit sphere, axes as in scalp/montage.h.
 *
 * Their names say it when they are those of the 10-05 system; the head is then a sphere of 95 mm
 * radius, the one whose circumference over the ears is a grown-up's 60 cm. Or a file says it, BIDS'
 * electrodes.tsv: its points are seen from the centre of the sphere that fits all of them best
 * (scalp/sphere.h), whose radius is the head's.
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

/* --- for electrodes.c: what stands in a file, turned towards these axes and on the unit sphere */
struct electrode_file {
	struct names name;
	double (*p)[3]; /* [name.n]; NaN: not known */
	double radius;  /* mm */
};

int electrode_file_read(struct electrode_file *, const char *path, struct names *notes);
void electrode_file_free(struct electrode_file *);

#endif
