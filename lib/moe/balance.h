/* Losses that keep the experts evenly used. They are about many tokens at once, a whole batch or
 * the parts of it that a scope makes: each chunk of windows counts for itself, the chunks are added
 * in a fixed order, and what the loss hands back to each token follows from the sums.
 *
 *   N tokens, E experts, k a token; c_i assignments to expert i before any is dropped, P_i mean probability, g weights
 *   switch    E sum_i c_i/(kN) P_i     at perfect balance 1    (Fedus, Zoph, Shazeer 2021, equations 4 to 6, for any k; where
 *                                                              top_p leaves places empty, the assignments instead of kN)
 *   sum       E sum_i c_i/N P_i        k                       (as switch, not divided by k)
 *   first     E sum_i f_i P_i          1                       f: share of the tokens whose first choice is i (Lepikhin et al. 2020)
 *   cv2       (deviation / mean)^2 of sum_t g_ti, population   0   (Shazeer et al. 2017, equations 6 and 7)
 *   cv2_load  cv2 + the same of sum_t Pr(i is chosen by t when its noise is drawn again)   0   (the same, appendix A)
 *   z         mean over the tokens of (ln sum_i e^z_i)^2             (Zoph et al. 2022, equation 5)
 *
 * Scopes: batch, one loss for all tokens of a step; window and group, one for the tokens of each
 * window or group (person), and their mean by tokens; running, shares c_i/(kN) that are averaged
 * over the steps (each keeps ema of the old), with the P_i of this one. A tree of routers has a
 * loss for each of them, over the tokens that reach it; those of a level are averaged by these
 * tokens, the levels added. Counts are constants to the gradient.
 */
#ifndef MOE_BALANCE_H
#define MOE_BALANCE_H

#include "moe/router.h"

enum balance_form { BALANCE_SWITCH, BALANCE_SUM, BALANCE_FIRST, BALANCE_CV2, BALANCE_CV2_LOAD };

/* Sums over the tokens of one scope. Entries are the alternatives of all routers: of a tree the
 * leaves, which are the experts, first. */
struct balance_sums {
	int64_t *tokens, *assigned; /* [routers] tokens that reach it; alternatives given to them */
	int64_t *count, *first;     /* [entries] */
	double *probability, *importance,
		*load; /* [entries] sums of p, of g, of the probability to be chosen */
};

struct balance {
	int experts, k;
	int levels, routers, entries;
	struct balance_level {
		int routers, n;    /* side by side, each over n alternatives */
		int router, entry; /* the first of them in the sums */
	} level[ROUTER_LEVELS];
	int scopes, room; /* room: scopes there is memory for */
	struct balance_sums *sums;
	int64_t *whole; /* what sums point into */
	double *part;
	int64_t windows, tokens, dropped; /* of all scopes; places that were dropped */
	double z[ROUTER_LEVELS];          /* sums of the squared logarithms */
	bool balanced, has_z, has_load;   /* the router has such a loss */
	const real *
		running; /* [entries] running shares of the steps before, or NULL: the scope is not running */
	double ema;
	/* what balancing by quantiles needs (moe/rebalance.h); kept only when asked for */
	bool keep_lacks;
	real *lack; /* [lacks][experts] */
	size_t lacks, lack_room;
};

struct balance balance_new(const struct router_shape *);
void balance_free(struct balance *);
void balance_clear(struct balance *, int scopes);
/* What a router chose for so many rows, `per` of a window. scope [windows]: which one each counts
 * for; NULL: the first. */
void balance_count(struct balance *, const struct choice *, int rows, int k, int per, const int *scope);
void balance_add(struct balance *, const struct balance *part); /* of as many scopes */
int64_t balance_sent(const struct balance *, int expert);       /* assignments in all scopes */

double balance_loss(const struct balance *, enum balance_form);
double balance_z(const struct balance *);
/* Moves running shares [entries] on by what the batch did. */
void balance_run(const struct balance *, enum balance_form, real *running);

/* What each token's p_i, g_i, load_i and z get back, of  weight balance_loss + z_weight balance_z:
 * p, g, load [scopes][entries] are added to the gradients of every row that reaches the router; z
 * [levels] times 2 ln sum e^z softmax(z) to those of the logits. */
struct balance_slope {
	real *p, *g, *load;
	real z[ROUTER_LEVELS];
	size_t room;
};
void balance_slopes(
	const struct balance *, enum balance_form, double weight, double z_weight, struct balance_slope *);
void balance_slope_free(struct balance_slope *);

/* Records what adds the slopes; they are read in backward. per and scope as above; scope is
 * borrowed until then. */
void balance_record(
	struct tape *, const struct choice *, int per, const int *scope, const struct balance_slope *);

#endif
