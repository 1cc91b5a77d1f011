/* Columns that count the samples: what is missing between two rows.
 *
 *     0 1 2 5 6 ... 255 0 1      two are missing before 5; at 256 it begins again
 *     0 2 4 ... 254 0            boards that count in twos
 *
 * The step is that of the first rows, 1 or 2; the period is found when it begins again. A counter
 * that does not move is useless.
 */
#ifndef RECORDING_COUNTER_H
#define RECORDING_COUNTER_H

#include <stdbool.h>

struct counter {
	double before;       /* its value in the row before */
	double step, period; /* 0 = not known yet */
	bool begun, useless;
};

/* Samples that are missing before the row with this value: 0 = none; NaN = the counter started
 * again, and the number is unknown. */
double counter_take(struct counter *, double now);
/* Samples in one round, 0 = not known. */
double counter_round(const struct counter *);

#endif
