/* The course of the learning rate. */
#ifndef TRAIN_SCHEDULE_H
#define TRAIN_SCHEDULE_H

#include "model/config.h"

/* The rate at step 0 .. total-1: a linear rise over train.warmup_steps, then with q in [0, 1) the
 * share of the rest that is done
 *   constant  lr
 *   cosine    lr (1 + cos(pi q)) / 2
 *   onecycle  from lr/25 up to lr in the first 30 %, down to lr/10000 after, both along a cosine (Smith, Topin 2019)
 *   step      lr, a tenth of it from q = 1/2, a hundredth from q = 3/4 */
double schedule_rate(const struct config *, long step, long total);
/* Steps of a run that trains on so many windows. */
long schedule_steps(const struct config *, int64_t trains);
/* That the rise does not end within the run, as a sentence to be freed; NULL: it does. *decided: it
 * is not just the default (config_decided). */
char *schedule_warning(const struct configuration *, int64_t trains, bool *decided);

#endif
