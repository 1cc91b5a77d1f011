#include "train/schedule.h"

#include "base/mem.h"

#include <math.h>

static double along_cosine(double from, double to, double q)
{
	return to + (from - to) * (1 + cos(3.141592653589793 * q)) / 2;
}

double schedule_rate(const struct config *c, long step, long total)
{
	double lr = c->train.lr;
	long warm = c->train.warmup_steps;
	if (step < warm)
		return lr * (double)(step + 1) / (double)(warm + 1);
	double q = total > warm ? (double)(step - warm) / (double)(total - warm) : 0;
	switch (c->train.schedule) {
	case SCHEDULE_COSINE:
		return along_cosine(lr, 0, q);
	case SCHEDULE_ONECYCLE:
		return q < 0.3 ? along_cosine(lr / 25, lr, q / 0.3)
			       : along_cosine(lr, lr / 1e4, (q - 0.3) / 0.7);
	case SCHEDULE_STEP:
		return q < 0.5 ? lr : q < 0.75 ? lr / 10 : lr / 100;
	default:
		return lr;
	}
}

long schedule_steps(const struct config *c, int64_t trains)
{
	int64_t batch = c->train.batch_size;
	return (long)((trains + batch - 1) / batch) * c->train.epochs;
}

char *schedule_warning(const struct configuration *c, int64_t trains, bool *decided)
{
	long steps = schedule_steps(&c->value, trains);
	int warm = config_warmup(c, steps);
	*decided = config_decided(c, "train.warmup_steps");
	if (warm < steps)
		return NULL;
	return mem_format(
		"train.warmup_steps=%d, and the whole run has %ld step%s: the learning rate reaches %.2g of "
		"train.lr at most; decrease train.warmup_steps, or increase train.epochs",
		warm, steps, steps == 1 ? "" : "s", (double)steps / (warm + 1.0));
}
