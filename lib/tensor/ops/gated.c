#include "base/profile.h"
#include "tensor/ops.h"
#include "tensor/ops/tiles.h"

struct saved {
	struct gated_weights w;
	int F;
	enum gating gating;
	uint32_t key;
	real p;
};

struct work {
	int rows, P, H; /* P = rows rounded up to whole vectors */
	int group;      /* rows worked on together */
	real *xt;       /* [H][P] */
	real *u, *a;    /* [TILE][GROUP]: x W1^T + b1, x V^T + c, and what becomes of them */
	real *db, *dc;  /* [TILE][LANES] */
};

INLINE vec gate_of(vec a, vec *slope, const enum gating gating)
{
	if (gating == GATING_GELU)
		return gelu(a, slope);
	vec s = logistic(a), sliding = s * (V_SPLAT(REAL(1.0)) - s);
	if (gating == GATING_SIGMOID) {
		*slope = sliding;
		return s;
	}
	*slope = s + a * sliding;
	return a * s;
}

/* A tile forward: u = gate(a) u mask. */
VECTOR_CLONES
static void gate(
	real *restrict u, const real *restrict a, int units, int n, enum gating gating, struct mask m)
{
	PROFILE_PART("activation");
	real mask[GROUP];
	n = n / LANES * LANES;
	for (int f = 0; f < units; f++, u += GROUP, a += GROUP) {
		vec slope;
		for (int j = 0; j < n; j += LANES)
			V_STORE(u + j, V_LOAD(u + j) * gate_of(V_LOAD(a + j), &slope, gating));
		if (m.p > 0) {
			draw(mask, n, f, &m);
			for (int j = 0; j < n; j++)
				u[j] *= mask[j];
		}
	}
}

/* A tile backward, with dh the gradient of h = gate(a) u mask: u becomes h, dh becomes du, a
 * becomes da; their row sums, in parts, are added to db and dc [units][LANES]. */
VECTOR_CLONES
static void gate_backward(
	const struct work *w, real *restrict dh, int units, int n, enum gating gating, struct mask m)
{
	PROFILE_PART("activation");
	real mask[GROUP], *restrict u = w->u, *restrict a = w->a;
	n = n / LANES * LANES;
	for (int j = 0; j < n; j++)
		mask[j] = 1;
	for (int f = 0; f < units; f++, u += GROUP, a += GROUP, dh += GROUP) {
		vec db = V_LOAD(w->db + f * LANES), dc = V_LOAD(w->dc + f * LANES), slope;
		if (m.p > 0)
			draw(mask, n, f, &m);
		for (int j = 0; j < n; j += LANES) {
			vec linear = V_LOAD(u + j), keep = V_LOAD(mask + j), g = V_LOAD(dh + j) * keep;
			vec open = gate_of(V_LOAD(a + j), &slope, gating);
			vec du = g * open, da = g * linear * slope;
			V_STORE(u + j, open * linear * keep);
			V_STORE(dh + j, du);
			V_STORE(a + j, da);
			db += du;
			dc += da;
		}
		V_STORE(w->db + f * LANES, db);
		V_STORE(w->dc + f * LANES, dc);
	}
}

/* u and a of units from .. from+units-1 for rows g .. g+n-1 */
static void both_maps(const struct saved *s, const struct work *w, int from, int units, int g, int n)
{
	size_t H = (size_t)w->H, at = (size_t)from * H;
	product(units, n, w->H, (struct product_left){s->w.W1.x + at, H, 1}, w->xt + g, (size_t)w->P, w->u,
		GROUP, FROM_ROWS, s->w.b1.x + from);
	product(units, n, w->H, (struct product_left){s->w.V.x + at, H, 1}, w->xt + g, (size_t)w->P, w->a,
		GROUP, FROM_ROWS, s->w.c.x + from);
}

static struct mask mask_of(const struct saved *s, int from, int g)
{
	return (struct mask){s->p, s->key, (uint32_t)g * (uint32_t)s->F + (uint32_t)from, (uint32_t)s->F};
}

static struct work work_new(struct tape *t, const struct node *x)
{
	struct work w = {.rows = x->rows, .P = whole_vectors(x->rows), .H = x->cols};
	w.group = group_rows(w.P);
	w.xt = transposed(t, x->x, x->rows, w.P, w.H);
	w.u = scratch_reals(t, TILE * GROUP);
	w.a = scratch_reals(t, TILE * GROUP);
	return w;
}

/* What backward adds up for one tile of units, over all rows. */
struct tile_backward {
	real *dyt, *dh, *w2t, *dw2, *dxt; /* [H][P], [TILE][GROUP], [TILE][H] twice, [H][P] */
};

/* dh = W2^T dy;  through the gate;  dW1 += du x;  dV += da x;  dW2 += dy h;  dx += W1^T du + V^T
 * da */
