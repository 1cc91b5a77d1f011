#include "recording/quality.h"

#include "base/mem.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SAMPLED = 4096 };

/* The amplifier of OpenBCI boards ends here (24 bits at a gain of 24): 187500.02 uV. */
static const double rail = 187500.02;

struct column {
	float low, high;
	int64_t railed;
	uint64_t hash; /* of all its samples in order */
};

static void add_suspicion(struct names *suspicious, struct names *why, const char *channel, char *sentence)
{
	names_add(suspicious, channel);
	names_add(why, sentence);
	free(sentence);
}

static void scan_columns(const float *x, int64_t rows, int C, struct column *column)
{
	for (int c = 0; c < C; c++)
		column[c] = (struct column){x[c], x[c], 0, 14695981039346656037u};
	for (int64_t s = 0; s < rows; s++)
		for (int c = 0; c < C; c++) {
			struct column *k = &column[c];
			float v = x[s * C + c];
			uint32_t bits;
			memcpy(&bits, &v, sizeof bits);
			k->hash = (k->hash ^ bits) * 1099511628211u; /* FNV-1a over words */
			k->low = v < k->low ? v : k->low;
			k->high = v > k->high ? v : k->high;
			k->railed += fabs(fabs((double)v) - rail) < 0.05;
		}
}

static int compare_floats(const void *x, const void *y)
{
	float a = *(const float *)x, b = *(const float *)y;
	return a < b ? -1 : a > b;
}

/* The median of absolute values, of rows spread over the recording. */
static double median_size(const float *x, int64_t rows, int C, int c)
{
	int n = rows < SAMPLED ? (int)rows : SAMPLED;
	float *v = NEW_ARRAY(float, n);
	for (int i = 0; i < n; i++)
		v[i] = fabsf(x[rows * i / n * C + c]);
	qsort(v, (size_t)n, sizeof *v, compare_floats);
	double m = (double)v[n / 2];
	free(v);
	return m;
}

static char *size_sentence(double median)
{
	if (median < 0.01)
		return mem_format(
			"median amplitude %.3g uV: perhaps the values are volts (--unit V)", median);
	if (median < 0.2)
		return mem_format(
			"median amplitude %.3g uV: perhaps the values are millivolts (--unit mV)", median);
	if (median > 20000)
		return mem_format("median amplitude %.3g uV: perhaps the values are nanovolts (--unit nV), "
				  "or have an offset",
			median);
	if (median > 500)
		return mem_format(
			"median amplitude %.3g uV: perhaps the values have an offset, or another unit",
			median);
	return NULL;
}

void quality_check(const float *x, int64_t rows, int C, const struct names *channels,
	struct names *suspicious, struct names *why)
{
	struct column *column = NEW_ARRAY(struct column, C);
	scan_columns(x, rows, C, column);
	for (int c = 0; c < C; c++) {
		const struct column *k = &column[c];
		const char *name = channels->s[c];
		if (k->low == k->high && k->railed) {
			add_suspicion(suspicious, why, name, mem_text("railed (187500.02 uV) in all rows"));
			continue;
		}
		if (k->low == k->high) {
			add_suspicion(
				suspicious, why, name, mem_format("constant at %.9g uV", (double)k->low));
			continue;
		}
		for (int other = 0; other < c; other++)
			if (column[other].hash == k->hash && column[other].low == k->low &&
				column[other].high == k->high) {
				add_suspicion(suspicious, why, name,
					mem_format("identical to %s", channels->s[other]));
				break;
			}
		if (k->railed)
			add_suspicion(suspicious, why, name,
				mem_format("railed (187500.02 uV) in %lld rows", (long long)k->railed));
		char *size = size_sentence(median_size(x, rows, C, c));
		if (size)
			add_suspicion(suspicious, why, name, size);
	}
	free(column);
}
