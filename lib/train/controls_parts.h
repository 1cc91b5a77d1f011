/* Inner header of controls.c and controls_compare.c. */
#ifndef TRAIN_CONTROLS_PARTS_H
#define TRAIN_CONTROLS_PARTS_H

#include "train/controls.h"
#include "train/fit.h"

struct control {
	const struct control_kind *kind;
	bool needed;
	struct cv cv;                /* its cross-validation */
	struct cv_control without;   /* cv.without */
	struct configuration config; /* cv.config, where it is another one */
	struct folds folds;          /* cv.folds, where they are of other data; nothing in it is owned */
	struct layout layout;        /* of these data */
	struct dataset *data;        /* NULL: those of all */
};

struct control_kind {
	const char *name;
	const char *help; /* what it is: a clause */
	/* Makes the control, which begins as the cross-validation itself. false: it does not apply,
	 * and *why says so, a clause to be freed, or the error recorded where it is NULL. */
	bool (*make)(struct control *, char **why);
};

struct controls {
	struct cv *cv;                  /* of the model itself; borrowed, but for its by_unit */
	int n, room, total;             /* total: folds of all controls */
	struct control **list;          /* [n] */
	struct names left_out, reasons; /* [controls that are left out] */
};

#endif
