/* The training loop.
 *
 *     struct trainer *t = trainer_new(model, data, pool, seed);
 *     trainer_resume(t, state);                 optional
 *     r = trainer_run(t, &watch);               0 done, 1 interrupted, -1 error (the parameters are the last good ones)
 *     trainer_save_state(t, path, history);
 *
 * A step is: draw the batch of this epoch's order, loss and gradient, clip, optimizer. After an
 * epoch come the validation windows, if there are any; the parameters of the epoch with the least
 * validation loss are kept, and trainer_run returns with them in the model, and with the
 * temperature that suits the validation windows (train.calibrate). Everything random is a function
 * of (seed, epoch, step), so a run continued from its state makes the same bytes as one that was
 * never stopped.
 */
#ifndef TRAIN_TRAINER_H
#define TRAIN_TRAINER_H

#include "train/holdout.h"
#include "train/expert_load.h"

#include <signal.h>

struct training_data {
	struct dataset *train, *valid;          /* valid may be the same dataset, or NULL */
	const int64_t *train_item, *valid_item; /* [trains], [valids] */
	int64_t trains, valids;
	/* Puts the target of an item into out [targets of the head], for models whose head has
	 * targets of its own (model/head.h). NULL: there are none. */
	void (*target)(const struct dataset *, int64_t item, real *out);
};

struct epoch_report {
	int epoch, epochs; /* epoch counts from 1 */
	long step, steps;  /* done so far, in all */
	double loss,
		accuracy; /* of the training windows as they were trained on; accuracies are NAN without classes */
	struct losses parts;
	double lr, grad_norm; /* of the last step; the norm before clipping */
	double windows_per_s;
	int64_t valids;
	double valid_loss, valid_accuracy, valid_balanced_accuracy;
	bool best;
	int moe_layers;
	const struct moe_layer_report *moe_layer; /* [MoE layers] */
	const struct names *warnings;             /* sentences the user should read */
};

struct step_report {
	int epoch, epochs;
	long step, steps;
	double loss, lr, grad_norm, windows_per_s;
	struct losses parts;
};

struct watch {
	void *context;
	void (*epoch)(void *context, const struct epoch_report *);
	void (*step)(void *context, const struct step_report *);
	const volatile sig_atomic_t *stop; /* not 0: stop after the current step */
};

struct trainer;

/* Everything is borrowed but not shared: model is trained in place. */
struct trainer *trainer_new(struct model *, const struct training_data *, struct pool *, uint64_t seed);
void trainer_free(struct trainer *);
/* The fingerprint of the windows, where it was taken before (fit_model); otherwise it is taken when
 * a state is read or written. */
void trainer_know_fingerprint(struct trainer *, const char *fingerprint);

/* How the run began that a state file belongs to: its seed, and whether its training
 * windows had an out-of-fold prior (train/linear_prior.h). */
int trainer_state_start(const struct st_file *state, uint64_t *seed, bool *out_of_fold);
/* Continues from a state file made with the same windows; -1 when they differ or the file is
 * damaged. */
int trainer_resume(struct trainer *, const struct st_file *state);
int trainer_run(struct trainer *, const struct watch *);
/* What trainer_run does behind the last step, for a model that makes none: its temperature. */
int trainer_calibrate(struct trainer *);
int trainer_save_state(struct trainer *, const char *path, const struct history *);

/* For the summary: 0 without validation. */
int trainer_best_epoch(const struct trainer *);
double trainer_best_loss(const struct trainer *);
bool trainer_calibrates(const struct trainer *); /* fits a temperature at the end */

#endif
