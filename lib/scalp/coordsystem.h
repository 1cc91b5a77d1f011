/* Unit and axes of an electrodes.tsv, which BIDS keeps in the sidecar whose name ends in
 * coordsystem.json. */
#ifndef SCALP_COORDSYSTEM_H
#define SCALP_COORDSYSTEM_H

#include <stdbool.h>

struct coordsystem {
	char *path;       /* NULL = there is no such file */
	const char *unit; /* "m", "cm", "mm"; NULL = not given */
	bool nose_is_x; /* x to the nose and y to the left ear (CTF, EEGLAB, 4DBti, KitYokogawa), not x right and y front */
};

/* path: of the electrodes.tsv. No file beside it is no error, one that is damaged is.
 * coordsystem_free in any case. */
int coordsystem_read(struct coordsystem *, const char *path);
void coordsystem_free(struct coordsystem *);

#endif
