/* Losses that keep the experts evenly used. They are about a whole batch: each part of it (a chunk of windows) counts for itself,
 * the parts are added in a fixed order, and what the loss hands back to each token follows from the sum.
 *
 *   N tokens, E experts, k a token; c_i assignments to expert i before any is dropped, P_i mean probability, g weights
 *   switch  E sum_i c_i/(kN) P_i     at perfect balance 1    (Fedus, Zoph, Shazeer 2021, equations 4 to 6, for any k; where
 *                                                            top_p leaves places empty, the assignments instead of kN)
 *   sum     E sum_i c_i/N P_i        k                       (as switch, not divided by k)
 *   first   E sum_i f_i P_i          1                       f: share of the tokens whose first choice is i (Lepikhin et al. 2020)
 *   cv2     (deviation / mean)^2 of sum_t g_ti, population   0   (Shazeer et al. 2017, equations 6 and 7)
 *   z       mean over the tokens of (ln sum_i e^z_i)^2             (Zoph et al. 2022, equation 5)
 *
 * Counts are constants to the gradient.
 */
#ifndef MOE_BALANCE_H
#define MOE_BALANCE_H

#include "moe/router.h"

enum balance_form { BALANCE_SWITCH, BALANCE_SUM, BALANCE_FIRST, BALANCE_CV2 };

struct balance {
	int E, k;
	int64_t tokens, assigned, dropped;
	int64_t *count, *first;           /* [E] */
	double *probability, *importance; /* [E] sums of p, of g */
	double z;                         /* sum of the squared logarithms */
	bool balanced, has_z;             /* the router has such a loss */
	/* what balancing by quantiles needs (moe/rebalance.h); kept only when asked for */
	bool keep_lacks;
	real *lack; /* [lacks][E] */
	size_t lacks, room;
};

struct balance balance_new(int E);
void balance_free(struct balance *);
void balance_clear(struct balance *);
/* What a router chose for so many rows; weights [rows][k]. */
void balance_count(struct balance *, const struct choice *, int rows, int k);
void balance_add(struct balance *, const struct balance *part);

double balance_loss(const struct balance *, enum balance_form);
double balance_z(const struct balance *);

/* What each token's p_i, g_i and z get back, of  weight balance_loss + z_weight balance_z:  slope_p, slope_g [E] are added to the
 * gradients of every row; slope_z times 2 ln sum e^z softmax(z) to those of the logits. */
struct balance_slope {
	real *p, *g; /* [E] */
	real z;
};
void balance_slopes(
	const struct balance *, enum balance_form, double weight, double z_weight, struct balance_slope *);

/* Records what adds the slopes; they are read in backward. */
void balance_record(struct tape *, const struct choice *, const struct balance_slope *);

#endif
