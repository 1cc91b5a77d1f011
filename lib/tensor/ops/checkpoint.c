#include "tensor/ops.h"

#include <string.h>

/* What it takes to record the part once more. */
struct saved {
	checkpoint_build build;
	const void *context;
	struct dropout dropout;
	uint32_t operations;
};

/* The part on the worker's tape, from x. */
static struct node *record(
	struct tape *t, const struct saved *s, const struct node *x, bool again, struct node **in)
{
	tape_reset(t);
	t->dropout = s->dropout;
	t->operations = s->operations;
	*in = op_input(t, x->x, x->rows, x->cols);
	return s->build(t, *in, s->context, again);
}

static void backward(struct tape *t, struct node *y)
{
	struct tape *part = t->part;
	struct node *x = y->in[0], *in;
	struct node *z = record(part, y->saved, x, true, &in);
	tape_gradients(part, part->arena);
	memcpy(z->g, y->g, (size_t)y->rows * (size_t)y->cols * sizeof *y->g);
	in->g = x->g;
	tape_backward(part);
	tape_reset(part);
}

struct node *op_checkpoint(struct tape *t, struct node *x, checkpoint_build build, const void *context)
{
	struct saved here = {build, context, t->dropout, t->operations}, *s = tape_take(t, sizeof *s);
	struct tape *part = t->part;
	struct node *in, *z = record(part, &here, x, false, &in);
	struct node *y = tape_node(t, z->rows, z->cols, 1, &x, backward);
	memcpy(y->x, z->x, (size_t)z->rows * (size_t)z->cols * sizeof *z->x);
	*s = here;
	y->saved = s;
	t->operations = part->operations;
	tape_reset(part);
	return y;
}
