/* Metrics of predictions of labelled windows.
 *
 *     accuracy             right / n
 *     balanced_accuracy    mean recall of the classes that have windows
 *     kappa                (accuracy - e) / (1 - e), e = sum of row total * column total / n^2         (Cohen 1960)
 *     macro_f1             mean of 2 right / (row + column) over classes that are a label or a prediction
 *     auroc                P(p of a window of the class > p of another), ties count half; two classes: of the second;
 *                          more: mean over the classes, each against the rest, that have windows on both sides
 *     log_loss             mean of -ln p(label), p at least 1e-15
 *     brier                mean of the sum over classes of (p - [it is the label])^2: 0 .. 2           (Brier 1950)
 *     ece                  sum over 15 equal bins of the largest p of fraction * |accuracy - mean largest p|
 *                          (expected calibration error; Guo et al. 2017)
 *
 * What is not defined (AUROC of one class, kappa where chance agrees always) is NAN.
 */
#ifndef SCORE_METRIC_H
#define SCORE_METRIC_H

#include "score/predictions.h"

enum metric {
	METRIC_ACCURACY,
	METRIC_BALANCED_ACCURACY,
	METRIC_KAPPA,
	METRIC_MACRO_F1,
	METRIC_AUROC,
	METRIC_LOG_LOSS,
	METRIC_BRIER,
	METRIC_CALIBRATION_ERROR,
	METRICS
};

struct metric_kind {
	const char *key, *short_key, *words;
	bool less_is_better;
};

extern const struct metric_kind metric_kind[METRICS];
int metric_named(const char *key); /* by either key; -1 with an error that lists them (EX_USAGE) */

/* Metrics of rows from .. to - 1, at least one, all labelled: fills value [METRICS] and confusion
 * [classes label][classes predicted]. answered: of the rows that are not rejected only. Returns how
 * many rows were used (0: all metrics are NAN). */
int64_t metric_values(const struct predictions *, int64_t from, int64_t to, bool answered, double *value,
	int64_t *confusion);

#endif
