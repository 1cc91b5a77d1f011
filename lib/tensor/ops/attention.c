#include "base/profile.h"
#include "tensor/dropout.h"
#include "tensor/ops.h"
#include "tensor/product.h"
#include "tensor/vector.h"

#include <string.h>

/* Queries, keys and values are kept transposed, features down and tokens along, [3H][P] with P = N
 * rounded up to whole vectors: every inner loop runs along the keys. They are made again in
 * backward. The queries carry the factor log2(e) / sqrt(D), so that softmax is 2^s over its sum. A
 * row whose scores cannot be large needs nothing taken off before 2^s: |s| <= |q| max |k|. */

static const double log2_e = 1.44269504088896340736;
static const real largest_bound = 3600; /* 2^60: far from the ends of float */

enum { ROWS = 12 }; /* query rows worked on together: their scores [ROWS][P] stay in the first cache */

struct saved {
	struct weight W, b;
	int B, heads;
	const int *first; /* [B + 1] window b is rows first[b] .. first[b+1]-1; NULL: all of one length */
	uint32_t key;
	real p;
	real *row; /* for each window [heads][N][2]: what is taken off a row's scores, and 1 / the sum of 2^(score - that). From these backward
	              draws the very same weights again; the log of the sum alone would be rounded. */
};

struct work {
	int at, N, P, H, D;       /* the window at hand: first row, rows, these rounded up to whole vectors */
	uint32_t drawn;           /* elements of the mask's sequence that earlier windows have */
	real *xt, *qkvt;          /* [H][P], [3H][P] of one window */
	real *scores, *mask, *dp; /* [ROWS][P]; mask [P] */
	real *bound;              /* [P] the square of |q| max |k|, of the head at hand */
};

/* Where one head stands. */
struct head {
	const real *qt, *kt, *vt; /* [D][P] */
	uint32_t first;           /* its first element in the mask's sequence */
	real *saved;              /* [N][2], or NULL */
};

static struct work work_new(struct tape *t, int N, int H, int heads)
{
	struct work w = {.N = N, .P = whole_vectors(N), .H = H, .D = H / heads};
	size_t P = (size_t)w.P, cols = (size_t)H;
	w.xt = scratch_reals(t, cols * P);
	w.qkvt = scratch_reals(t, 3 * cols * P);
	w.scores = scratch_reals(t, ROWS * P);
	w.mask = scratch_reals(t, P);
	w.bound = scratch_reals(t, P);
	return w;
}

VECTOR_CLONES
static void multiply_by(real *x, real factor, size_t n)
{
	for (size_t i = 0; i < n; i++)
		x[i] *= factor;
}

static void project(const struct work *w, const real *x, const struct weight *W, const struct weight *b)
{
	size_t P = (size_t)w->P, H = (size_t)w->H;
	transpose(w->N, w->H, x, H, w->xt, P);
	for (size_t j = 0; j < H; j++)
		memset(w->xt + j * P + w->N, 0, (P - (size_t)w->N) * sizeof(real));
	product(3 * w->H, w->P, w->H, (struct product_left){W->x, H, 1}, w->xt, P, w->qkvt, P, FROM_ROWS,
		b->x);
	multiply_by(w->qkvt, (real)(log2_e / sqrt((double)w->D)), H * P);
}

/* On to window b. */
static void enter(struct work *w, const int *first, int b, int heads)
{
	if (b)
		w->drawn += (uint32_t)heads * (uint32_t)w->N * (uint32_t)w->N;
	if (first)
		w->N = first[b + 1] - first[b];
	w->P = whole_vectors(w->N);
	w->at = first ? first[b] : b * w->N;
}

static struct head head_of(const struct work *w, int head, int heads, real *row)
{
	size_t P = (size_t)w->P, at = (size_t)(head * w->D) * P, H = (size_t)w->H;
	uint32_t N = (uint32_t)w->N;
	size_t before = (size_t)heads * (size_t)w->at + (size_t)head * (size_t)w->N;
	return (struct head){w->qkvt + at, w->qkvt + at + H * P, w->qkvt + at + 2 * H * P,
		w->drawn + (uint32_t)head * N * N, row ? row + before * 2 : NULL};
}

