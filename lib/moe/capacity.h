/* Capacity: how many of a window's tokens an expert takes, and which go without it when more were
 * sent there.
 *
 *     C = ceil(factor k N / E), at least `min`, at most `max`          N tokens of the window, E experts, k a token
 *
 * A capacity that follows the load (moe.capacity=dynamic) is a number of each expert, rounded up
 * where it is used, in evaluation too. It begins at C for a factor of 1.25, and after each step of
 * training becomes
 *
 *     ema C + (1 - ema) max(min, min(max, 1.25 s))          s: what a window of the batch sent the expert on average
 *
 * A place is one of the k choices of a token. Places are taken in an order; those of an expert
 * beyond its C-th are dropped:
 *
 *     choice       all first choices in the order of the tokens, then all second ones, ..   (Lepikhin et al. 2020, algorithm 1)
 *     probability  falling probability of the choice                                        (DeepSpeed, Megatron)
 *     position     token after token, with all their choices                                (DeepSpeed)
 *     priority     as choice, tokens ordered by their largest probability                   (Riquelme et al. 2021, section 3.4)
 *     random       drawn, in training only                                                  (DeepSpeed)
 *
 * Of equals the earlier token, then the earlier choice, comes first. What the balance losses count
 * is what was there before.
 */
#ifndef MOE_CAPACITY_H
#define MOE_CAPACITY_H

#include "moe/router.h"

enum drop_policy { DROP_CHOICE, DROP_PROBABILITY, DROP_POSITION, DROP_PRIORITY, DROP_RANDOM };

struct capacity {
	const real *each; /* [E] places of each expert, rounded up; NULL: as factor, min and max say */
	double factor;    /* 0: whatever is sent to an expert, nothing is dropped */
	int min, max;     /* 0: no such bound */
	enum drop_policy policy;
	bool renormalise; /* the weights a token keeps are divided by their sum, if they summed to 1 before */
	bool residual;    /* a token that keeps no expert is its own answer; otherwise that is 0 */
};

/* Whether places are limited at all. */
bool capacity_limits(const struct capacity *);
/* Of capacity that follows the load: the quarter more is for windows that send more than the
 * average one; at 1 every second window would lose tokens. The bounds are those where the
 * configuration has 0. */
#define CAPACITY_HEADROOM 1.25
enum { CAPACITY_DYNAMIC_MIN = 4, CAPACITY_DYNAMIC_MAX = 256 };
/* After a step: count [E] of what the batch sent, from so many windows; each [E] is C. */
void capacity_follow(double ema, int min, int max, const int64_t *count, int64_t windows, int E, real *each);

int capacity_of(double factor, int k, int N, int E, int min, int max);

/* How many places of the same expert stand before each of one window: expert, rank and position
 * [N][k]; expert -1 = no place (position -1), rank = probability of the choice; key: of the random
 * order. */
void capacity_positions(struct tape *, enum drop_policy, const int *expert, const real *rank, int N, int k,
	int E, uint64_t key, int *position);

/* Takes the places beyond capacity out of a choice whose weights are there. Returns how many; *none
 * [rows]: which tokens are left without an expert, NULL when nothing was dropped. */
int capacity_drop(struct tape *, struct choice *, const struct router_shape *, const struct capacity *,
	const bool **none);

#endif
