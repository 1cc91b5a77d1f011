/* What the first lines or the header of a recording say of it: its rate, its units, what its
 * columns hold. */
#ifndef RECORDING_FACTS_H
#define RECORDING_FACTS_H

#include "recording/options.h"

enum column_role {
	ROLE_OPEN, /* nobody has said */
	ROLE_CHANNEL,
	ROLE_TIME,
	ROLE_COUNTER, /* counts the samples */
	ROLE_LABEL,
	ROLE_MESSAGE, /* a row with nothing else is no sample */
	ROLE_VALID,   /* 0 = the sample is not to be trusted */
	ROLE_MADE_UP, /* more than 0 = the recorder has invented the sample */
	ROLE_IGNORED,
};

struct facts {
	const char *dialect; /* of a table of text; else the name of the format */
	double rate;         /* Hz, as the recording says itself; 0 = it does not */
	const char *rate_from;
	double device_rate;         /* Hz, of the device, for stamps that come in bursts; 0 = not known */
	enum voltage_unit unit;     /* UNIT_AUTO = not said */
	enum time_unit time_unit;   /* of numbers, when it is certain */
	enum time_unit likely_unit; /* when steps could be both */
	unsigned char *role;        /* [n] enum column_role */
	const char **why;           /* [n] of ROLE_IGNORED; not freed */
	struct names key, value;    /* what comments say, as it stands there */
};

/* Of facts that are all 0 or have no columns yet: so many, all open. facts_free in any case. */
void facts_begin(struct facts *, int columns);
void facts_free(struct facts *);
/* column: -1 = there is none, and nothing happens. */
void facts_role(struct facts *, int column, enum column_role, const char *why);
/* All columns nobody has said anything of. */
void facts_rest(struct facts *, int n, const char *why);

#endif
