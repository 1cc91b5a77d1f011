/* noise: Gaussian, of so many times the deviation of the channel in the window. */
#include "model/augmentation.h"

#include <math.h>

extern const struct augmentation augmentation_noise;

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

static void noise(const struct augmentation_view *v)
{
	for (int j = 0; j < v->W; j++) {
		if (v->channel[j] < 0)
			continue;
		struct rng r = augmentation_draws(v, "augment noise", v->channel[j]);
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

const struct augmentation augmentation_noise = {.name = "noise", .min = 1e-6, .max = 100, .change = noise};
