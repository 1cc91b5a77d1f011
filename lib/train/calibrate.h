/* Temperature of a model's answers: p = softmax(logits / T) with the T that gives labelled windows
 * the least log loss (Guo, Pleiss, Sun, Weinberger: "On calibration of modern neural networks",
 * ICML 2017).
 *
 * The loss is convex in 1/T; its slope there, the mean of sum_c p_c z_c - z_label, is halved in on
 * over ln T.
 */
#ifndef TRAIN_CALIBRATE_H
#define TRAIN_CALIBRATE_H

#include "base/real.h"

#include <stdint.h>

/* Bounds of T: windows all classified correctly want it ever smaller, windows classified no
 * better than at random ever larger. */
#define CALIBRATE_MIN 0.05
#define CALIBRATE_MAX 20.0

/* logits [n][classes], label [n]. 1 when no T is better than another. */
float calibrate_temperature(const real *logits, const int *label, int64_t n, int classes);

#endif
