/* What a trainer is made of; shared by trainer.c (the loop) and state.c (the state file). */
#ifndef TRAIN_TRAINER_STATE_H
#define TRAIN_TRAINER_STATE_H

#include "score/metrics.h"
#include "train/expert_load.h"
#include "train/optimizer.h"
#include "train/trainer.h"
#include "train/update.h"

struct counters {
	long step;       /* optimizer steps done */
	int epoch;       /* epochs done */
	long in_epoch;   /* steps done in the epoch at hand */
	double loss_sum; /* of the windows of the epoch at hand; then its parts */
	double task_sum, aux_sum, z_sum;
	int64_t seen, right;
	int best_epoch; /* 0 = none yet */
	double best_loss;
	int bad_epochs; /* since the best */
	bool finished;
};

struct trainer {
	struct model *m;
	struct training_data data;
	struct pool *pool;
	struct forward *forward;
	uint64_t seed;
	const struct optimizer *optimizer;
	struct update *update;
	real *gradient;              /* [count] */
	real *slot[OPTIMIZER_SLOTS]; /* [count] each */
	real *best;                  /* [count]; NULL without validation */
	real *class_weight;          /* [classes] or NULL */
	int64_t *order;              /* [trains] of this epoch */
	struct spill order_spill;
	int order_epoch;                /* the epoch it belongs to, -1 = none */
	int *label, *group, *condition; /* [batch] */
	int *partner,
		*other;    /* [batch] of windows that are mixed of two: the second, its label; NULL without */
	real *share;       /* [batch] of the first */
	real *mixed_prior; /* [batch][K][classes] room for the prior of such windows */
	real *logits;      /* [batch][outputs of the head] */
	struct counters at;
	struct moe_layers *moe_layers; /* NULL without */
	struct names warnings;         /* of the last epoch */
	char *fingerprint;             /* of data, as the state has it; NULL until it is asked for */
};

#endif
