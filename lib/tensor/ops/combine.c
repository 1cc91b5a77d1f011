/* Small operations on the few rows that leave the encoders: mean of nodes, relu, softmax,
 * MoE layer. */
#include "tensor/ops.h"
#include "tensor/softmax.h"

#include <math.h>
#include <string.h>

static size_t area(const struct node *x)
{
	return (size_t)x->rows * (size_t)x->cols;
}

static void mean_backward(struct tape *t, struct node *y)
{
	real share = 1 / (real)y->inputs;
	(void)t;
	for (int k = 0; k < y->inputs; k++)
		for (size_t i = 0; i < area(y); i++)
			y->in[k]->g[i] += share * y->g[i];
}

struct node *op_mean_of(struct tape *t, struct node *const *x, int n)
{
	struct node *y = tape_node(t, x[0]->rows, x[0]->cols, n, x, mean_backward);
	for (size_t i = 0; i < area(y); i++) {
		real sum = 0;
		for (int k = 0; k < n; k++)
			sum += x[k]->x[i];
		y->x[i] = sum / (real)n;
	}
	return y;
}

static void relu_backward(struct tape *t, struct node *y)
{
	(void)t;
	for (size_t i = 0; i < area(y); i++)
		if (y->x[i] > 0)
			y->in[0]->g[i] += y->g[i];
}

struct node *op_relu(struct tape *t, struct node *x)
{
	struct node *y = tape_node(t, x->rows, x->cols, 1, &x, relu_backward);
	for (size_t i = 0; i < area(y); i++)
		y->x[i] = x->x[i] > 0 ? x->x[i] : 0;
	return y;
}

/* dx = y (dy - sum(dy y)) / temperature */
static void softmax_backward(struct tape *t, struct node *y)
{
	real temperature = *(const real *)y->saved;
	size_t n = (size_t)y->cols;
	(void)t;
	for (size_t i = 0; i < area(y); i += n) {
		real dot = 0;
		for (size_t j = 0; j < n; j++)
			dot += y->g[i + j] * y->x[i + j];
		for (size_t j = 0; j < n; j++)
			y->in[0]->g[i + j] += y->x[i + j] * (y->g[i + j] - dot) / temperature;
	}
}

/* Whether fewer than k of x [n] come before x[j]: larger ones, and equal ones with a lower
 * index. */
static bool among_largest(const real *x, size_t n, size_t k, size_t j)
{
	size_t before = 0;
	for (size_t i = 0; i < n; i++)
		before += i < j ? x[i] >= x[j] : x[i] > x[j];
	return before < k;
}

struct node *op_softmax(struct tape *t, struct node *x, real temperature)
{
	return op_softmax_top(t, x, temperature, x->cols);
}

struct node *op_softmax_top(struct tape *t, struct node *x, real temperature, int k)
{
	struct node *y = tape_node(t, x->rows, x->cols, 1, &x, softmax_backward);
	size_t n = (size_t)x->cols;
	for (size_t i = 0; i < area(x); i += n) {
		real sum = row_exponentials(x->x + i, x->cols, temperature, y->x + i);
		if (k < x->cols) {
			sum = 0;
			for (size_t j = 0; j < n; j++)
				sum += y->x[i + j] =
					among_largest(x->x + i, n, (size_t)k, j) ? y->x[i + j] : 0;
		}
		for (size_t j = 0; j < n; j++)
			y->x[i + j] /= sum;
	}
	if (t->gradients)
		*(real *)(y->saved = tape_take(t, sizeof(real))) = temperature;
	return y;
}

static void scale_backward(struct tape *t, struct node *y)
{
	real factor = *(const real *)y->saved;
	(void)t;
	for (size_t i = 0; i < area(y); i++)
		y->in[0]->g[i] += factor * y->g[i];
}

struct node *op_scale(struct tape *t, struct node *x, real factor)
{
	struct node *y = tape_node(t, x->rows, x->cols, 1, &x, scale_backward);
	for (size_t i = 0; i < area(y); i++)
		y->x[i] = factor * x->x[i];
	if (t->gradients)
		*(real *)(y->saved = tape_take(t, sizeof(real))) = factor;
	return y;
}

/* dx = dy y (1 - y) */
static void sigmoid_backward(struct tape *t, struct node *y)
{
	(void)t;
	for (size_t i = 0; i < area(y); i++)
		y->in[0]->g[i] += y->g[i] * y->x[i] * (1 - y->x[i]);
}

