/* Units of voltages, and what they are in microvolts. */
#ifndef RECORDING_UNIT_H
#define RECORDING_UNIT_H

#include "recording/options.h"

/* A word for a unit, also in brackets: "uV", "(mV)", "microvolts". UNIT_AUTO when it is no
 * voltage. */
enum voltage_unit unit_parse(const char *);
/* Factor to microvolts; UNIT_AUTO is microvolts. */
double unit_factor(enum voltage_unit);
/* The name of the unit that all of scale [n] are the factors of, "mixed" when they differ. */
const char *unit_common(const double *scale, int n);

#endif
