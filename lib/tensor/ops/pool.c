/* Attention pooling: one learned query asks the rows of each window. */
#include "base/profile.h"
#include "tensor/ops.h"

#include <math.h>
#include <string.h>

struct saved {
	struct weight query;
	int B, from;
	real *share; /* [B][n] weights of the rows */
};

static real dot(const real *a, const real *b, int n)
{
	real sum = 0;
	for (int i = 0; i < n; i++)
		sum += a[i] * b[i];
	return sum;
}

/* Row i of window b, counted from the first that is pooled. */
static size_t row_at(const struct saved *s, const struct node *x, int b, int i)
{
	return (size_t)(b * (x->rows / s->B) + s->from + i) * (size_t)x->cols;
}

/* With z_i = q . x_i / sqrt(H), a = softmax(z), y = sum a_i x_i:
 *   dz_i = a_i (dy . x_i - dy . y);  dx_i = a_i dy + dz_i q / sqrt(H);  dq = sum dz_i x_i / sqrt(H) */
static void backward(struct tape *t, struct node *y)
{
	PROFILE_OPERATION("pooling backward");
	const struct saved *s = y->saved;
	struct node *x = y->in[0];
	int H = y->cols, n = x->rows / s->B - s->from;
	real scale = 1 / (real)sqrt((double)H);
	(void)t;
	for (int b = 0; b < s->B; b++) {
		const real *dy = y->g + (size_t)b * (size_t)H, *a = s->share + (size_t)b * (size_t)n;
		real mean = dot(dy, y->x + (size_t)b * (size_t)H, H);
		for (int i = 0; i < n; i++) {
			size_t row = row_at(s, x, b, i);
			real dz = a[i] * (dot(dy, x->x + row, H) - mean) * scale;
			for (int h = 0; h < H; h++) {
				x->g[row + (size_t)h] += a[i] * dy[h] + dz * s->query.x[h];
				s->query.g[h] += dz * x->x[row + (size_t)h];
			}
		}
	}
}

static void softmax(real *z, int n)
{
	real top = z[0], sum = 0;
	for (int i = 1; i < n; i++)
		top = z[i] > top ? z[i] : top;
	for (int i = 0; i < n; i++)
		sum += z[i] = (real)exp((double)(z[i] - top));
	for (int i = 0; i < n; i++)
		z[i] /= sum;
}

struct node *op_attention_pool(struct tape *t, struct node *x, struct weight query, int B, int from)
{
	PROFILE_OPERATION("pooling");
	int H = x->cols, n = x->rows / B - from;
	struct node *y = tape_node(t, B, H, 1, &x, backward);
	struct saved *s = y->saved = tape_take(t, sizeof *s);
	*s = (struct saved){query, B, from, tape_reals(t, (size_t)B * (size_t)n)};
	real scale = 1 / (real)sqrt((double)H);
	memset(y->x, 0, (size_t)B * (size_t)H * sizeof(real));
	for (int b = 0; b < B; b++) {
		real *to = y->x + (size_t)b * (size_t)H, *a = s->share + (size_t)b * (size_t)n;
		for (int i = 0; i < n; i++)
			a[i] = dot(query.x, x->x + row_at(s, x, b, i), H) * scale;
		softmax(a, n);
		for (int i = 0; i < n; i++)
			for (int h = 0; h < H; h++)
				to[h] += a[i] * x->x[row_at(s, x, b, i) + (size_t)h];
	}
	return y;
}
