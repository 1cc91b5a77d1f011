/* From windows to a model that is ready for its first step: structure, start values, scaler,
 * conditions.
 *
 *     struct model *m = fit_model(config, NULL, false, &data, pool, seed, NULL);
 *     struct trainer *t = trainer_new(m, &data, pool, seed);  ...  trainer_run(t, &watch);        (train/trainer.h)
 */
#ifndef TRAIN_FIT_H
#define TRAIN_FIT_H

#include "train/trainer.h"

/* Refuses a patience and a calibration that were asked for where nothing validates. */
int fit_check_unvalidated(const struct configuration *);

/* The structure of the model that fit_model makes, without values: to be freed. */
struct model *fit_declare(
	const struct configuration *, const struct model *before, const struct training_data *);

/* Everything that is learnt before the first step comes from the training items alone. before: a
 * model that is continued, which gives its parameters, and its scaler away; NULL: the parameters
 * are drawn by the seed. The datasets of `data` get the scaler, borrowed from the model, and their
 * items' conditions. NULL with an error when configuration, windows and model do not fit each
 * other. */
/* out_of_fold: for a model that is continued, the out-of-fold prior of its training windows
 * (train/linear_prior.h) is computed anew, as it was when this training began; otherwise the
 * model's own map gives their prior. */
/* fingerprint: takes that of the windows in the same pass (train/survey.h), to be freed, NULL on
 * error; NULL: not wanted. */
struct model *fit_model(const struct configuration *, struct model *before, bool out_of_fold,
	const struct training_data *data, struct pool *, uint64_t seed, char **fingerprint);

#endif
