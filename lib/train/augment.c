#include "train/augment.h"

#include "base/error.h"
#include "base/mem.h"
#include "base/rng.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A window as one region sees it. */
struct view {
	const struct augment *a;
	int b, there, W;
	const int32_t *channel; /* [W], -1 = padding */
	double amount;
	real *x; /* [there][W] */
};

/* Draws for a channel, or for all of the window (-1). */
static struct rng draws(const struct view *v, const char *purpose, int channel)
{
	return rng_stream(v->a->seed, purpose, v->a->step, (uint64_t)v->b << 32 | (uint64_t)(channel + 1));
}

static int samples(double seconds, const struct layout *l)
{
	return (int)floor(seconds * l->rate + 0.5);
}

static void shift(const struct view *v)
{
	struct rng r = draws(v, "augment shift", -1);
	int most = samples(v->amount, v->a->layout), by = (int)rng_below(&r, 2 * (uint64_t)most + 1) - most;
	size_t row = (size_t)v->W * sizeof *v->x,
	       head = (size_t)(((by % v->there) + v->there) % v->there) * row, all = (size_t)v->there * row;
	char *x = (char *)v->x, *old = mem_new(1, all);
	memcpy(old, x, all);
	memcpy(x, old + head, all - head);
	memcpy(x + all - head, old, head);
	free(old);
}

static void flip(const struct view *v)
{
	struct rng r = draws(v, "augment flip", -1);
	if (rng_uniform(&r) < v->amount)
		for (int i = 0; i < v->there * v->W; i++)
			v->x[i] = -v->x[i];
}

static double deviation(const real *x, int n, int step)
{
	double mean = 0, sum = 0;
	for (int t = 0; t < n; t++)
		mean += (double)x[(size_t)t * (size_t)step] / n;
	for (int t = 0; t < n; t++) {
		double d = (double)x[(size_t)t * (size_t)step] - mean;
		sum += d * d;
	}
	return sqrt(sum / n);
}

static void noise(const struct view *v)
{
	for (int j = 0; j < v->W; j++) {
		if (v->channel[j] < 0)
			continue;
		struct rng r = draws(v, "augment noise", v->channel[j]);
		real *x = v->x + j;
		double scale = v->amount * deviation(x, v->there, v->W), second = 0;
		for (int t = 0; t < v->there; t++) {
			double z = second;
			if (t % 2 == 0)
				rng_normals(&r, &z, &second);
			x[(size_t)t * (size_t)v->W] += (real)(scale * z);
		}
	}
}

static void mask(const struct view *v)
{
	struct rng r = draws(v, "augment mask", -1);
	int n = samples(v->amount, v->a->layout);
	n = n < v->there ? n : v->there;
	size_t from = (size_t)rng_below(&r, (uint64_t)(v->there - n + 1));
	memset(v->x + from * (size_t)v->W, 0, (size_t)n * (size_t)v->W * sizeof *v->x);
}

static void channels(const struct view *v)
{
	for (int j = 0; j < v->W; j++) {
		struct rng r = draws(v, "augment channels", v->channel[j]);
		bool gone = v->channel[j] >= 0 && rng_uniform(&r) < v->amount;
		for (int t = 0; t < v->there && gone; t++)
			v->x[(size_t)t * (size_t)v->W + (size_t)j] = 0;
	}
}

bool augments(const struct config *c)
{
	bool any = false;
	for (int i = 0; i < AUGMENTATIONS; i++)
		any |= c->train.augment[i] > 0;
	return any;
}

int augment_check(const struct config *c, const struct layout *l)
{
	for (int i = 0; i < AUGMENTATIONS; i++) {
		const char *name = augmentation_table[i].name;
		double x = c->train.augment[i];
		if (!(x > 0) || !augmentation_table[i].seconds)
			continue;
		if (samples(x, l) < 1)
			return err_set(EX_CONFIG,
				"train.augment: %s:%gs has no effect: at %g Hz it is less than a sample",
				name, x, l->rate);
		if (samples(x, l) >= l->length)
			return err_set(EX_CONFIG, "train.augment: %s:%gs is no less than a window, %g s",
				name, x, l->length / l->rate);
	}
	return 0;
}

void augment_window(const struct augment *a, int b, int k, int there, real *x)
{
	static void (*const function[AUGMENTATIONS])(const struct view *) = {[AUGMENT_SHIFT] = shift,
		[AUGMENT_FLIP] = flip,
		[AUGMENT_NOISE] = noise,
		[AUGMENT_MASK] = mask,
		[AUGMENT_CHANNELS] = channels};
	const struct region *r = &a->layout->region[k];
	for (int i = 0; i < AUGMENTATIONS; i++)
		if (function[i] && a->amount[i] > 0)
			function[i](&(struct view){a, b, there, r->width, r->channel, a->amount[i], x});
}

void augment_pairs(const struct augment *a, int B, int *partner, real *share)
{
	struct rng order = rng_stream(a->seed, "augment mixup", a->step, 0);
	int64_t *p = NEW_ARRAY(int64_t, B);
	rng_permutation(&order, p, B);
	for (int b = 0; b < B; b++) {
		struct rng r = rng_stream(a->seed, "augment share", a->step, (uint64_t)b);
		double s = rng_beta(&r, a->amount[AUGMENT_MIXUP], a->amount[AUGMENT_MIXUP]);
		partner[b] = (int)p[b];
		share[b] = p[b] == b ? 1 : (real)(s > 0.5 ? s : 1 - s);
	}
	free(p);
}
