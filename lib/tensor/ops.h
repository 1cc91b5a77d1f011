/* The operations: one line each is the reference card, one file each (ops/) holds forward and
 * backward.
 *
 * Rows stack B windows of N tokens. Every op takes the tape first and returns the new node. d(..)
 * below is a gradient of the loss; gradients are always added to. "Passing": the value is there for
 * the very next operation only (tensor/tape.h).
 */
#ifndef TENSOR_OPS_H
#define TENSOR_OPS_H

#include "tensor/tape.h"

enum activation { ACT_RELU, ACT_GELU };
enum gating { GATING_SIGMOID, GATING_GELU, GATING_SILU }; /* silu(x) = x sigmoid(x) */

/* A leaf that shows existing values [rows][cols] without copying; no gradient flows on from it. */
struct node *op_input(struct tape *, const real *x, int rows, int cols);

/* A part of the network that is computed again in backward instead of kept: y = build(x), which
 * records it on the tape it is given; again says that it is the second time, when nothing but
 * gradients may be added up. The same masks are drawn, so values and gradients are to the bit those
 * of build on this tape. Only on a tape with gradients; context lives as long as it. (Chen et al.
 * 2016, "Training deep nets with sublinear memory cost") */
typedef struct node *(*checkpoint_build)(struct tape *, struct node *x, const void *context, bool again);
struct node *op_checkpoint(struct tape *, struct node *x, checkpoint_build, const void *context);

/* y [rows][out] = x [rows][in] W^T + b           W [out][in], b [out]; b.x NULL: none */
struct node *op_linear(struct tape *, struct node *x, struct weight W, struct weight b, int out);
struct node *op_linear_passing(struct tape *, struct node *x, struct weight W, struct weight b, int out);

/* Likewise with a map for each kind of row; row r is of kind r mod kinds, which divides the rows:
 *   y_r = x_r W_j^T + b_j,  j = r mod kinds           W [kinds][out][in], b [kinds][out]. Passing. */
struct node *op_linear_kinds(
	struct tape *, struct node *x, struct weight W, struct weight b, int out, int kinds);

/* Tokens in front, positions on top, for B windows of n local tokens:
 *   y [B*(G+n)][H]:  y[b][i] = (i < G ? token[i] : x[b][i-G]) + position[i]       token [G][H], position [G+n][H]
 * A weight whose x is NULL is left out (no token: G = 0; no positions); position.g NULL = fixed
 * positions. */
struct node *op_embed(
	struct tape *, struct node *x, struct weight token, struct weight position, int B, int G);

/* Scaled dot-product self-attention (Vaswani et al. 2017, section 3.2) of each window on its own,
 * with its input projection.
 *   q, k, v = x W^T + b;  per head  y = dropout(softmax(q k^T / sqrt(H/heads))) v       x, y [B*N][H], W [3H][H], b [3H]
 * A few rows at a time: no N x N matrix is kept, nor q, k, v; backward computes both again, from
 * two saved numbers a row. */
struct node *op_attention(struct tape *, struct node *x, struct weight W, struct weight b, int B, int heads);
/* The same for windows of different lengths: window b is rows first[b] .. first[b+1]-1; first [B+1]
 * is borrowed until the tape is reset. */
struct node *op_attention_within(
	struct tape *, struct node *x, struct weight W, struct weight b, int B, const int *first, int heads);

/* Convolution over time, each column on its own, over the rows of a window:
 *   y_i = b + sum_j W[j] x(place_i + j - (K-1)/2),   x(p) = the row of the window whose place is p, 0 where there is none
 * x, y [rows][H], W [H][K], b [H]; windows as in op_attention_within, place [rows] rises within
 * each; both borrowed. */
struct node *op_depthwise(struct tape *, struct node *x, struct weight W, struct weight b, int K, int B,
	const int *first, const int *place);

/* Log power of learned filters over time and columns, in segments of B windows (Schirrmeister et
 * al. 2017, the shallow network):
 *   z_fc(t) = sum_j a_fj x(t + j, c);   y_o(t) = sum_f sum_c s_ofc z_fc(t);   out_io = log max(mean of y_o(t)^2, 1e-6)
 * where the mean is over the t of segment i, samples i hop .. i hop + length - 1, whose t + j are
 * all in it. x [B][rows][width] are constants, borrowed; a [filters][taps], s [outputs][filters *
 * width], out [B*n][outputs]. What lies behind the n-th segment is not read. 1 <= taps <=
 * length. */
struct power_shape {
	int rows, width;            /* of a window */
	int filters, taps, outputs; /* of a; of s */
	int length, hop, n;         /* segments */
};
struct node *op_log_power(
	struct tape *, const real *x, int B, const struct power_shape *, struct weight a, struct weight s);

