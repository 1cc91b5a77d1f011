/* Ordered gradient accumulation: the chunks of a batch run backward at the same time and add to the
 * same gradients of experts, but always in the order of the chunks, so that the sums do not depend
 * on threads. A chunk waits at an expert until the chunk before it is done with that expert. All
 * chunks visit the experts from the last to the first and so follow each other one expert apart.
 * The first chunk clears an expert's gradients just before it adds to them, when they enter the
 * cache anyway.
 */
#ifndef MOE_ORDERED_SUM_H
#define MOE_ORDERED_SUM_H

#include "tensor/tape.h"

#include <stdatomic.h>

/* Of one chunk and MoE layer. */
struct ordered_sum {
	atomic_int left;                  /* experts 0 .. left-1 are still to come */
	const struct ordered_sum *before; /* of the chunk before, NULL for the first */
	int cleared; /* of the first chunk: gradients of experts from here on were cleared in this step */
};

/* An expert's gradients. */
struct ordered_sum_span {
	real *g;
	size_t n;
};

/* before: NULL for the first chunk; it must be begun already and stay where it is. */
void ordered_sum_begin(struct ordered_sum *, int experts, const struct ordered_sum *before);
/* Records, after the operations of expert e, a node that in backward waits for the chunk before and
 * then announces that this chunk is done with all experts above e. A chunk with windows of several
 * lengths visits the experts several times: what it records first runs backward last, and only that
 * pass announces. span [spans]: the gradients of e, borrowed until the tape is reset. */
void ordered_sum_record(struct tape *, struct ordered_sum *, int e, bool announces,
	const struct ordered_sum_span *span, int spans);
/* Records, before the operations of all experts, a node that in backward announces that this chunk
 * is done with every expert. */
void ordered_sum_record_end(struct tape *, struct ordered_sum *, bool announces);

#endif
