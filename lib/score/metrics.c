#include "score/metrics.h"

#include "base/mem.h"

#include <math.h>
#include <stdlib.h>

void metrics_begin(struct metrics *m, int classes)
{
	*m = (struct metrics){.classes = classes, .confusion = NEW_ARRAY(int64_t, classes * classes)};
}

void metrics_end(struct metrics *m)
{
	free(m->confusion);
	m->confusion = NULL;
}

int metrics_likeliest(const double *p, int n)
{
	int best = 0;
	for (int c = 1; c < n; c++)
		if (p[c] > p[best])
			best = c;
	return best;
}

int metrics_predicted(const real *z, int n)
{
	int best = 0;
	for (int c = 1; c < n; c++)
		if (z[c] > z[best])
			best = c;
	return best;
}

void metrics_add(struct metrics *m, const real *z, int label)
{
	int best = metrics_predicted(z, m->classes);
	double sum = 0;
	for (int c = 0; c < m->classes; c++)
		sum += exp((double)z[c] - (double)z[best]);
	m->log_loss += log(sum) + (double)z[best] - (double)z[label];
	m->confusion[label * m->classes + best]++;
	m->n++;
}

void metrics_join(struct metrics *m, const struct metrics *more)
{
	m->n += more->n;
	m->log_loss += more->log_loss;
	for (int i = 0; i < m->classes * m->classes; i++)
		m->confusion[i] += more->confusion[i];
}

double metrics_loss(const struct metrics *m)
{
	return m->n ? m->log_loss / (double)m->n : 0;
}

double metrics_accuracy(const struct metrics *m)
{
	int64_t right = 0;
	for (int c = 0; c < m->classes; c++)
		right += m->confusion[c * m->classes + c];
	return m->n ? (double)right / (double)m->n : 0;
}

double metrics_balanced_accuracy(const struct metrics *m)
{
	double sum = 0;
	int occurring = 0;
	for (int c = 0; c < m->classes; c++) {
		int64_t all = 0;
		for (int d = 0; d < m->classes; d++)
			all += m->confusion[c * m->classes + d];
		if (all) {
			sum += (double)m->confusion[c * m->classes + c] / (double)all;
			occurring++;
		}
	}
	return occurring ? sum / occurring : 0;
}