/* Means, in segments of B windows, of learned filters over time, each with a spatial map of its own
 * (after Lawhern et al. 2018, the first block, without its normalisation of a batch):
 *   u_o(t) = sum_c s_oc x(t, c);   y_o(t) = b_o + sum_j a_oj u_o(t + j);   out_io = mean of elu(y_o(t))
 * where elu(y) = y above 0, exp(y) - 1 below, and the mean is over the t of segment i as in
 * op_log_power. x [B][rows][width] are constants, borrowed; a [filters][taps], s [filters][width],
 * b [filters], out [B*n][filters]. What lies behind the n-th segment is not read. 1 <= taps <=
 * length. */
struct separable_shape {
	int rows, width; /* of a window */
	int filters, taps;
	int length, hop, n; /* segments */
};
struct node *op_separable(struct tape *, const real *x, int B, const struct separable_shape *,
	struct weight a, struct weight s, struct weight b);

/* y = x + dropout(f) */
struct node *op_residual(struct tape *, struct node *x, struct node *f);

/* Layer normalisation (Ba, Kiros, Hinton 2016) of a sum, in one pass; biased variance, eps 1e-5; f
 * may be NULL:
 *   s = x + dropout(f);  y = (s - mean) / sqrt(var + eps) * W + b          W, b [cols] */
struct node *op_norm(struct tape *, struct node *x, struct node *f, struct weight W, struct weight b);

/* y [rows][H] = dropout(act(x W1^T + b1)) W2^T + b2     W1 [F][H], b1 [F], W2 [H][F], b2 [H]
 * Tile by tile over F; the hidden layer never exists as a whole and is computed again in backward.
 * Passing. */
struct node *op_feedforward(struct tape *, struct node *x, struct weight W1, struct weight b1,
	struct weight W2, struct weight b2, int F, enum activation);

/* Gated linear units, y [rows][H] = dropout(gate(x V^T + c) * (x W1^T + b1)) W2^T + b2: sigmoid
 * (GLU, Dauphin et al. 2017), gelu
 * (GEGLU), silu (SwiGLU, both Shazeer 2020).       W1, V [F][H], b1, c [F], W2 [H][F], b2 [H]
 * Tile by tile over F as above. Passing. */
struct gated_weights {
	struct weight W1, b1, V, c, W2, b2;
};
struct node *op_gated_feedforward(
	struct tape *, struct node *x, const struct gated_weights *, int F, enum gating);

/* y = dropout(act(x)) */
struct node *op_activation(struct tape *, struct node *x, enum activation);

/* y [B][H] = mean of rows from .. N-1 of each window     x [B*N][H] */
struct node *op_mean_rows(struct tape *, struct node *x, int B, int from);

/* Attention pooling of rows from .. N-1 of each window by a learned query:
 *   y [B][H] = sum_i a_i x_i,  a = softmax(q . x_i / sqrt(H))          x [B*N][H], q [H] */
struct node *op_attention_pool(struct tape *, struct node *x, struct weight query, int B, int from);

/* Pooling of rows from .. N-1 of each window by learned weights of each position and column:
 *   y [B][H] = mean over i of W_i * x_(from+i), element by element     x [B*N][H], W [..][H], of which the first N-from rows are read */
struct node *op_position_pool(struct tape *, struct node *x, struct weight W, int B, int from);

/* y [B*G][H] = the first G rows of each window           x [B*N][H] */
struct node *op_first_rows(struct tape *, struct node *x, int B, int G);

/* y [B*(N-from)][H] = rows from .. N-1 of each window    x [B*N][H] */
struct node *op_rows_from(struct tape *, struct node *x, int B, int from);

/* y [B*N][H] = x with the first G rows of each window replaced     x [B*N][H], first [B*G][H] */
struct node *op_replace_rows(struct tape *, struct node *x, struct node *first, int B);

/* y = mean of n nodes of equal shape */
struct node *op_mean_of(struct tape *, struct node *const *x, int n);

/* y = max(x, 0) */
struct node *op_relu(struct tape *, struct node *x);

/* y [rows][cols] = softmax of each row of x / temperature */
struct node *op_softmax(struct tape *, struct node *x, real temperature);

/* The same over the k largest of each row, the others 0; of equal ones the first. k >= cols:
 * all. */
struct node *op_softmax_top(struct tape *, struct node *x, real temperature, int k);

/* y = x + shift          shift [rows][cols], constants */
struct node *op_shift(struct tape *, struct node *x, const real *shift);

/* Balance over E experts by first choices (GShard, Lepikhin et al. 2020, algorithm 1), 1 when all
 * are equal:
 *   y [1][1] = E sum_k f_k P_k,  f_k = share of the rows whose largest p is k, P_k = mean of p_k       p [B][E]
 * f counts as constant. */
struct node *op_balance(struct tape *, struct node *p);

/* y [B][H] = sum_k w[b][k] s_k[b]        w [B][K], s_k [B][H] */
struct node *op_mix(struct tape *, struct node *w, struct node *const *s, int K);

/* y [B][classes] = log sum_k w[b][k] softmax(z_k[b])        w [B][K], z_k [B][classes] */
struct node *op_mix_answers(struct tape *, struct node *w, struct node *const *z, int K);

