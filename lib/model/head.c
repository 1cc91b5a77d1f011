#include "model/head.h"

/* The table stands in a file of its own: a program that defines another one brings heads of its own
 * along. */
const struct head_type *const head_table[] = {&head_classifier, &head_answers, NULL};
