#include "tensor/ops.h"

#include <math.h>

struct saved {
	const int *label;
	const real *weight;
	real smoothing, total;
	real *p; /* [B][classes] softmax of the logits */
};

static real class_weight(const struct saved *s, int c)
{
	return s->weight ? s->weight[c] : 1;
}

/* Target mass of class c in a row with label y: (1-e) a_y [c=y] + e/classes a_c; d logit_c = (p_c sum_j mass_j - mass_c) / total */
static real mass(const struct saved *s, int classes, int label, int c)
{
	real m = s->smoothing / (real)classes * class_weight(s, c);
	return c == label ? m + (1 - s->smoothing) * class_weight(s, c) : m;
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
			sum += mass(s, n, s->label[b], c);
		for (int c = 0; c < n; c++) {
			size_t at = (size_t)b * (size_t)n + (size_t)c;
			x->g[at] += y->g[0] * (s->p[at] * sum - mass(s, n, s->label[b], c)) / s->total;
		}
	}
}

struct node *op_cross_entropy(struct tape *t, struct node *logits, const int *label, const real *weight,
	real smoothing, double total)
{
	struct node *y = tape_node(t, 1, 1, 1, &logits, backward);
	struct saved *s = tape_take(t, sizeof *s);
	int n = logits->cols;
	*s = (struct saved){
		label, weight, smoothing, (real)total, tape_reals(t, (size_t)logits->rows * (size_t)n)};
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
			loss -= (double)mass(s, n, label[b], c) * log_p;
		}
	}
	y->x[0] = (real)(loss / total);
	y->saved = s;
	return y;
}
