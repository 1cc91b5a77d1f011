/* What moe-train says of an epoch and of a model's views. */
#ifndef TRAIN_EPOCH_TEXT_H
#define TRAIN_EPOCH_TEXT_H

#include "train/trainer.h"

/* Adds one sentence without its full stop: number, loss, accuracy (of models that have classes),
 * the same of the validation windows, speed. */
void epoch_text(const struct epoch_report *, struct text *);

/* Adds what each view counts in the linear prior, from the JSON of struct model's `views`. */
void views_text(const char *views, struct text *);

#endif
