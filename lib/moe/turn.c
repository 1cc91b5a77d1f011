#include "moe/turn.h"

#include "base/profile.h"

#include <sched.h>
#include <string.h>

void turn_begin(struct turn *turn, int experts, const struct turn *before)
{
	atomic_store(&turn->left, experts);
	turn->before = before;
	turn->cleared = experts;
}

struct saved {
	struct turn *turn;
	int e;
	bool tells;
	const struct turn_span *span;
	int spans;
};

/* Returns once the chunk before, and with it all before that, is through with expert e and those
 * above it. */
static void wait_until_through(const struct turn *before, int e)
{
	if (!before || atomic_load(&before->left) <= e)
		return;
	PROFILE_OPERATION("waiting for a turn");
	while (atomic_load(&before->left) > e)
		sched_yield();
}

/* Says that this chunk is through with the experts above e. Whoever hears it takes it to be true of
 * all chunks before as well, so it is said only once it is, also where this chunk had no token for
 * an expert and never waited at it. */
static void tell_through_above(struct turn *turn, int e)
{
	wait_until_through(turn->before, e + 1);
	atomic_store(&turn->left, e + 1);
}

static void clear_first(const struct saved *s)
{
	if (s->turn->before || s->e >= s->turn->cleared)
		return;
	for (int i = 0; i < s->spans; i++)
		memset(s->span[i].g, 0, s->span[i].n * sizeof(real));
	s->turn->cleared = s->e;
}

static void backward(struct tape *t, struct node *y)
{
	const struct saved *s = y->saved;
	(void)t;
	if (s->tells)
		tell_through_above(s->turn, s->e);
	if (s->e < 0)
		return;
	clear_first(s);
	wait_until_through(s->turn->before, s->e);
}

void turn_record(
	struct tape *t, struct turn *turn, int e, bool tells, const struct turn_span *span, int spans)
{
	if (!t->gradients)
		return;
	struct node *y = tape_node(t, 0, 0, 0, NULL, backward);
	struct saved *s = y->saved = tape_take(t, sizeof *s);
	*s = (struct saved){turn, e, tells, span, spans};
}

void turn_record_end(struct tape *t, struct turn *turn, bool tells)
{
	turn_record(t, turn, -1, tells, NULL, 0);
}
