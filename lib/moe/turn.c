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

static void backward(struct tape *t, struct node *y)
{
	const struct saved *s = y->saved;
	(void)t;
	if (s->tells)
		atomic_store(&s->turn->left, s->e + 1);
	if (!s->turn->before && s->e >= 0 && s->e < s->turn->cleared) {
		for (int i = 0; i < s->spans; i++)
			memset(s->span[i].g, 0, s->span[i].n * sizeof(real));
		s->turn->cleared = s->e;
	}
	if (s->e < 0 || !s->turn->before || atomic_load(&s->turn->before->left) <= s->e)
		return;
	PROFILE_OPERATION("waiting for a turn");
	while (atomic_load(&s->turn->before->left) > s->e)
		sched_yield();
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
