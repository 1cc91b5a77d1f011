#include "recording/counter.h"

#include <math.h>
#include <stddef.h>

/* Rounds that recorders have, beside powers of two. */
static const double usual[] = {101, 129, 200, 201, 1000};

/* The nearest usual round that is not below `least`. */
static double usual_round(double least)
{
	double best = exp2(ceil(log2(least)));
	for (size_t i = 0; i < sizeof usual / sizeof *usual; i++)
		if (usual[i] >= least && usual[i] < best)
			best = usual[i];
	return best;
}

/* The counter went down: where it begins again. A usual round, if little is missing for one; else
 * it is taken to have come to its end, if it begins at nought or one step behind; 0 = neither. */
static double find_period(double before, double now, double step)
{
	double straight = before + step - now; /* if nothing is missing */
	if (straight < 64)
		return 0;
	double round = usual_round(straight);
	if (round <= 1.1 * straight)
		return round;
	return now <= step ? straight : 0;
}

double counter_take(struct counter *c, double now)
{
	double before = c->before;
	c->useless |= !isfinite(now);
	if (c->useless)
		return 0;
	c->before = now;
	if (!c->begun) {
		c->begun = true;
		return 0;
	}
	double moved = now - before;
	if (c->period > 0 && now >= c->period) /* that was not it */
		c->period = 0;
	if (c->step == 0) {
		c->useless = moved == 0;
		c->step = moved == 2 ? 2 : 1;
	}
	if (moved == 0)
		return 0;
	if (moved < 0) {
		if (c->period == 0)
			c->period = find_period(before, now, c->step);
		if (c->period == 0 || before >= c->period)
			return (double)NAN;
		moved += c->period;
	}
	if (moved < c->step)
		c->step = 1;
	double lost = round(moved / c->step) - 1;
	return lost > 0 ? lost : 0;
}

double counter_round(const struct counter *c)
{
	return c->step > 0 ? floor(c->period / c->step) : 0;
}
