/* Times written as text, in seconds.
 *
 *     2017-11-02 12:33:05.090   2017-11-02T12:33:05Z   [12:33:05.090 02/11/2017]     date and time, or a time of day
 *     12:33:05.090   0:05.090                                                        time of day
 *     0 days 00:00:00.004                                                            pandas' timedelta
 *
 * A comma may stand in the place of the point before the fraction. Without a zone a date is taken
 * as it stands.
 */
#ifndef RECORDING_TIME_FORMAT_H
#define RECORDING_TIME_FORMAT_H

#include <stdbool.h>

enum time_format { TIME_FORMAT_NONE, TIME_FORMAT_DATE, TIME_FORMAT_OF_DAY, TIME_FORMAT_DELTA };

/* What s .. end is, and *seconds: since 1970, since midnight, or since the start. TIME_FORMAT_NONE
 * when it is no such time. */
enum time_format time_format_parse(const char *s, const char *end, double *seconds);

#endif
