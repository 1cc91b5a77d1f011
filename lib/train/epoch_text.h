/* What moe-train --verbose says after an epoch. */
#ifndef TRAIN_EPOCH_TEXT_H
#define TRAIN_EPOCH_TEXT_H

#include "train/trainer.h"

/* Adds one sentence without its full stop: number, loss, accuracy (of models that have classes),
 * the same of the validation windows, speed. */
void epoch_text(const struct epoch_report *, struct text *);

#endif
