#include "moe/turn.h"

#include "base/profile.h"

#include <sched.h>

void turn_begin(struct turn *turn, int experts, const struct turn *before)
{
	atomic_store(&turn->left, experts);
	turn->before = before;
}

struct saved {
	struct turn *turn;
	int e;
	bool tells;
};

static void backward(struct tape *t, struct node *y)
{
	const struct saved *s = y->saved;
	(void)t;
	if (s->tells)
		atomic_store(&s->turn->left, s->e + 1);
	if (s->e < 0 || !s->turn->before || atomic_load(&s->turn->before->left) <= s->e)
		return;
	PROFILE_OPERATION("waiting for a turn");
	while (atomic_load(&s->turn->before->left) > s->e)
		sched_yield();
}

void turn_record(struct tape *t, struct turn *turn, int e, bool tells)
{
	if (!t->gradients)
		return;
	struct node *y = tape_node(t, 0, 0, 0, NULL, backward);
	struct saved *s = y->saved = tape_take(t, sizeof *s);
	*s = (struct saved){turn, e, tells};
}

void turn_record_end(struct tape *t, struct turn *turn, bool tells)
{
	turn_record(t, turn, -1, tells);
}
