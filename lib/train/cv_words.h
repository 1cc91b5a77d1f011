/* What words on the command line of a cross-validation mean. Each returns -1 with an error that
 * names the option when they mean nothing. */
#ifndef TRAIN_CV_WORDS_H
#define TRAIN_CV_WORDS_H

#include "base/option.h"

#include <stdint.h>

/* Seeds such as "1,5,9" or "1..3", each once: seed [*n], to be freed by the caller, also on
 * error. */
int cv_words_seeds(const char *list, uint64_t **seed, int *n);

/* "loso": 0, a fold for each group; else the number of folds, from 2 on. */
int cv_words_folds(const char *word, int *folds);

/* The stride of test windows in samples, of recordings at a rate in Hz; 0 when none is given. */
int cv_words_stride(struct span, double rate, int64_t *samples);

#endif
