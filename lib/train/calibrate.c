#include "train/calibrate.h"

#include <math.h>
#include <stdbool.h>

/* d loss / d (1/T), summed over the windows: above 0 where a larger T is better. */
static double slope(const real *logits, const int *label, int64_t n, int classes, double T)
{
	double sum = 0;
	for (int64_t i = 0; i < n; i++) {
		const real *z = logits + i * classes;
		double top = (double)z[0], weights = 0, mean = 0;
		for (int c = 1; c < classes; c++)
			top = (double)z[c] > top ? (double)z[c] : top;
		for (int c = 0; c < classes; c++) {
			double w = exp(((double)z[c] - top) / T);
			weights += w;
			mean += w * ((double)z[c] - top);
		}
		sum += mean / weights - ((double)z[label[i]] - top);
	}
	return sum;
}

float calibrate_temperature(const real *logits, const int *label, int64_t n, int classes)
{
	enum { HALVINGS = 40 };
	double low = log(CALIBRATE_MIN), high = log(CALIBRATE_MAX);
	bool flat = true;
	for (int64_t i = 0; i < n && flat; i++)
		for (int c = 1; c < classes; c++)
			flat &= !(logits[i * classes + c] < logits[i * classes]) &&
				!(logits[i * classes + c] > logits[i * classes]);
	for (int i = 0; i < HALVINGS && !flat; i++) {
		double middle = (low + high) / 2;
		if (slope(logits, label, n, classes, exp(middle)) > 0)
			low = middle;
		else
			high = middle;
	}
	return flat ? 1 : (float)exp(low);
}
