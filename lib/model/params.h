/* Parameters: one slab of numbers, and a table that says which part of it is which tensor. Every
 * tensor is declared once (params_add, called from model.c); counting, initialising, saving,
 * clipping and the optimizer are loops over the table.
 *
 *     slab  [ global_token | experts.0 ... | experts.1 ... | gate | classifier ]
 */
#ifndef MODEL_PARAMS_H
#define MODEL_PARAMS_H

#include "base/real.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PARAM_RANK = 4 };

/* Distributions of the start values; a = the row's fan-in (last dimension) unless said
 * otherwise. */
enum init {
	INIT_ZERO,
	INIT_ONE,
	INIT_NORMAL, /* N(0, scale^2) */
	INIT_FAN_IN, /* U(-b, b), b = 1 / sqrt(fan): the start of a linear layer in PyTorch (He et al. 2015 with a = sqrt 5) */
	INIT_CONSTANT, /* scale */
	INIT_XAVIER,   /* U(-b, b), b = sqrt(6 / (rows + columns)) (Glorot, Bengio 2010) */
};

/* Whose tensor it is, for learning rates of their own. */
enum param_role { PARAM_OTHER, PARAM_ROUTER, PARAM_EXPERT };

struct param {
	char *name;
	int rank;
	int64_t shape[PARAM_RANK];
	size_t offset, count;
	enum init init;
	double scale; /* INIT_NORMAL: deviation; INIT_FAN_IN: the fan-in; INIT_CONSTANT: the number */
	enum param_role role;
	bool buffer; /* kept and saved, but not trained: the optimizer leaves it alone */
	bool matrix; /* decays under train.decay=matrices: weights of linear maps, not biases, norms, positions, tokens */
};

struct params {
	struct param *list;
	int n, room;
	size_t count; /* numbers in the slab */
	real *x;      /* [count] */
};

/* Declares a tensor; returns its index. The name is copied. */
int params_add(struct params *, const char *name, int rank, const int64_t *shape, enum init, double scale,
	bool matrix);
void params_allocate(struct params *);
/* Start values: each tensor from a stream of its own, so that they do not depend on the order of
 * declaration. */
void params_init(struct params *, uint64_t seed);
void params_free(struct params *);

#endif
