/* A MoE layer of several classifiers' probabilities, in logarithms throughout. */
#include "tensor/softmax.h"
#include "tensor/ops.h"

#include <math.h>
#include <string.h>

enum {
	LARGEST_EXPONENT = 80
}; /* of a gradient where a weight is next to 0: what it is multiplied with later is smaller still */

/* With p_kc = softmax(z_k)_c and P_c = sum_k w_k p_kc:   dw_k = sum_c dy_c p_kc / P_c;
 *   dz_kj = r_kj - p_kj sum_c r_kc,   r_kc = dy_c w_k p_kc / P_c */
static void backward_row(struct node *y, int b, int k, const double *log_sum)
{
	struct node *w = y->in[0], *z = y->in[1 + k];
	int n = y->cols;
	size_t row = (size_t)b * (size_t)n, at = (size_t)b * (size_t)w->cols + (size_t)k;
	double weight = (double)w->x[at], sum = 0, dw = 0;
	if (!(weight > 0)) /* a region that does not count */
		return;
	for (int c = 0; c < n; c++) {
		double log_p = (double)z->x[row + (size_t)c] - log_sum[at];
		double g = (double)y->g[row + (size_t)c], ratio = log_p - (double)y->x[row + (size_t)c];
		double r = g * exp(log(weight) + ratio);
		dw += g * exp(fmin(ratio, LARGEST_EXPONENT));
		sum += r;
		z->g[row + (size_t)c] += (real)r;
	}
	for (int c = 0; c < n; c++)
		z->g[row + (size_t)c] -= (real)(sum * exp((double)z->x[row + (size_t)c] - log_sum[at]));
	if (w->g) /* of one region it is the constant 1 */
		w->g[at] += (real)dw;
}

static void backward(struct tape *t, struct node *y)
{
	(void)t;
	for (int b = 0; b < y->rows; b++)
		for (int k = 0; k < y->in[0]->cols; k++)
			backward_row(y, b, k, y->saved);
}

/* log sum_k w_k p_kc of one window and class */
static double log_moe_layer(const struct node *w, struct node *const *z, const double *log_sum, int b, int c)
{
	double top = -INFINITY, sum = 0;
	size_t at = (size_t)b * (size_t)w->cols;
	for (int pass = 0; pass < 2; pass++)
		for (int k = 0; k < w->cols; k++) {
			if (!(w->x[at + (size_t)k] > 0))
				continue;
			double v = log((double)w->x[at + (size_t)k]) +
				   (double)z[k]->x[(size_t)b * (size_t)z[k]->cols + (size_t)c] -
				   log_sum[at + (size_t)k];
			if (pass)
				sum += exp(v - top);
			else
				top = fmax(top, v);
		}
	return top + log(sum);
}

struct node *op_mix_answers(struct tape *t, struct node *w, struct node *const *z, int K)
{
	struct node **in = tape_take(t, (size_t)(K + 1) * sizeof *in);
	in[0] = w;
	memcpy(in + 1, z, (size_t)K * sizeof *in);
	struct node *y = tape_node(t, w->rows, z[0]->cols, K + 1, in, backward);
	size_t n = (size_t)y->cols;
	double *log_sum = y->saved = tape_take(t, (size_t)w->rows * (size_t)K * sizeof *log_sum);
	for (size_t b = 0; b < (size_t)y->rows; b++) {
		for (size_t k = 0; k < (size_t)K; k++)
			log_sum[b * (size_t)K + k] = log_sum_exp(z[k]->x + b * n, y->cols);
		for (size_t c = 0; c < n; c++)
			y->x[b * n + c] = (real)log_moe_layer(w, z, log_sum, (int)b, (int)c);
	}
	return y;
}
