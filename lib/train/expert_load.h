/* What a model's MoE layers of experts do in an epoch: shares and losses for the log, and a
 * warning, once for each expert, when one gets less than a tenth of an even share for three epochs.
 *
 *     expert_load_add after every step;  expert_load_end_epoch: report and warnings, then counting begins anew
 *
 * Part of the state of training, so that a run that was stopped warns and logs as one that was not.
 */
#ifndef TRAIN_EXPERT_LOAD_H
#define TRAIN_EXPERT_LOAD_H

#include "model/forward.h"

struct moe_layer_report {
	int region, layer, experts;
	bool assigns;    /* a router that mixes tokens gives none to an expert: no shares */
	double *share;   /* [E] of the assignments, before any was dropped */
	double overflow; /* share of the assignments that was dropped for want of capacity */
	double aux, z;   /* means over the windows, unweighted */
};

struct moe_layers;
struct moe_layers *expert_load_new(
	const struct model *); /* NULL without MoE layers, which the others take for nothing to do */
void expert_load_free(struct moe_layers *);
void expert_load_add(struct moe_layers *, const struct forward *, int windows);
/* The reports [*n] live until the next epoch's; warnings are appended as sentences. */
const struct moe_layer_report *expert_load_end_epoch(struct moe_layers *, int *n, struct names *warnings);

/* For the state file: a JSON list, and back, with the windows seen in the epoch so far (-1 with an
 * error naming `what`). */
void expert_load_write(const struct moe_layers *, struct text *);
int expert_load_read(struct moe_layers *, const cJSON *list, int64_t windows, const char *what);

#endif
