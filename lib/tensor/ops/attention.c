#include "tensor/ops.h"
#include "tensor/vector.h"

#include <string.h>

/* Keys and values of a head are kept transposed and padded, kt [D][P] and vt [D][P] with P = N rounded up to whole vectors, so
 * that every inner loop runs along the keys. Padded keys get the score -inf by a limit on j. */

enum { ROWS = 4 }; /* query rows whose sums over the keys share one pass of backward */

struct saved {
	int B, heads;
	uint32_t key;
	real p;
	real *row; /* [B][heads][N][2]: each row's largest score, and 1 / the sum of exp(score - largest). From these backward
	              draws the very same weights again; the log of the sum alone would be rounded. */
};

struct head {
	int N, P, D, step; /* step = 3H: distance of rows in qkv */
	real scale;        /* 1 / sqrt(D) */
	real *kt, *vt;     /* [D][P] */
	real *row, *mask;  /* [P] each */
};

static void head_begin(struct head *h, struct tape *t, int N, int D, int H)
{
	int P = whole_vectors(N);
	size_t area = (size_t)D * (size_t)P;
	*h = (struct head){N, P, D, 3 * H, 1 / (real)sqrt((double)D), scratch_reals(t, area),
		scratch_reals(t, area), scratch_reals(t, (size_t)P), scratch_reals(t, (size_t)P)};
	memset(h->row, 0, (size_t)P * sizeof(real));
	memset(h->mask, 0, (size_t)P * sizeof(real));
}

/* out [D][P] = the D columns at x of N rows, transposed, zero beyond N */
static void transpose(real *out, const real *x, int N, int P, int D, int step)
{
	for (int d = 0; d < D; d++) {
		real *to = out + (size_t)d * (size_t)P;
		for (int j = 0; j < N; j++)
			to[j] = x[(size_t)j * (size_t)step + (size_t)d];
		memset(to + N, 0, (size_t)(P - N) * sizeof(real));
	}
}

/* s[j] = factor * sum_d q[d] kt[d][j], j = 0 .. P-1 */
INLINE void products(real *s, const real *q, const real *kt, int P, int D, real factor)
{
	for (int j = 0; j < P; j += LANES) {
		vec sum = V_SPLAT(q[0] * factor) * V_LOAD(kt + j);
		for (int d = 1; d < D; d++)
			sum += V_SPLAT(q[d] * factor) * V_LOAD(kt + (size_t)d * (size_t)P + (size_t)j);
		V_STORE(s + j, sum);
	}
}

/* out[d] = sum_j p[j] vt[d][j] */
INLINE void weighted(real *out, const real *p, const real *vt, int P, int D)
{
	for (int d = 0; d < D; d += 4) { /* four sums at a time hide the latency of the additions */
		int last = D - d < 4 ? D - d : 4;
		vec sum[4] = {{0}};
		const real *v = vt + (size_t)d * (size_t)P;
		if (last == 4)
			for (int j = 0; j < P; j += LANES) {
				vec w = V_LOAD(p + j);
				sum[0] += w * V_LOAD(v + j);
				sum[1] += w * V_LOAD(v + P + j);
				sum[2] += w * V_LOAD(v + 2 * P + j);
				sum[3] += w * V_LOAD(v + 3 * P + j);
			}
		else
			for (int e = 0; e < last; e++)
				for (int j = 0; j < P; j += LANES)
					sum[e] +=
						V_LOAD(p + j) * V_LOAD(v + (size_t)e * (size_t)P + (size_t)j);
		for (int e = 0; e < last; e++)
			out[d + e] = v_sum(&sum[e]);
	}
}

/* The scores in s become exp(s - m), 0 beyond N; returns their sum. */
INLINE real exponentials(real *s, int N, int P, real m)
{
	vec sum = {0};
	for (int j = N; j < P; j++)
		s[j] = -INFINITY;
	for (int j = 0; j < P; j += LANES) {
		vec e = V_LOAD(s + j) - V_SPLAT(m);
		v_exp(&e);
		V_STORE(s + j, e);
	}
	for (int j = N; j < P; j++)
		s[j] = 0;
	for (int j = 0; j < P; j += LANES)
		sum += V_LOAD(s + j);
	return v_sum(&sum);
}

INLINE real largest(const real *s, int N)
{
	real m = s[0];
	int whole = N / LANES * LANES;
	if (whole) {
		vec top = V_LOAD(s);
		for (int j = LANES; j < whole; j += LANES) {
			vec x = V_LOAD(s + j);
			v_max(&top, &x);
		}
		m = v_largest(&top);
	}
	for (int j = whole; j < N; j++)
		m = s[j] > m ? s[j] : m;
	return m;
}