/* s [ROWS][P] = the scores of rows i .. i+rows-1 */
static void scores_of(const struct work *w, const struct head *h, int i, int rows)
{
	size_t P = (size_t)w->P;
	product(rows, w->P, w->D, (struct product_left){h->qt + i, 1, P}, h->kt, P, w->scores, P, FROM_ZERO,
		NULL);
}

/* bound [P] = |q_i|^2 max_j |k_j|^2 */
VECTOR_CLONES
static void bound_scores(const struct head *h, int D, int P, real *bound)
{
	vec top = {0};
	for (int j = 0; j < P; j += LANES) {
		vec k = {0}, q = {0};
		for (int d = 0; d < D; d++) {
			vec a = V_LOAD(h->kt + d * P + j), b = V_LOAD(h->qt + d * P + j);
			k += a * a;
			q += b * b;
		}
		top = v_max(k, top);
		V_STORE(bound + j, q);
	}
	real largest = v_largest(top);
	for (int j = 0; j < P; j += LANES)
		V_STORE(bound + j, V_LOAD(bound + j) * V_SPLAT(largest));
}

/* The largest of s [0 .. N-1]; what lies between N and P is overwritten. */
INLINE real largest(real *s, int N, int P)
{
	vec top = V_LOAD(s);
	for (int j = N; j < P; j++)
		s[j] = s[0];
	for (int j = 0; j < P; j += LANES)
		top = v_max(V_LOAD(s + j), top);
	return v_largest(top);
}

/* s becomes 2^(s - m), 0 beyond N; returns the sum. Without m: 2^s. */
INLINE real powers(real *s, int N, int P, real m, const bool without)
{
	vec sum[2] = {{0}};
	int whole = N / LANES * LANES, j = 0;
	for (; j + 2 * LANES <= whole; j += 2 * LANES)
		UNROLL for (int i = 0; i < 2; i++)
		{
			vec x = V_LOAD(s + j + i * LANES);
			vec e = v_exp2(without ? x : v_max(x - V_SPLAT(m), V_SPLAT(REAL(-126.0))));
			sum[i] += e;
			V_STORE(s + j + i * LANES, e);
		}
	for (; j < P; j += LANES) {
		vec x = V_LOAD(s + j);
		V_STORE(s + j, v_exp2(without ? x : v_max(x - V_SPLAT(m), V_SPLAT(REAL(-126.0)))));
		for (int i = j > N ? j : N; i < P; i++)
			s[i] = 0;
		sum[0] += V_LOAD(s + j);
	}
	return v_sum(sum[0] + sum[1]);
}

INLINE real exponentials(real *s, int N, int P, real m, real bound)
{
	PROFILE_PART("exp");
	return bound <= largest_bound ? powers(s, N, P, 0, true) : powers(s, N, P, m, false);
}

/* One row: scores to 2^(score - m), dropped ones 0; what they are to be multiplied by afterwards is
 * returned. */
VECTOR_CLONES
static real weights_of(
	real *restrict s, int N, int P, real bound, uint32_t key, uint32_t first, real p, real *saved)
{
	real m = bound <= largest_bound ? 0 : largest(s, N, P), share = 1 / exponentials(s, N, P, m, bound);
	if (saved) {
		saved[0] = m;
		saved[1] = share;
	}
	if (p <= 0)
		return share;
	PROFILE_PART("generator");
	uint32_t limit = dropout_limit(p);
	for (int j = 0; j < N; j++)
		s[j] = dropped(first + (uint32_t)j, key, limit) ? 0 : s[j];
	return share / (1 - p);
}

