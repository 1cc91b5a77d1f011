#include "base/profile.h"
#include "tensor/ops.h"
#include "tensor/ops/tiles.h"

#include <string.h>

struct saved {
	struct weight W1, b1, W2, b2;
	int F;
	enum activation act;
	uint32_t key;
	real p;
};

struct work {
	int rows, P, H; /* P = rows rounded up to whole vectors */
	real *xt, *dyt; /* [H][P] */
	real *h, *dh;   /* [TILE][GROUP] */
};

/* A tile of relu, `units` rows of n, with dropout. */
VECTOR_CLONES
static void relu_dropout(real *h, int units, int n, struct mask m)
{
	PROFILE_PART("generator");
	uint32_t limit = dropout_limit(m.p);
	real keep = 1 / (1 - m.p);
	n = n / LANES * LANES;
	for (int f = 0; f < units; f++, h += GROUP)
		for (int j = 0; j < n; j++) {
			real x = h[j] > 0 ? h[j] * keep : 0;
			h[j] = dropped(mask_element(&m, f, j), m.key, limit) ? 0 : x;
		}
}

VECTOR_CLONES
static void relu(real *restrict h, int units, int n)
{
	PROFILE_PART("activation");
	n = n / LANES * LANES;
	for (int f = 0; f < units; f++, h += GROUP)
		for (int j = 0; j < n; j++)
			h[j] = h[j] > 0 ? h[j] : 0;
}

/* h = gelu(h) for a tile; slope (not NULL) = its derivative. */
VECTOR_CLONES
static void gelu_tile(real *h, real *slope, int units, int n)
{
	PROFILE_PART("activation");
	for (int f = 0; f < units; f++)
		for (int j = 0; j < n; j += LANES) {
			int at = f * GROUP + j;
			vec s, y = gelu(V_LOAD(h + at), &s);
			V_STORE(h + at, y);
			if (slope)
				V_STORE(slope + at, s);
		}
}

VECTOR_CLONES
static void dropout(real *restrict h, real *restrict slope, int units, int n, struct mask m)
{
	PROFILE_PART("generator");
	real mask[GROUP];
	n = n / LANES * LANES;
	for (int f = 0; f < units; f++) {
		draw(mask, n, f, &m);
		for (int j = 0; j < n; j++)
			h[f * GROUP + j] *= mask[j];
		for (int j = 0; slope && j < n; j++)
			slope[f * GROUP + j] *= mask[j];
	}
}

/* dh *= slope, or for relu, where slope is NULL: keep where h is not 0. What was cut off or dropped
 * hands nothing back. Adds the tile's row sums, in parts, to sum [units][LANES]. */
VECTOR_CLONES
static void through_activation(real *restrict dh, const real *restrict h, const real *restrict slope,
	int units, int n, real keep, real *restrict sum)
{
	PROFILE_PART("activation");
	n = n / LANES * LANES;
	for (int f = 0; f < units; f++, dh += GROUP, h += GROUP) {
		if (slope)
			for (int j = 0; j < n; j++)
				dh[j] *= slope[f * GROUP + j];
		else
			for (int j = 0; j < n; j++)
				dh[j] = h[j] > 0 ? dh[j] * keep : 0;
		vec s = V_LOAD(sum + f * LANES);
		for (int j = 0; j < n; j += LANES)
			s += V_LOAD(dh + j);
		V_STORE(sum + f * LANES, s);
	}
}

/* h [units][GROUP] = dropout(act(W1 x + b1)) of rows g .. g+n-1; slope = its derivative where
 * backward asks for it */
static void hidden(
	const struct saved *s, const struct work *w, int from, int units, int g, int n, real *slope)
{
	struct mask m = {s->p, s->key, (uint32_t)g * (uint32_t)s->F + (uint32_t)from, (uint32_t)s->F};
	product(units, n, w->H, (struct product_left){s->W1.x + (size_t)from * (size_t)w->H, (size_t)w->H, 1},
		w->xt + g, (size_t)w->P, w->h, GROUP, FROM_ROWS, s->b1.x + from);
	if (s->act == ACT_RELU && s->p > 0) {
		relu_dropout(w->h, units, n, m);
		return;
	}
	if (s->act == ACT_RELU)
		relu(w->h, units, n);
	else
		gelu_tile(w->h, slope, units, n);
	if (s->p > 0)
		dropout(w->h, slope, units, n, m);
}

/* Per tile, with h computed again:
 *   dh = W2^T dy * slope;  dW1 += dh x;  dW2 += dy h;  db1 += sum dh;  dx += W1^T dh */
