/* Chunks of a batch that go backward side by side and add to the same gradients of experts, each
 * expert's in the order of the chunks: a chunk waits at an expert until the one before it is
 * through with it. As all of them go through the experts in the same order, from the last to the
 * first, they follow each other at a distance of one expert. The first of them clears an expert's
 * gradients right before it adds to them, when they come into the cache anyway.
 */
#ifndef MOE_TURN_H
#define MOE_TURN_H

#include "tensor/tape.h"

#include <stdatomic.h>

struct turn {
	atomic_int left; /* experts 0 .. left-1 are still to come */
	const struct turn *before;
	int cleared; /* of the first chunk: gradients of experts from here on were cleared in this step */
};

/* An expert's gradients. */
struct turn_span {
	real *g;
	size_t n;
};

void turn_begin(struct turn *, int experts, const struct turn *before); /* before: NULL for the first */
/* Recorded behind what expert e does: in backward waits for its turn, and tells that it is through
 * with the experts above e. A chunk may go through the experts several times, for windows of
 * several lengths: what it records first goes backward last, and only that tells. */
void turn_record(struct tape *, struct turn *, int e, bool tells, const struct turn_span *span,
	int spans); /* span: the gradients of e; kept, not copied */
/* Recorded in front of all of it: in backward tells that it is through. */
void turn_record_end(struct tape *, struct turn *, bool tells);

#endif
