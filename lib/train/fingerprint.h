/* A hash of what is trained on, by which a training that is resumed knows its windows again.
 *
 *     text = fingerprint_text(&data, rule, pool)        "windows:0123456789abcdef", for the state file
 *     fingerprint_fits(text, &data, pool)               takes the hash again, by the rule that the text was made with
 *
 * It takes in, in the order of training, every window that trains or validates: label, place, names
 * of recording, group and condition, and its samples in the channels of the model, as they stand in
 * the file. Files made differently that hold the same windows have the same fingerprint. It reads
 * each sample once for each window that it is in.
 */
#ifndef TRAIN_FINGERPRINT_H
#define TRAIN_FINGERPRINT_H

#include "train/trainer.h"

enum fingerprint_rule {
	FINGERPRINT_FIRST,   /* the first sample of each window only: in states of old */
	FINGERPRINT_WINDOWS, /* all samples of all windows */
	FINGERPRINT_RECORDINGS /* and those between the windows, where training goes by them (train.scale=ems) */
};

/* To be freed. */
char *fingerprint_text(const struct training_data *, enum fingerprint_rule, struct pool *);
/* Whether it is that of these windows; false, too, for a text that names no rule there is. */
bool fingerprint_fits(const char *text, const struct training_data *, struct pool *);

#endif
