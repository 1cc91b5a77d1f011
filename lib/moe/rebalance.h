/* Evenly used experts without a loss: a number b_i for each expert that is added to its score when
 * experts are chosen, and only then. It is moved after every step of training by what the batch
 * did, and kept in the model.
 *
 *     bias      b_i += rate sign(mean of c - c_i)                     c_i tokens that chose expert i    (Wang et al. 2024, algorithm 1)
 *     quantile  b_i = the k/E-quantile over the tokens of q_t - s_ti, less the mean of b                (Megatron-Core 2026)
 *               q_t = the (k+1)-th largest of s_t + b: with these b as many tokens would have passed every expert's cut
 *
 * The quantile of n numbers: with h = n k/E the mean of the h-th and the next one when h is whole,
 * else the one that h points into.
 */
#ifndef MOE_REBALANCE_H
#define MOE_REBALANCE_H

#include "moe/balance.h"

enum balance_kind { BALANCE_BY_LOSS, BALANCE_BY_BIAS, BALANCE_BY_QUANTILE };

/* Moves b [E] by what a batch did; without tokens it stays. */
void rebalance_bias(const struct balance *, double rate, real *b);
void rebalance_quantile(const struct balance *, real *b);

#endif
