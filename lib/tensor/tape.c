#include "tensor/tape.h"

#include "base/profile.h"
#include "base/rng.h"
#include "tensor/dropout.h"
#include "tensor/vector.h"

#include <stdlib.h>
#include <string.h>

struct workspace workspace_new(void)
{
	struct workspace w = {arena_new(), arena_new(), tape_new(true)};
	tape_lend(w.part, &w);
	return w;
}

void workspace_free(struct workspace *w)
{
	arena_free(w->scratch);
	arena_free(w->passing);
	tape_free(w->part);
}

struct tape *tape_new(bool gradients)
{
	struct tape *t = NEW(struct tape);
	t->arena = arena_new();
	t->gradients = gradients;
	return t;
}

void tape_lend(struct tape *t, const struct workspace *w)
{
	t->scratch = w->scratch;
	t->passing = w->passing;
	t->part = w->part == t ? NULL : w->part; /* one within another is not there */
}

void tape_free(struct tape *t)
{
	if (!t)
		return;
	arena_free(t->arena);
	free(t->node);
	free(t);
}

void tape_reset(struct tape *t)
{
	arena_reset(t->arena);
	t->n = 0;
	t->operations = 0;
}

void tape_gradients(struct tape *t, struct arena *arena)
{
	for (int i = 0; i < t->n; i++) {
		size_t bytes = (size_t)t->node[i]->rows * (size_t)t->node[i]->cols * sizeof(real);
		t->node[i]->g = arena_take(arena, bytes);
		memset(t->node[i]->g, 0, bytes);
	}
}

void tape_backward(struct tape *t)
{
	for (int i = t->n - 1; i >= 0; i--)
		if (t->node[i]->backward)
			t->node[i]->backward(t, t->node[i]);
}

void *tape_take(struct tape *t, size_t bytes)
{
	return arena_take(t->arena, bytes);
}

real *tape_reals(struct tape *t, size_t n)
{
	return arena_take(t->arena, n * sizeof(real));
}

real *scratch_reals(struct tape *t, size_t n)
{
	return arena_take(t->scratch, n * sizeof(real));
}

void scratch_done(struct tape *t)
{
	arena_reset(t->scratch);
}

static struct node *node(struct tape *t, int rows, int cols, real *x, int inputs, struct node *const *in,
	void (*backward)(struct tape *, struct node *))
{
	struct node *y = tape_take(t, sizeof *y);
	*y = (struct node){.rows = rows, .cols = cols, .x = x};
	if (!t->gradients)
		return y;
	y->inputs = inputs;
	y->in = tape_take(t, (size_t)inputs * sizeof *y->in);
	for (int i = 0; i < inputs; i++)
		y->in[i] = in[i];
	y->backward = backward;
	ROOM_FOR_ONE(t->node, t->n, t->room);
	t->node[t->n++] = y;
	return y;
}

struct node *tape_node(struct tape *t, int rows, int cols, int inputs, struct node *const *in,
	void (*backward)(struct tape *, struct node *))
{
	return node(t, rows, cols, tape_reals(t, (size_t)rows * (size_t)cols), inputs, in, backward);
}

struct node *tape_passing_node(struct tape *t, int rows, int cols, int inputs, struct node *const *in,
	void (*backward)(struct tape *, struct node *))
{
	if (t->keep_passing)
		return tape_node(t, rows, cols, inputs, in, backward);
	arena_reset(t->passing);
	real *x = arena_take(t->passing, (size_t)rows * (size_t)cols * sizeof(real));
	return node(t, rows, cols, x, inputs, in, backward);
}

uint32_t tape_mask_key(struct tape *t)
{
	struct rng r = {t->dropout.key, t->operations++};
	return (uint32_t)(rng_next(&r) >> 32);
}

VECTOR_CLONES
void dropout_mask(real *restrict mask, int n, uint32_t key, uint32_t first, real p)
{
	PROFILE_PART("generator");
	uint32_t limit = dropout_limit(p);
	real keep = 1 / (1 - p);
	for (int i = 0; i < n; i++)
		mask[i] = dropped(first + (uint32_t)i, key, limit) ? 0 : keep;
}
