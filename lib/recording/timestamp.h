/* Points in time that are written out. */
#ifndef RECORDING_TIMESTAMP_H
#define RECORDING_TIMESTAMP_H

#include <stdbool.h>

/* Seconds since 1970 of YYYY-MM-DD and HH:MM[:SS[.FRACTION]] with a T or blanks between them, and
 * behind them Z, +HH:MM, +HHMM or nothing, which is UTC too. s .. end is all of it; false when it
 * is none. */
bool timestamp_parse(const char *s, const char *end, double *seconds);

/* A number of seconds that is a date and not the time since a recording began: 1973 and later. */
bool timestamp_is_date(double seconds);

#endif
