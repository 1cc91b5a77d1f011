/* Optimizers: how a gradient changes the parameters. One file each in optimizer/, entered by one
 * line of model/optimizers.h; `slots` slabs of state (moments) belong to one, kept in the state
 * file.
 */
#ifndef TRAIN_OPTIMIZER_H
#define TRAIN_OPTIMIZER_H

#include "model/config.h"
#include "model/optimizers.h"
#include "model/params.h"

enum { OPTIMIZER_SLOTS = 2 };

struct optimizer {
	const char *name;
	int slots;
	const char *slot
		[OPTIMIZER_SLOTS]; /* prefix of a slot's tensors in the state file: "optimizer.NAME.", say */
	/* Moves x [n], numbers of one tensor, by their gradient [n] and state[slot] [n]; number
	 * counts from 1; lr as the schedule has it at this step. Leaves in gradient what x was
	 * before, so that a step can be taken back. Called from any thread. */
	void (*step)(const struct param *, real *x, real *gradient, real *const *state, size_t n,
		const struct config *, double lr, long number);
};

/* The learning rate of one tensor: of routers and experts with its factor. */
double optimizer_rate(const struct config *, const struct param *, double lr);

#define OPTIMIZER_DECLARATION(NAME) extern const struct optimizer optimizer_##NAME;
#define OPTIMIZER_ROW(NAME)         &optimizer_##NAME,

extern const struct optimizer *const optimizer_table[]; /* in the order of optimizer_names; ends with NULL */

#endif