static void backward(struct tape *t, struct node *y)
{
	PROFILE_OPERATION("feed-forward backward");
	const struct saved *s = y->saved;
	struct node *x = y->in[0];
	int H = x->cols, F = s->F;
	struct work w = {.rows = x->rows, .P = whole_vectors(x->rows), .H = H};
	int group = group_rows(w.P);
	size_t P = (size_t)w.P, cols = (size_t)H, area = (size_t)H * P;
	w.xt = transposed(t, x->x, x->rows, w.P, H);
	w.dyt = transposed(t, y->g, x->rows, w.P, H);
	w.h = scratch_reals(t, TILE * GROUP);
	real *slope = s->act == ACT_RELU ? NULL : scratch_reals(t, TILE * GROUP);
	w.dh = scratch_reals(t, TILE * GROUP);
	real *w2t = scratch_reals(t, TILE * cols), *dw2 = scratch_reals(t, TILE * cols),
	     *db = scratch_reals(t, TILE * LANES), *dxt = scratch_reals(t, area);
	memset(dxt, 0, area * sizeof(real));
	for (int from = 0; from < F; from += TILE) {
		int units = F - from < TILE ? F - from : TILE;
		transpose(H, units, s->W2.x + from, (size_t)F, w2t, cols);
		memset(dw2, 0, (size_t)units * cols * sizeof(real));
		memset(db, 0, (size_t)units * LANES * sizeof(real));
		for (int g = 0; g < w.P; g += group) {
			int n = w.P - g < group ? w.P - g : group,
			    real_rows = w.rows - g < n ? w.rows - g : n;
			hidden(s, &w, from, units, g, n, slope);
			product(units, n, H, (struct product_left){w2t, cols, 1}, w.dyt + g, P, w.dh, GROUP,
				FROM_ZERO, NULL);
			through_activation(w.dh, w.h, slope, units, n, 1 / (1 - s->p), db);
			product(units, H, real_rows, (struct product_left){w.dh, GROUP, 1},
				x->x + (size_t)g * cols, cols, s->W1.g + (size_t)from * cols, cols, FROM_C,
				NULL);
			product(units, H, real_rows, (struct product_left){w.h, GROUP, 1},
				y->g + (size_t)g * cols, cols, dw2, cols, FROM_C, NULL);
			product(H, n, units, (struct product_left){s->W1.x + (size_t)from * cols, 1, cols},
				w.dh, GROUP, dxt + g, P, FROM_C, NULL);
		}
		for (int f = 0; f < units; f++)
			s->b1.g[from + f] += v_sum(V_LOAD(db + f * LANES));
		add_transposed(units, H, dw2, cols, s->W2.g + from, (size_t)F);
	}
	add_transposed(H, w.rows, dxt, P, x->g, cols);
	add_rows(w.rows, H, y->g, s->b2.g);
	scratch_done(t);
}

struct node *op_feedforward(struct tape *t, struct node *x, struct weight W1, struct weight b1,
	struct weight W2, struct weight b2, int F, enum activation act)
{
	PROFILE_OPERATION("feed-forward");
	struct node *y = tape_passing_node(t, x->rows, x->cols, 1, &x, backward);
	int H = x->cols;
	real p = t->gradients ? t->dropout.p : 0;
	struct saved here = {W1, b1, W2, b2, F, act, p > 0 ? tape_mask_key(t) : 0, p};
	struct work w = {.rows = x->rows, .P = whole_vectors(x->rows), .H = H};
	int group = group_rows(w.P);
	size_t P = (size_t)w.P;
	w.xt = transposed(t, x->x, x->rows, w.P, H);
	w.h = scratch_reals(t, TILE * GROUP);
	real *part = scratch_reals(t, (size_t)H * GROUP);
	double *sum = sums_new(t, b2.x, H, w.P);
	for (int from = 0; from < F; from += TILE) {
		int units = F - from < TILE ? F - from : TILE;
		for (int g = 0; g < w.P; g += group) {
			int n = w.P - g < group ? w.P - g : group;
			hidden(&here, &w, from, units, g, n, NULL);
			product(H, n, units, (struct product_left){W2.x + from, (size_t)F, 1}, w.h, GROUP,
				part, GROUP, FROM_ZERO, NULL);
			add_doubles(sum + g, P, part, H, n);
		}
	}
	sums_out(sum, H, w.P, y->x, w.rows);
	scratch_done(t);
	if (t->gradients) {
		struct saved *s = y->saved = tape_take(t, sizeof *s);
		*s = here;
	}
	return y;
}
