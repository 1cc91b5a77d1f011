/* What a model's mixtures of experts do in an epoch: shares and losses for the log, and a warning,
 * once for each expert, when one gets less than a tenth of an even share for three epochs.
 *
 *     mixtures_add after every step;  mixtures_end_epoch: report and warnings, then counting begins anew
 *
 * Part of the state of training, so that a run that was stopped warns and logs as one that was not.
 */
#ifndef TRAIN_MIXTURES_H
#define TRAIN_MIXTURES_H

#include "model/forward.h"

struct mixture_report {
	int region, layer, experts;
	bool assigns;    /* a router that mixes tokens gives none to an expert: no shares */
	double *share;   /* [E] of the assignments, before any was dropped */
	double overflow; /* share of the assignments that was dropped for want of capacity */
	double aux, z;   /* means over the windows, unweighted */
};

struct mixtures;
struct mixtures *mixtures_new(
	const struct model *); /* NULL without mixtures, which the others take for nothing to do */
void mixtures_free(struct mixtures *);
void mixtures_add(struct mixtures *, const struct forward *, int windows);
/* The reports [*n] live until the next epoch's; warnings are appended as sentences. */
const struct mixture_report *mixtures_end_epoch(struct mixtures *, int *n, struct names *warnings);

/* For the state file: a JSON list, and back, with the windows seen in the epoch so far (-1 with an
 * error naming `what`). */
void mixtures_write(const struct mixtures *, struct text *);
int mixtures_read(struct mixtures *, const cJSON *list, int64_t windows, const char *what);

#endif
