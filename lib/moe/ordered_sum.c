#include "moe/ordered_sum.h"

#include "base/profile.h"

#include <sched.h>
#include <string.h>

void ordered_sum_begin(struct ordered_sum *ordered_sum, int experts, const struct ordered_sum *before)
{
	atomic_store(&ordered_sum->left, experts);
	ordered_sum->before = before;
	ordered_sum->cleared = experts;
}

struct saved {
	struct ordered_sum *ordered_sum;
	int e;
	bool announces;
	const struct ordered_sum_span *span;
	int spans;
};

/* Returns once the chunk before, and with it all earlier ones, is done with expert e and those
 * above it. */
static void wait_until_through(const struct ordered_sum *before, int e)
{
	if (!before || atomic_load(&before->left) <= e)
		return;
	PROFILE_OPERATION("waiting for the chunk before");
	while (atomic_load(&before->left) > e)
		sched_yield();
}

/* Announces that this chunk is done with the experts above e. The chunk behind takes that to hold
 * for all earlier chunks as well, so this one first waits until it does: it may have had no token
 * for an expert and never waited there. */
static void announce_through_above(struct ordered_sum *ordered_sum, int e)
{
	wait_until_through(ordered_sum->before, e + 1);
	atomic_store(&ordered_sum->left, e + 1);
}

static void clear_first(const struct saved *s)
{
	if (s->ordered_sum->before || s->e >= s->ordered_sum->cleared)
		return;
	for (int i = 0; i < s->spans; i++)
		memset(s->span[i].g, 0, s->span[i].n * sizeof(real));
	s->ordered_sum->cleared = s->e;
}

static void backward(struct tape *t, struct node *y)
{
	const struct saved *s = y->saved;
	(void)t;
	if (s->announces)
		announce_through_above(s->ordered_sum, s->e);
	if (s->e < 0)
		return;
	clear_first(s);
	wait_until_through(s->ordered_sum->before, s->e);
}

void ordered_sum_record(struct tape *t, struct ordered_sum *ordered_sum, int e, bool announces,
	const struct ordered_sum_span *span, int spans)
{
	if (!t->gradients)
		return;
	struct node *y = tape_node(t, 0, 0, 0, NULL, backward);
	struct saved *s = y->saved = tape_take(t, sizeof *s);
	*s = (struct saved){ordered_sum, e, announces, span, spans};
}

void ordered_sum_record_end(struct tape *t, struct ordered_sum *ordered_sum, bool announces)
{
	ordered_sum_record(t, ordered_sum, -1, announces, NULL, 0);
}