static void rows_backward(const struct saved *s, const struct work *w, const struct tile_backward *b,
	const struct node *y, int from, int units, int g)
{
	size_t P = (size_t)w->P, cols = (size_t)w->H, at = (size_t)from * cols;
	int n = w->P - g < w->group ? w->P - g : w->group, rows = w->rows - g < n ? w->rows - g : n;
	const real *x = y->in[0]->x + (size_t)g * cols, *dy = y->g + (size_t)g * cols;
	both_maps(s, w, from, units, g, n);
	product(units, n, w->H, (struct product_left){b->w2t, cols, 1}, b->dyt + g, P, b->dh, GROUP,
		FROM_ZERO, NULL);
	gate_backward(w, b->dh, units, n, s->gating, mask_of(s, from, g));
	product(units, w->H, rows, (struct product_left){b->dh, GROUP, 1}, x, cols, s->w.W1.g + at, cols,
		FROM_C, NULL);
	product(units, w->H, rows, (struct product_left){w->a, GROUP, 1}, x, cols, s->w.V.g + at, cols,
		FROM_C, NULL);
	product(units, w->H, rows, (struct product_left){w->u, GROUP, 1}, dy, cols, b->dw2, cols, FROM_C,
		NULL);
	product(w->H, n, units, (struct product_left){s->w.W1.x + at, 1, cols}, b->dh, GROUP, b->dxt + g, P,
		FROM_C, NULL);
	product(w->H, n, units, (struct product_left){s->w.V.x + at, 1, cols}, w->a, GROUP, b->dxt + g, P,
		FROM_C, NULL);
}

/* Per tile, with u and a computed again. */
static void backward(struct tape *t, struct node *y)
{
	PROFILE_OPERATION("feed-forward backward");
	const struct saved *s = y->saved;
	struct node *x = y->in[0];
	int H = x->cols, F = s->F;
	struct work w = work_new(t, x);
	size_t P = (size_t)w.P, cols = (size_t)H;
	struct tile_backward b = {transposed(t, y->g, x->rows, w.P, H), scratch_reals(t, TILE * GROUP),
		scratch_reals(t, TILE * cols), scratch_reals(t, TILE * cols), scratch_reals(t, cols * P)};
	w.db = scratch_reals(t, TILE * LANES);
	w.dc = scratch_reals(t, TILE * LANES);
	memset(b.dxt, 0, cols * P * sizeof(real));
	for (int from = 0; from < F; from += TILE) {
		int units = F - from < TILE ? F - from : TILE;
		transpose(H, units, s->w.W2.x + from, (size_t)F, b.w2t, cols);
		memset(b.dw2, 0, (size_t)units * cols * sizeof(real));
		memset(w.db, 0, (size_t)units * LANES * sizeof(real));
		memset(w.dc, 0, (size_t)units * LANES * sizeof(real));
		for (int g = 0; g < w.P; g += w.group)
			rows_backward(s, &w, &b, y, from, units, g);
		for (int f = 0; f < units; f++) {
			s->w.b1.g[from + f] += v_sum(V_LOAD(w.db + f * LANES));
			s->w.c.g[from + f] += v_sum(V_LOAD(w.dc + f * LANES));
		}
		add_transposed(units, H, b.dw2, cols, s->w.W2.g + from, (size_t)F);
	}
	add_transposed(H, w.rows, b.dxt, P, x->g, cols);
	add_rows(w.rows, H, y->g, s->w.b2.g);
	scratch_done(t);
}

struct node *op_gated_feedforward(
	struct tape *t, struct node *x, const struct gated_weights *weights, int F, enum gating gating)
{
	PROFILE_OPERATION("feed-forward");
	struct node *y = tape_passing_node(t, x->rows, x->cols, 1, &x, backward);
	real p = t->gradients ? t->dropout.p : 0;
	struct saved here = {*weights, F, gating, p > 0 ? tape_mask_key(t) : 0, p};
	struct work w = work_new(t, x);
	int H = x->cols;
	size_t P = (size_t)w.P;
	real *part = scratch_reals(t, (size_t)H * GROUP);
	double *sum = sums_new(t, weights->b2.x, H, w.P);
	for (int from = 0; from < F; from += TILE) {
		int units = F - from < TILE ? F - from : TILE;
		for (int g = 0; g < w.P; g += w.group) {
			int n = w.P - g < w.group ? w.P - g : w.group;
			both_maps(&here, &w, from, units, g, n);
			gate(w.u, w.a, units, n, gating, mask_of(&here, from, g));
			product(H, n, units, (struct product_left){weights->W2.x + from, (size_t)F, 1}, w.u,
				GROUP, part, GROUP, FROM_ZERO, NULL);
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