/* All rows of one head: y [N] rows of D, H apart. */
static void forward_head(const struct work *w, const struct head *h, real *y, uint32_t key, real p)
{
	size_t P = (size_t)w->P, H = (size_t)w->H;
	bound_scores(h, w->D, w->P, w->bound);
	for (int i = 0; i < w->N; i += ROWS) {
		int rows = w->N - i < ROWS ? w->N - i : ROWS;
		real factor[ROWS];
		scores_of(w, h, i, rows);
		for (int r = 0; r < rows; r++)
			factor[r] = weights_of(w->scores + (size_t)r * P, w->N, w->P, w->bound[i + r], key,
				h->first + (uint32_t)(i + r) * (uint32_t)w->N, p,
				h->saved ? h->saved + 2 * (i + r) : NULL);
		row_products(rows, w->D, w->P, w->scores, P, h->vt, P, y + (size_t)i * H, H);
		for (int r = 0; r < rows; r++)
			for (int d = 0; d < w->D; d++)
				y[(size_t)(i + r) * H + (size_t)d] *= factor[r];
	}
}

/* One row, with p = 2^(s - m) share:  ds = p (dp mask - delta) in s,  p mask in dp. */
VECTOR_CLONES
static void row_backward(
	real *s, real *dp, const real *mask, int N, int P, real bound, const real *saved, real delta)
{
	exponentials(s, N, P, saved[0], bound);
	for (int j = 0; j < P; j += LANES) {
		vec p = V_LOAD(s + j) * V_SPLAT(saved[1]), m = V_LOAD(mask + j);
		V_STORE(s + j, p * (V_LOAD(dp + j) * m - V_SPLAT(delta)));
		V_STORE(dp + j, p * m);
	}
}

/* dp_j = dy . v_j;  delta = dy . y;  dq += ds k / sqrt(D);  dk += ds^T q / sqrt(D);  dv += (p
 * mask)^T dy */
static void backward_head(const struct work *w, const struct head *h, const real *dy, const real *y,
	real *dqt, uint32_t key, real p)
{
	size_t P = (size_t)w->P, H = (size_t)w->H;
	int D = w->D;
	real *dkt = dqt + H * P, *dvt = dqt + 2 * H * P, dq[ROWS * 64];
	real scale = 1 / (real)sqrt((double)D);
	bound_scores(h, D, w->P, w->bound);
	for (int j = 0; j < w->P; j++)
		w->mask[j] = 1;
	for (int i = 0; i < w->N; i += ROWS) {
		int rows = w->N - i < ROWS ? w->N - i : ROWS;
		const real *dyi = dy + (size_t)i * H;
		scores_of(w, h, i, rows);
		product(rows, w->P, D, (struct product_left){dyi, H, 1}, h->vt, P, w->dp, P, FROM_ZERO, NULL);
		for (int r = 0; r < rows; r++) {
			size_t row = (size_t)(i + r);
			real delta = 0;
			for (int d = 0; d < D; d++)
				delta += dy[row * H + (size_t)d] * y[row * H + (size_t)d];
			if (p > 0)
				dropout_mask(
					w->mask, w->N, key, h->first + (uint32_t)row * (uint32_t)w->N, p);
			row_backward(w->scores + (size_t)r * P, w->dp + (size_t)r * P, w->mask, w->N, w->P,
				w->bound[row], h->saved + 2 * row, delta);
		}
		for (int from = 0; from < D; from += 64) {
			int some = D - from < 64 ? D - from : 64;
			row_products(rows, some, w->P, w->scores, P, h->kt + (size_t)from * P, P, dq, 64);
			for (int r = 0; r < rows; r++)
				for (int d = 0; d < some; d++)
					dqt[(size_t)(from + d) * P + (size_t)(i + r)] =
						dq[r * 64 + d] * scale;
		}
		product(D, w->P, rows, (struct product_left){h->qt + i, P, 1}, w->scores, P, dkt, P, FROM_C,
			NULL);
		product(D, w->P, rows, (struct product_left){dyi, 1, H}, w->dp, P, dvt, P, FROM_C, NULL);
	}
	multiply_by(dkt, (real)(1 / log2_e), (size_t)D * P);
}

