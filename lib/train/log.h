/* The training log: one JSON line per epoch, and per step when asked. Lines go out as they are
 * made. */
#ifndef TRAIN_LOG_H
#define TRAIN_LOG_H

#include "train/trainer.h"

struct log;

/* An existing file is started anew, or continued. It is locked until log_close: NULL with an error,
 * 75 when another run has it. */
struct log *log_open(const char *path, bool append);
/* -1 with an error; a NULL log takes everything. */
int log_epoch(struct log *, const struct epoch_report *);
int log_step(struct log *, const struct step_report *);
void log_close(struct log *);

#endif
