/* Optimizers: how a gradient changes the parameters. One file each in optimizer/, entered by one line of the table in
 * optimizer.c; `slots` slabs of state (moments) belong to one, kept in the state file.
 */
#ifndef TRAIN_OPTIMIZER_H
#define TRAIN_OPTIMIZER_H

#include "model/config.h"
#include "model/params.h"

enum { OPTIMIZER_SLOTS = 2 };

struct optimizer {
	const char *name;
	int slots;
	const char *slot[OPTIMIZER_SLOTS]; /* prefix of a slot's tensors in the state file */
	/* params->x from gradient [count], state[slot] [count]; number counts from 1; lr as the schedule has it at this step.
	 * Leaves the parameters as they were before in gradient, so that a step can be taken back. */
	void (*step)(struct params *, real *gradient, real *const *state, const struct config *, double lr,
		long number);
};

/* The learning rate of one tensor: of routers and experts with its factor. */
double optimizer_rate(const struct config *, const struct param *, double lr);

extern const struct optimizer
	*const optimizer_table[]; /* in the order of the key's choices; ends with NULL */

#endif