struct node *op_sigmoid(struct tape *t, struct node *x)
{
	struct node *y = tape_node(t, x->rows, x->cols, 1, &x, sigmoid_backward);
	for (size_t i = 0; i < area(y); i++)
		y->x[i] = (real)(1 / (1 + exp(-(double)x->x[i])));
	return y;
}

static void times_backward(struct tape *t, struct node *y)
{
	const real *factor = *(const real **)y->saved;
	(void)t;
	for (size_t i = 0; i < area(y); i++)
		y->in[0]->g[i] += factor[i] * y->g[i];
}

struct node *op_times(struct tape *t, struct node *x, const real *factor)
{
	struct node *y = tape_node(t, x->rows, x->cols, 1, &x, times_backward);
	for (size_t i = 0; i < area(y); i++)
		y->x[i] = factor[i] * x->x[i];
	if (t->gradients)
		*(const real **)(y->saved = tape_take(t, sizeof(real *))) = factor;
	return y;
}

/* softplus(s) = ln(1 + e^s), its derivative the logistic function */
static void noise_backward(struct tape *t, struct node *y)
{
	const real *noise = *(const real **)y->saved;
	const struct node *s = y->in[1];
	(void)t;
	for (size_t i = 0; i < area(y); i++) {
		y->in[0]->g[i] += y->g[i];
		s->g[i] += y->g[i] * noise[i] / (1 + (real)exp((double)-s->x[i]));
	}
}

struct node *op_add_noise(struct tape *t, struct node *x, struct node *scale, const real *noise)
{
	struct node *y = tape_node(t, x->rows, x->cols, 2, (struct node *[]){x, scale}, noise_backward);
	for (size_t i = 0; i < area(y); i++) {
		double s = (double)scale->x[i];
		y->x[i] = x->x[i] + noise[i] * (real)(s > 30 ? s : log1p(exp(s)));
	}
	if (t->gradients)
		*(const real **)(y->saved = tape_take(t, sizeof(real *))) = noise;
	return y;
}

struct node *op_constant(struct tape *t, int rows, int cols, real value)
{
	struct node *y = tape_node(t, rows, cols, 0, NULL, NULL);
	for (size_t i = 0; i < area(y); i++)
		y->x[i] = value;
	return y;
}

static void add_backward(struct tape *t, struct node *y)
{
	(void)t;
	for (int k = 0; k < y->inputs; k++)
		for (size_t i = 0; i < area(y); i++)
			y->in[k]->g[i] += y->g[i];
}

struct node *op_add(struct tape *t, struct node *x, struct node *z)
{
	struct node *y = tape_node(t, x->rows, x->cols, 2, (struct node *[]){x, z}, add_backward);
	for (size_t i = 0; i < area(y); i++)
		y->x[i] = x->x[i] + z->x[i];
	return y;
}

static void mix_backward(struct tape *t, struct node *y)
{
	struct node *w = y->in[0];
	int K = w->cols;
	size_t H = (size_t)y->cols;
	(void)t;
	for (size_t b = 0; b < (size_t)y->rows; b++)
		for (int k = 0; k < K; k++) {
			struct node *s = y->in[1 + k];
			size_t at = b * (size_t)K + (size_t)k;
			real dot = 0;
			for (size_t h = 0; h < H; h++) {
				dot += y->g[b * H + h] * s->x[b * H + h];
				s->g[b * H + h] += w->x[at] * y->g[b * H + h];
			}
			if (w->g)
				w->g[at] += dot;
		}
}

struct node *op_mix(struct tape *t, struct node *w, struct node *const *s, int K)
{
	struct node **in = tape_take(t, (size_t)(K + 1) * sizeof *in);
	in[0] = w;
	memcpy(in + 1, s, (size_t)K * sizeof *in);
	struct node *y = tape_node(t, w->rows, s[0]->cols, K + 1, in, mix_backward);
	size_t H = (size_t)y->cols;
	memset(y->x, 0, area(y) * sizeof(real));
	for (size_t b = 0; b < (size_t)y->rows; b++)
		for (int k = 0; k < K; k++)
			for (size_t h = 0; h < H; h++)
				y->x[b * H + h] += w->x[b * (size_t)K + (size_t)k] * s[k]->x[b * H + h];
	return y;
}
