/* Decimal numbers, exactly: the same double as strtod in the C locale, several times as fast for
 * what stands in recordings.
 *
 * Accepted is [+-] digits [. digits] [e [+-] digits] with a digit before or after the point, and
 * nothing else: no blanks, no hexadecimal, no words.
 */
#ifndef IO_NUMBER_H
#define IO_NUMBER_H

#include <stdbool.h>

/* The number that s .. end is; false when it is none. What is too large becomes infinite. */
bool number_parse(const char *s, const char *end, double *x);
/* The same with another decimal sign in the place of the point. */
bool number_parse_decimal(const char *s, const char *end, char decimal, double *x);

/* Words that stand for a value that is not there: nothing at all, nan, na, n/a, null, none, -, inf
 * (any case, any sign). */
bool number_missing(const char *s, const char *end);

#endif
