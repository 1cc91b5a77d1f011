#include "tensor/ops.h"

#include <math.h>

struct saved {
	struct targets target;
	const real *weight;
	real smoothing, total;
	real *p; /* [B][classes] softmax of the logits */
};

double targets_weight(const struct targets *t, int B, const real *weight)
{
	double sum = 0;
	for (int b = 0; b < B; b++) {
		double first = weight ? (double)weight[t->label[b]] : 1;
		sum += first;
		if (t->other && weight)
			sum += (1 - (double)t->share[b]) * ((double)weight[t->other[b]] - first);
	}
	return sum;
}

static real class_weight(const struct saved *s, int c)
{
	return s->weight ? s->weight[c] : 1;
}

/* What of row b's target is class c. */
static real part(const struct saved *s, int b, int c)
{
	const struct targets *t = &s->target;
	real share = t->other ? t->share[b] : 1, x = 0;
	if (c == t->label[b])
		x += share;
	if (t->other && c == t->other[b])
		x += 1 - share;
	return x;
}

/* Target mass of class c in row b: ((1-e) part_c + e/classes) a_c; d logit_c = (p_c sum_j mass_j -
 * mass_c) / total */
static real mass(const struct saved *s, int classes, int b, int c)
{
	real m = s->smoothing / (real)classes * class_weight(s, c);
	return m + (1 - s->smoothing) * part(s, b, c) * class_weight(s, c);
}

static void backward(struct tape *t, struct node *y)
{
	const struct saved *s = y->saved;
	struct node *x = y->in[0];
	int n = x->cols;
	(void)t;
	for (int b = 0; b < x->rows; b++) {
		real sum = 0;
		for (int c = 0; c < n; c++)
			sum += mass(s, n, b, c);
		for (int c = 0; c < n; c++) {
			size_t at = (size_t)b * (size_t)n + (size_t)c;
			x->g[at] += y->g[0] * (s->p[at] * sum - mass(s, n, b, c)) / s->total;
		}
	}
}

struct node *op_cross_entropy(struct tape *t, struct node *logits, const struct targets *target,
	const real *weight, real smoothing, double total)
{
	struct node *y = tape_node(t, 1, 1, 1, &logits, backward);
	struct saved *s = tape_take(t, sizeof *s);
	int n = logits->cols;
	*s = (struct saved){
		*target, weight, smoothing, (real)total, tape_reals(t, (size_t)logits->rows * (size_t)n)};
	double loss = 0;
	for (int b = 0; b < logits->rows; b++) {
		const real *z = logits->x + (size_t)b * (size_t)n;
		double top = (double)z[0], sum = 0;
		for (int c = 1; c < n; c++)
			top = (double)z[c] > top ? (double)z[c] : top;
		for (int c = 0; c < n; c++)
			sum += exp((double)z[c] - top);
		double lse = top + log(sum);
		for (int c = 0; c < n; c++) {
			double log_p = (double)z[c] - lse;
			s->p[(size_t)b * (size_t)n + (size_t)c] = (real)exp(log_p);
			loss -= (double)mass(s, n, b, c) * log_p;
		}
	}
	y->x[0] = (real)(loss / total);
	y->saved = s;
	return y;
}
