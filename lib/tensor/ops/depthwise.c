#include "base/profile.h"
#include "tensor/ops.h"
#include "tensor/vector.h"

struct saved {
	struct weight W, b;
	int K;
	int *row; /* [rows][K] which row each tap reads, -1 = none */
};

/* For each row of one window the rows its taps read. Places rise: row i's tap j is found by going
 * on from tap j - 1's. */
static void find_taps(int *row, const int *place, int from, int to, int K)
{
	for (int i = from; i < to; i++) {
		int at = i;
		while (at > from && place[at - 1] >= place[i] - (K - 1) / 2)
			at--;
		for (int j = 0; j < K; j++) {
			int wanted = place[i] + j - (K - 1) / 2;
			while (at < to && place[at] < wanted)
				at++;
			row[(size_t)i * (size_t)K + (size_t)j] = at < to && place[at] == wanted ? at : -1;
		}
	}
}

VECTOR_CLONES
static void add_scaled(real *restrict y, const real *restrict w, const real *restrict x, size_t n)
{
	for (size_t i = 0; i < n; i++)
		y[i] += w[i] * x[i];
}

/* The weights tap by tap: [K][H] of [H][K]. */
static real *by_tap(struct tape *t, const real *W, size_t H, size_t K)
{
	real *to = scratch_reals(t, H * K);
	for (size_t h = 0; h < H; h++)
		for (size_t j = 0; j < K; j++)
			to[j * H + h] = W[h * K + j];
	return to;
}

/* dx(row of tap j) += W_j dy;  dW_j += dy x(row of tap j);  db += dy */
static void backward(struct tape *t, struct node *y)
{
	PROFILE_OPERATION("convolution backward");
	const struct saved *s = y->saved;
	struct node *x = y->in[0];
	size_t H = (size_t)y->cols, K = (size_t)s->K;
	real *W = by_tap(t, s->W.x, H, K), *dW = scratch_reals(t, H * K);
	memset(dW, 0, H * K * sizeof *dW);
	for (size_t i = 0; i < (size_t)y->rows; i++) {
		const real *dy = y->g + i * H;
		for (size_t j = 0; j < K; j++) {
			int from = s->row[i * K + j];
			if (from < 0)
				continue;
			add_scaled(x->g + (size_t)from * H, W + j * H, dy, H);
			add_scaled(dW + j * H, dy, x->x + (size_t)from * H, H);
		}
		for (size_t h = 0; h < H; h++)
			s->b.g[h] += dy[h];
	}
	for (size_t h = 0; h < H; h++)
		for (size_t j = 0; j < K; j++)
			s->W.g[h * K + j] += dW[j * H + h];
	scratch_done(t);
}

struct node *op_depthwise(struct tape *t, struct node *x, struct weight W, struct weight b, int K, int B,
	const int *first, const int *place)
{
	PROFILE_OPERATION("convolution");
	struct node *y = tape_node(t, x->rows, x->cols, 1, &x, backward);
	size_t H = (size_t)x->cols, taps = (size_t)K;
	int *row = tape_take(t, (size_t)x->rows * taps * sizeof *row);
	real *w = by_tap(t, W.x, H, taps);
	for (int window = 0; window < B; window++)
		find_taps(row, place, first[window], first[window + 1], K);
	for (size_t i = 0; i < (size_t)x->rows; i++) {
		memcpy(y->x + i * H, b.x, H * sizeof(real));
		for (size_t j = 0; j < taps; j++)
			if (row[i * taps + j] >= 0)
				add_scaled(y->x + i * H, w + j * H, x->x + (size_t)row[i * taps + j] * H, H);
	}
	scratch_done(t);
	if (t->gradients) {
		struct saved *s = y->saved = tape_take(t, sizeof *s);
		*s = (struct saved){W, b, K, row};
	}
	return y;
}
