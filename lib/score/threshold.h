/* Limits that a score must keep, from words on a command line such as "bacc=0.6". */
#ifndef SCORE_THRESHOLD_H
#define SCORE_THRESHOLD_H

#include "score/score.h"

/* Checks that each of the list, which are the values of --option, is a metric, = and a number: -1
 * with an error otherwise. */
int threshold_parse(const char *option, const struct names *list);

/* Adds to `misses` a clause for each limit of such a list that the score misses. below: the score
 * must not be below the limits, else not above them. A metric that is not defined misses every
 * limit. */
void threshold_check(const struct names *list, bool below, const struct score *, struct text *misses);

#endif
