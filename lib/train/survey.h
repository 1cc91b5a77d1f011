/* The first pass over the raw samples of what trains and validates. It does all that needs no
 * statistics, so that a run reads each window's samples twice before its first step at most:
 *
 *     here              are all numbers finite?  sums for the scaler, hash for the fingerprint
 *     dataset_keep      tokens, of samples that the scaler has scaled
 *
 * A model whose tokens are not kept needs the first pass only, unless train.scale=group takes the
 * moments of each group's samples.
 */
#ifndef TRAIN_SURVEY_H
#define TRAIN_SURVEY_H

#include "train/fingerprint.h"
#include "train/trainer.h"

struct survey {
	const struct model *model; /* what the windows are for; NULL: they may end at any sample */
	float *mean, *std;         /* [C] the scaler of these windows; NULL: not wanted */
	uint64_t *hash;            /* a fingerprint so far, which these windows continue; NULL: not wanted */
};

/* One pass over these items. -1 with the error of dataset_check for the first of them that cannot
 * be trained on; what was wanted is void then.
 *
 * mean, std: mean and standard deviation (population) of each of the target's channels over the
 * samples of the items; the deviation of a flat channel is 1. Sums run over blocks of windows in a
 * fixed order, so the bytes do not depend on the number of threads. */
int survey_windows(
	const struct dataset *, const int64_t *items, int64_t n, struct pool *, const struct survey *);

/* That pass over all windows of a training. mean, std: the scaler of what trains, or NULL.
 * *fingerprint: their fingerprint by this rule, to be freed; NULL: not wanted. -1 as above. */
int survey_training(const struct training_data *, const struct model *, float *mean, float *std,
	enum fingerprint_rule, char **fingerprint, struct pool *);

/* The rule by which a training of this configuration is recognised. */
enum fingerprint_rule survey_rule(const struct config *);
/* The fingerprint alone, by any rule; to be freed. */
char *survey_fingerprint(const struct training_data *, enum fingerprint_rule, struct pool *);

#endif
