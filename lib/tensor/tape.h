/* The tape: operations recorded as they run, replayed backward for gradients.
 *
 *     struct node *y = op_linear(tape, x, weight, bias, H);     y->x is there at once
 *     ...
 *     tape_gradients(tape, arena);                            every node gets a zeroed gradient
 *     y->g[..] = dL/dy;  tape_backward(tape);                  then x->g and the weights' g are there
 *
 * A node is a matrix [rows][cols]; where windows are stacked rows = B * N, window after window.
 * Each node knows its inputs and its backward function; there are no operation numbers. Values and
 * what an operation saves live in the tape's arena until tape_reset; gradients live in an arena of
 * the caller's, for as long as backward takes. A tape made without gradients records nothing and
 * needs only the memory of the values. One tape belongs to one thread at a time.
 */
#ifndef TENSOR_TAPE_H
#define TENSOR_TAPE_H

#include "base/mem.h"
#include "base/real.h"

#include <stdbool.h>
#include <stdint.h>

/* A trained tensor as an operation sees it: its value, and where its gradient is added up (NULL
 * without gradients). */
struct weight {
	const real *x;
	real *g;
};

struct tape;

struct node {
	real *x, *g; /* [rows][cols]; g is NULL without gradients */
	int rows, cols;
	int inputs;
	struct node **in;
	void (*backward)(struct tape *, struct node *); /* adds to in[]->g and to weights; NULL for a leaf */
	void *saved;                                    /* what the operation keeps for backward */
};

/* Where the dropout masks come from: a mask is a function of (key, operation, element), drawn again
 * in backward. */
struct dropout {
	real p;       /* share of the elements set to 0; 0 = off */
	uint64_t key; /* of (seed, step, region, first window) */
};

struct tape {
	struct arena *arena;   /* values, saved */
	struct arena *scratch; /* short-lived buffers inside one operation; shared by the tapes of a worker */
	struct arena *passing; /* the value of the last passing node; likewise */
	struct tape *part;     /* a tape for what is computed again in backward; likewise */
	bool gradients;
	bool keep_passing; /* passing values are to be kept like others: several are read together later */
	struct dropout dropout;
	uint32_t operations; /* counted up by each that draws a mask */
	struct node **node;
	int n, room;
};

/* What operations need for a short time; one for each thread, lent to the tape it works on. */
struct workspace {
	struct arena *scratch, *passing;
	struct tape *part;
};
struct workspace workspace_new(void);
void workspace_free(struct workspace *);

struct tape *tape_new(bool gradients);
void tape_lend(struct tape *, const struct workspace *); /* before anything is recorded or goes backward */
void tape_free(struct tape *);
void tape_reset(struct tape *); /* forgets the nodes, keeps the memory */
/* Gives every recorded node a zeroed gradient from the arena. */
void tape_gradients(struct tape *, struct arena *);
void tape_backward(struct tape *); /* every node's backward, last first */

/* A node with room for its value (not set). inputs may be 0. */
struct node *tape_node(struct tape *, int rows, int cols, int inputs, struct node *const *in,
	void (*backward)(struct tape *, struct node *));
/* The same for a value that only the very next operation reads, and no backward: it takes no memory
 * on the tape. */
struct node *tape_passing_node(struct tape *, int rows, int cols, int inputs, struct node *const *in,
	void (*backward)(struct tape *, struct node *));
void *tape_take(struct tape *, size_t bytes); /* arena memory, not zeroed */
real *tape_reals(struct tape *, size_t n);
real *scratch_reals(struct tape *, size_t n); /* until scratch_done */
void scratch_done(struct tape *);

/* The 32-bit key of the next operation that draws a mask. */
uint32_t tape_mask_key(struct tape *);

/* mask[i] = 0 with probability p, else 1 / (1 - p), for i = 0 .. n-1, as element `first + i` of the
 * key's sequence. */
void dropout_mask(real *mask, int n, uint32_t key, uint32_t first, real p);

#endif