/* All rows of one head: y (step H) and what is saved of each row, [N][2]. D is a constant in each use below, which unrolls the loops over it. */
INLINE void forward_head(const struct head *h, const int D, const real *q, real *y, int H, real *saved,
	uint32_t key, real p, uint32_t first)
{
	for (int i = 0; i < h->N; i++) {
		real *s = h->row;
		products(s, q + (size_t)i * (size_t)h->step, h->kt, h->P, D, h->scale);
		real m = largest(s, h->N), sum = exponentials(s, h->N, h->P, m), share = 1 / sum;
		if (saved) {
			saved[2 * i] = m;
			saved[2 * i + 1] = share;
		}
		if (p > 0) {
			dropout_mask(h->mask, h->N, key, first + (uint32_t)i * (uint32_t)h->N, p);
			for (int j = 0; j < h->P; j += LANES)
				V_STORE(s + j, V_LOAD(s + j) * V_LOAD(h->mask + j));
		}
		real *out = y + (size_t)i * (size_t)H;
		weighted(out, s, h->vt, h->P, D);
		for (int d = 0; d < D; d++)
			out[d] *= share;
	}
}

/* The usual head sizes are compiled with their size known. */
#define FOR_SIZE(D, call) \
	switch (D) {      \
	case 4:           \
		call(4);  \
		break;    \
	case 8:           \
		call(8);  \
		break;    \
	case 16:          \
		call(16); \
		break;    \
	default:          \
		call(D);  \
	}

VECTOR_CLONES
static void forward_any(const struct head *h, const real *q, real *y, int H, real *saved, uint32_t key,
	real p, uint32_t first)
{
#define CALL(D) forward_head(h, D, q, y, H, saved, key, p, first)
	FOR_SIZE(h->D, CALL)
#undef CALL
}

struct gradients {
	const real *dy, *y; /* of this head, step H */
	real *dq, *dk, *dv; /* of this head in dqkv, step 3H */
	real *dkt, *dvt;    /* [D][P] sums over the rows */
	real *ds, *pd;      /* [ROWS][P] */
	real *sum;          /* [D] */
};

/* One row: ds = p (dp mask - delta) scale, pd = p mask, with p = exp(s - largest) share, dp_j = dy . v_j, delta = dy . y */
INLINE void backward_row(const struct head *h, const int D, const real *q, const real *dy, const real *y,
	const real *saved, real *ds, real *pd)
{
	real delta = 0;
	for (int d = 0; d < D; d++)
		delta += dy[d] * y[d];
	products(pd, q, h->kt, h->P, D, h->scale);
	products(ds, dy, h->vt, h->P, D, 1);
	exponentials(pd, h->N, h->P, saved[0]);
	for (int j = 0; j < h->P; j += LANES) {
		vec p = V_LOAD(pd + j) * V_SPLAT(saved[1]), m = V_LOAD(h->mask + j);
		V_STORE(ds + j, p * (V_LOAD(ds + j) * m - V_SPLAT(delta)) * V_SPLAT(h->scale));
		V_STORE(pd + j, p * m);
	}
}

/* sum [D][P] += for ROWS rows r: w[r][j] x[r][d] */
INLINE void add_outer(real *sum, const real *w, const real *x[ROWS], int P, int D)
{
	for (int j = 0; j < P; j += LANES) {
		vec w0 = V_LOAD(w + j), w1 = V_LOAD(w + P + j), w2 = V_LOAD(w + 2 * P + j),
		    w3 = V_LOAD(w + 3 * P + j);
		for (int d = 0; d < D; d++) {
			real *at = sum + (size_t)d * (size_t)P + (size_t)j;
			V_STORE(at, V_LOAD(at) + w0 * V_SPLAT(x[0][d]) + w1 * V_SPLAT(x[1][d]) +
					    w2 * V_SPLAT(x[2][d]) + w3 * V_SPLAT(x[3][d]));
		}
	}
}