VECTOR_CLONES
static void add_row_sums(real *sum, const real *x, int rows, int P)
{
	for (int i = 0; i < rows; i++) {
		vec s = {0};
		for (int j = 0; j < P; j += LANES)
			s += V_LOAD(x + (size_t)i * (size_t)P + (size_t)j);
		sum[i] += v_sum(s);
	}
}

static int longest_window(const int *first, int B, int rows)
{
	int longest = first ? 0 : rows / B;
	for (int b = 0; first && b < B; b++)
		longest = first[b + 1] - first[b] > longest ? first[b + 1] - first[b] : longest;
	return longest;
}

/* Through the projection:  dW += dqkv^T x;  db += sum dqkv;  dx += dqkv W */
static void backward(struct tape *t, struct node *y)
{
	PROFILE_OPERATION("attention backward");
	const struct saved *s = y->saved;
	struct node *x = y->in[0];
	int H = y->cols, longest = longest_window(s->first, s->B, y->rows);
	struct work w = work_new(t, longest, H, s->heads);
	size_t cols = (size_t)H;
	real *dqkvt = scratch_reals(t, 3 * cols * (size_t)w.P);
	w.dp = scratch_reals(t, ROWS * (size_t)w.P);
	for (int b = 0; b < s->B; b++) {
		enter(&w, s->first, b, s->heads);
		size_t at = (size_t)w.at * cols, P = (size_t)w.P;
		if (!w.N)
			continue;
		project(&w, x->x + at, &s->W, &s->b);
		memset(dqkvt, 0, 3 * cols * P * sizeof(real));
		for (int a = 0; a < s->heads; a++) {
			struct head h = head_of(&w, a, s->heads, s->row);
			size_t from = (size_t)(a * w.D);
			backward_head(
				&w, &h, y->g + at + from, y->x + at + from, dqkvt + from * P, s->key, s->p);
		}
		product(3 * H, H, w.N, (struct product_left){dqkvt, P, 1}, x->x + at, cols, s->W.g, cols,
			FROM_C, NULL);
		add_row_sums(s->b.g, dqkvt, 3 * H, w.P);
		product(w.N, H, 3 * H, (struct product_left){dqkvt, 1, P}, s->W.x, cols, x->g + at, cols,
			FROM_C, NULL);
	}
	scratch_done(t);
}

struct node *op_attention_within(
	struct tape *t, struct node *x, struct weight W, struct weight b, int B, const int *first, int heads)
{
	PROFILE_OPERATION("attention");
	int H = x->cols;
	struct node *y = tape_node(t, x->rows, H, 1, &x, backward);
	real p = t->gradients ? t->dropout.p : 0;
	uint32_t key = p > 0 ? tape_mask_key(t) : 0;
	real *row = t->gradients ? tape_reals(t, (size_t)heads * (size_t)x->rows * 2) : NULL;
	struct work w = work_new(t, longest_window(first, B, x->rows), H, heads);
	for (int i = 0; i < B; i++) {
		enter(&w, first, i, heads);
		size_t at = (size_t)w.at * (size_t)H;
		if (!w.N)
			continue;
		project(&w, x->x + at, &W, &b);
		for (int a = 0; a < heads; a++) {
			struct head h = head_of(&w, a, heads, row);
			forward_head(&w, &h, y->x + at + (size_t)(a * w.D), key, p);
		}
	}
	scratch_done(t);
	if (t->gradients) {
		struct saved *s = y->saved = tape_take(t, sizeof *s);
		*s = (struct saved){W, b, B, heads, first, key, p, row};
	}
	return y;
}

struct node *op_attention(struct tape *t, struct node *x, struct weight W, struct weight b, int B, int heads)
{
	return op_attention_within(t, x, W, b, B, NULL, heads);
}
