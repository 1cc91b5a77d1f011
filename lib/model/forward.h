/* Running a model over windows.
 *
 *     struct forward *f = forward_new(model, pool);
 *     forward_evaluate(f, B, &source, logits, gate);                  prediction: no tape, no dropout
 *     loss = forward_train(f, B, &source, &step, gradient);           one batch: loss and gradient
 *
 * Evaluation works window by window, so a window's answer does not depend on its company. Training
 * goes forward and backward over one group of windows after the other, so that memory does not grow
 * with the batch. It cuts a group, per part of the model, into chunks of windows and the chunks
 * into shards; a shard adds its gradients up in the order of its windows and the shards are added
 * in order. Gradients of many experts have no shards: the chunks add to them in order, expert by
 * expert (moe/ordered_sum.h). The cut depends on the model and B alone, so the bytes do not depend
 * on the number of threads. A part is a region, or all of them where they exchange global tokens
 * between layers (encoder_couples).
 */
#ifndef MODEL_FORWARD_H
#define MODEL_FORWARD_H

#include "base/pool.h"
#include "model/model.h"

struct forward;

/* Where what a model sees of the windows b = 0 .. B-1 of a call comes from, borrowed for the call.
 * Its functions are called from any thread. */
struct window_source {
	void *context;
	/* Puts the scaled samples of window b and region k into x [T_k][W_k], padding 0. */
	void (*fill)(void *context, int b, int k, real *x);
	/* How many samples of window b are there, of layout.length, from its first on; its tokens
	 * are those that see nothing else, and each region has one at least. NULL: all of every
	 * window. */
	int (*samples)(void *context, int b);
	/* Where tokens that are the same every time are kept: puts the features of window b and
	 * region k into out [n of the window][D], standardised already and less the subject mean
	 * (model_standardise). NULL, or an answer of false: they are made of the samples, and
	 * standardised, each time. */
	bool (*tokens)(void *context, int b, int k, real *out);
	/* What is taken off the features of window b and region k before they are standardised,
	 * [kinds][D]: the mean of the window's group (train.scale=group). NULL, or an answer of
	 * NULL: nothing. */
	const real *(*subject_mean)(void *context, int b, int k);
	/* What region k says of window b's classes beside its features [classes], where it is not
	 * to be computed (train/linear_prior.h): in training, by a map that has not seen the
	 * window. NULL, or an answer of NULL: by the model's map. */
	const real *(*linear_prior)(void *context, int b, int k);
	/* Puts the target of window b into out [targets of the head], in training, where the head
	 * has targets of its own (model/head.h). Called on the thread that trains. */
	void (*target)(void *context, int b, real *out);
	/* [B] rows of the windows' conditions, where the router reads them; NULL for none. */
	const int *condition;
};

struct forward *forward_new(const struct model *, struct pool *);
void forward_free(struct forward *);

/* out [B][outputs of the head], logits of the classes where it has classes; gate [B][K] (1 without
 * a gate) */
void forward_evaluate(struct forward *, int B, const struct window_source *, real *out, real *gate);

/* What evaluation does besides, borrowed until the next forward_besides; NULL where nothing. */
struct besides {
	/* Told of every MoE layer's choice, for the N tokens of window b (of the call): from any
	 * thread, the choice lives as long as the call. */
	void (*chosen)(void *context, int b, int k, int layer, const struct choice *);
	void *context;
	const struct ablation *const *ablation; /* [K][layers] experts left out, NULL where none */
	const bool *without;                    /* [K] regions the gate does not weigh */
};
void forward_besides(struct forward *, const struct besides *);

/* The parts of a loss, without their weights: the head's (cross-entropy of classes), balance over
 * all MoE layers and the gate, z over all MoE layers, the sum of the regions' own cross-entropies
 * (when they have a weight). */
struct losses {
	double task, aux, z, own;
};

struct train_step {
	const int *label;  /* [B]; NULL where the head has no classes */
	const int *other;  /* [B] second label of a window that is mixed of two, or NULL */
	const real *share; /* [B] of the first label where there is a second */
	const int
		*group; /* [B] person or other group of each window, for moe.balance_scope=group; else NULL */
	const real *class_weight; /* [classes] or NULL */
	real smoothing, dropout;
	uint64_t seed, number; /* of the dropout masks */
	real *logits;          /* [B][outputs of the head] out, for the training accuracy; may be NULL */
	struct losses *losses; /* out, may be NULL */
};

/* gradient [params.count] is overwritten. Returns the loss of the batch, all its parts weighted. */
real forward_train(
	struct forward *, int B, const struct window_source *, const struct train_step *, real *gradient);
/* The numbers that forward_train takes for the parts of a gradient, when a batch of B windows is
 * trained on; the model may be one that is declared only. */
size_t forward_shards(struct forward *, int B);
/* What the routers chose in the last batch that was trained on: [K][layers], NULL in a model
 * without MoE layers. */
const struct balance *forward_balance(const struct forward *);

/* After the optimizer's step: moves what balances experts without a loss (moe/rebalance.h), and a
 * capacity that follows the load, by what the last batch did. */
void forward_rebalance(const struct forward *, struct params *);

#endif
