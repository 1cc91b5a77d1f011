/* What the first lines or the header of a recording state: its rate, its units, and what its
 * columns hold. */
#ifndef RECORDING_HEADER_INFO_H
#define RECORDING_HEADER_INFO_H

#include "recording/options.h"

enum column_role {
	ROLE_OPEN, /* not known yet */
	ROLE_CHANNEL,
	ROLE_TIME,
	ROLE_COUNTER, /* counts the samples */
	ROLE_LABEL,
	ROLE_MESSAGE,      /* a row with nothing else is no sample */
	ROLE_VALID,        /* 0 = the sample is not to be trusted */
	ROLE_INTERPOLATED, /* more than 0 = the recorder has interpolated the sample */
	ROLE_IGNORED,
};

struct header_info {
	const char *dialect; /* of a table of text; else the name of the format */
	double rate;         /* Hz, as stated in the recording; 0 = not stated */
	const char *rate_from;
	double device_rate;         /* Hz, of the device, for stamps that come in bursts; 0 = not known */
	enum voltage_unit unit;     /* UNIT_AUTO = not stated */
	enum time_unit time_unit;   /* of numbers, when it is certain */
	enum time_unit likely_unit; /* when steps could be both */
	unsigned char *role;        /* [n] enum column_role */
	const char **why;           /* [n] of ROLE_IGNORED; not freed */
	struct names key, value;    /* the pairs of key and value in the comments, as they are written */
};

/* Gives header information that is all 0, or knows no columns yet, so many columns of the role
 * ROLE_OPEN. header_info_free in any case. */
void header_info_begin(struct header_info *, int columns);
void header_info_free(struct header_info *);
/* column: -1 = there is none, and nothing happens. */
void header_info_role(struct header_info *, int column, enum column_role, const char *why);
/* Gives ROLE_IGNORED, for this reason, to all columns that are still ROLE_OPEN. */
void header_info_rest(struct header_info *, int n, const char *why);

#endif
