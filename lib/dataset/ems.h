/* Exponential moving standardisation: each sample less a running mean, by a running deviation. With
 * a the factor, w_i = (1 - a)^i and sums over the samples so far of a recording's channel, i = 0
 * being the newest:
 *
 *     m_t = sum w_i x_(t-i) / sum w_i        d_t = x_t - m_t        v_t = sum w_i d_(t-i)^2 / sum w_i
 *     y_t = d_t / max(sqrt(v_t), eps)
 *
 * but the first `init` samples of a recording (all, when it has fewer) by the mean and deviation of
 * them all, which looks ahead; init = 0 does not. These are the numbers of the field's library for
 * decoding by deep learning. A sample that is no number counts for nothing, its place in time does.
 *
 * Kept is the state at the start of each window; the samples stay where they are.
 */
#ifndef DATASET_EMS_H
#define DATASET_EMS_H

#include "base/real.h"
#include "format/windows.h"

struct ems_shape {
	double factor, eps;
	int init; /* samples */
};

struct ems;

struct ems *ems_new(const struct ems_shape *, int channels);
void ems_free(struct ems *);
void ems_clear(struct ems *);

/* Goes through the recordings of these windows, which count on from those before. Recordings must
 * be there from their first sample, one after the other; -1 when they are not. column
 * [channels]. */
int ems_add(struct ems *, const struct windows *, const struct channel_column *);

/* Channel c of window i of all that were added, which begins at row `start`: n samples to x[0],
 * x[step] ... */
void ems_fill(const struct ems *, int64_t i, int c, const struct channel_column *, int64_t start, int n,
	real *x, int step);

#endif
