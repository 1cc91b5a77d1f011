/* Names of columns that hold times, and units of time. */
#ifndef RECORDING_TIME_COLUMN_H
#define RECORDING_TIME_COLUMN_H

#include "recording/options.h"

/* Whether a column of this name holds times ("time", "time_ms", "Time [s]"). *unit is set when the
 * name contains one, and else left alone. */
bool time_column_named(const char *name, enum time_unit *unit);
/* A word [n] for a unit of time, also in brackets: "ms", "[s]". False, and *unit left alone, when
 * it is none. */
bool time_column_unit(const char *word, size_t n, enum time_unit *unit);

#endif