INLINE void backward_head(const struct head *h, const int D, const struct gradients *g, const real *q, int H,
	const real *saved, uint32_t key, real drop, uint32_t first)
{
	for (int j = 0; j < h->P; j++)
		h->mask[j] = 1;
	for (int i = 0; i < h->N; i += ROWS) {
		const real *qs[ROWS], *dys[ROWS];
		for (int r = 0; r < ROWS; r++) {
			size_t row = (size_t)(i + r < h->N ? i + r : i);
			real *ds = g->ds + (size_t)r * (size_t)h->P, *pd = g->pd + (size_t)r * (size_t)h->P;
			qs[r] = q + row * (size_t)h->step;
			dys[r] = g->dy + row * (size_t)H;
			if (i + r >= h->N) { /* beyond the last row: adds zeros */
				memset(ds, 0, (size_t)h->P * sizeof *ds);
				memset(pd, 0, (size_t)h->P * sizeof *pd);
				continue;
			}
			if (drop > 0)
				dropout_mask(
					h->mask, h->N, key, first + (uint32_t)row * (uint32_t)h->N, drop);
			backward_row(h, D, qs[r], dys[r], g->y + row * (size_t)H, saved + 2 * row, ds, pd);
			real *dq = g->sum;
			weighted(dq, ds, h->kt, h->P, D);
			for (int d = 0; d < D; d++)
				g->dq[row * (size_t)h->step + (size_t)d] += dq[d];
		}
		add_outer(g->dkt, g->ds, qs, h->P, D);
		add_outer(g->dvt, g->pd, dys, h->P, D);
	}
	for (int j = 0; j < h->N; j++)
		for (int d = 0; d < D; d++) {
			g->dk[(size_t)j * (size_t)h->step + (size_t)d] +=
				g->dkt[(size_t)d * (size_t)h->P + (size_t)j];
			g->dv[(size_t)j * (size_t)h->step + (size_t)d] +=
				g->dvt[(size_t)d * (size_t)h->P + (size_t)j];
		}
}

VECTOR_CLONES
static void backward_any(const struct head *h, const struct gradients *g, const real *q, int H,
	const real *saved, uint32_t key, real p, uint32_t first)
{
#define CALL(D) backward_head(h, D, g, q, H, saved, key, p, first)
	FOR_SIZE(h->D, CALL)
#undef CALL
}

static void backward(struct tape *t, struct node *y)
{
	const struct saved *s = y->saved;
	struct node *qkv = y->in[0];
	int H = y->cols, N = y->rows / s->B, D = H / s->heads;
	struct head h;
	struct gradients g;
	head_begin(&h, t, N, D, H);
	size_t area = (size_t)D * (size_t)h.P;
	g.dkt = scratch_reals(t, area);
	g.dvt = scratch_reals(t, area);
	g.ds = scratch_reals(t, (size_t)ROWS * (size_t)h.P);
	g.pd = scratch_reals(t, (size_t)ROWS * (size_t)h.P);
	g.sum = scratch_reals(t, (size_t)D);
	for (int b = 0; b < s->B; b++)
		for (int a = 0; a < s->heads; a++) {
			size_t in = (size_t)b * (size_t)N * 3 * (size_t)H + (size_t)(a * D);
			size_t out = (size_t)b * (size_t)N * (size_t)H + (size_t)(a * D);
			uint32_t index = (uint32_t)(b * s->heads + a);
			transpose(h.kt, qkv->x + in + H, N, h.P, D, 3 * H);
			transpose(h.vt, qkv->x + in + 2 * H, N, h.P, D, 3 * H);
			memset(g.dkt, 0, area * sizeof(real));
			memset(g.dvt, 0, area * sizeof(real));
			g.dy = y->g + out;
			g.y = y->x + out;
			g.dq = qkv->g + in;
			g.dk = qkv->g + in + H;
			g.dv = qkv->g + in + 2 * H;
			backward_any(&h, &g, qkv->x + in, H, s->row + (size_t)index * (size_t)N * 2, s->key,
				s->p, index * (uint32_t)N * (uint32_t)N);
		}
	scratch_done(t);
}

struct node *op_attention(struct tape *t, struct node *qkv, int B, int heads)
{
	int H = qkv->cols / 3, N = qkv->rows / B, D = H / heads;
	struct node *y = tape_node(t, qkv->rows, H, 1, &qkv, backward);
	real p = t->gradients ? t->dropout.p : 0;
	uint32_t key = p > 0 ? tape_mask_key(t) : 0;
	real *row = t->gradients ? tape_reals(t, (size_t)B * (size_t)heads * (size_t)N * 2) : NULL;
	struct head h;
	head_begin(&h, t, N, D, H);
	for (int b = 0; b < B; b++)
		for (int a = 0; a < heads; a++) {
			const real *q = qkv->x + (size_t)b * (size_t)N * 3 * (size_t)H + (size_t)(a * D);
			uint32_t index = (uint32_t)(b * heads + a);
			transpose(h.kt, q + H, N, h.P, D, 3 * H);
			transpose(h.vt, q + 2 * H, N, h.P, D, 3 * H);
			forward_any(&h, q, y->x + (size_t)b * (size_t)N * (size_t)H + (size_t)(a * D), H,
				row ? row + (size_t)index * (size_t)N * 2 : NULL, key, p,
				index * (uint32_t)N * (uint32_t)N);
		}
	scratch_done(t);
	if (t->gradients) {
		struct saved *s = y->saved = tape_take(t, sizeof *s);
		*s = (struct saved){B, heads, key, p, row};
	}
	return y;
}