/* y = the numbers of x in rows of so many columns, which divide them */
struct node *op_reshape(struct tape *, struct node *x, int cols);

/* y [rows][cols] = z [rows][1] x [rows][cols], row by row */
struct node *op_times_rows(struct tape *, struct node *x, struct node *z);

/* y = factor x */
struct node *op_scale(struct tape *, struct node *x, real factor);

/* y = x + z */
struct node *op_add(struct tape *, struct node *x, struct node *z);

/* y = 1 / (1 + e^-x) */
struct node *op_sigmoid(struct tape *, struct node *x);

/* y = x * factor, element by element      factor [rows][cols] is kept, not copied */
struct node *op_times(struct tape *, struct node *x, const real *factor);

/* y = x + noise * softplus(scale)      all [rows][cols]; noise is kept, not copied */
struct node *op_add_noise(struct tape *, struct node *x, struct node *scale, const real *noise);

/* Probability that an entry is among the k largest of its row when its noise, of deviation d =
 * noise_std softplus(scale) (scale NULL: noise_std), is drawn again (Shazeer et al. 2017, equation
 * 9):
 *   y_i = Phi((z_i - k-th largest of the others of noisy) / d_i)          all [rows][n]; k < n */
struct node *op_load(
	struct tape *, struct node *z, struct node *noisy, struct node *scale, real noise_std, int k);

/* y [rows][cols] = value; what its gradient gathers is not used */
struct node *op_constant(struct tape *, int rows, int cols, real value);

/* Tokens to experts and back (lib/moe/layer.h): which rows go to which expert, and at which place
 * of their row's choice. Expert e has entries first[e] .. first[e+1]-1; borrowed until the tape is
 * reset. */
struct assignment {
	int experts;
	const int *first, *row, *slot;
};

/* y [rows][k]: y[r][j] = x[r][index[r][j]], 0 where the index is -1; share: divided by the sum of
 * the row's picked. */
struct node *op_pick(struct tape *, struct node *x, const int *index, int k, bool share);

/* y [B*U][cols] = mean of the rows of each unit; unit [N] says for each row of a window which of
 * its U units it belongs to (rising,
 * none empty; borrowed)       x [B*N][cols] */
struct node *op_mean_units(struct tape *, struct node *x, int N, int U, const int *unit);

/* y = x + table[row[window]], the same for all N rows of a window
 *     x [B*N][cols], table [..][cols], row [B] (borrowed) */
struct node *op_add_embedding(struct tape *, struct node *x, struct weight table, const int *row, int N);

/* y [n][cols] = the rows row[0 .. n-1] of x */
struct node *op_gather(struct tape *, struct node *x, const int *row, int n);

/* y [rows][cols] = sum over the entries of the row:  w[row][slot] answer_e[entry]
 * w [rows][k]; answer[e] [entries of e][cols], NULL where it has none. */
struct node *op_combine(
	struct tape *, struct node *w, struct node *const *answer, const struct assignment *, int cols);

/* y = z + x in the rows that are marked (kept, not copied), z elsewhere */
struct node *op_add_rows(struct tape *, struct node *z, struct node *x, const bool *row);

/* z [rows][E] = scale (x / |x|) . (w_e / |w_e|)        w [E][cols]
 * The scale is a trained number, or exp of one, at most 100; 1 when its x is NULL. */
struct node *op_cosine(
	struct tape *, struct node *x, struct weight w, int E, struct weight scale, bool exponential);

/* y = softmax over the N rows of each window, column by column       x [B*N][cols] */
struct node *op_softmax_rows(struct tape *, struct node *x, int N);

/* Per window of N rows:  y [B*M][cols] = w^T x       w [B*N][M], x [B*N][cols] */
struct node *op_window_slots(struct tape *, struct node *w, struct node *x, int N);

/* Per window of N rows:  y [B*N][cols] = w s         w [B*N][M], s [B*M][cols] */
struct node *op_window_mix(struct tape *, struct node *w, struct node *s, int N);

/* The classes of rows: label, or of a row that is mixed of two the share of label and the rest of
 * other. */
struct targets {
	const int *label;  /* [B] */
	const int *other;  /* [B] or NULL */
	const real *share; /* [B] when there is other */
};
/* The sum of the rows' class weights; weight [classes] or NULL for ones. */
double targets_weight(const struct targets *, int B, const real *weight);

/* Cross-entropy with class weights a_c and label smoothing e, as the field's standard library
 * defines it (mean over a batch):
 *   loss = ( (1-e) sum_b a_y -log p_y  +  e/classes sum_b sum_c a_c -log p_c ) / total,    total = sum_b a_y of the whole batch
 * logits [B][classes] of all its windows or of some, whose share the loss then is; weight [classes]
 * or NULL for ones. A row of two classes has the sum of both terms, each by its share. What targets
 * and weight point to is kept, not copied. y [1][1]. */
struct node *op_cross_entropy(struct tape *, struct node *logits, const struct targets *, const real *weight,
	real smoothing, double total);

#endif
