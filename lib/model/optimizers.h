/* The optimizers there are, one a line: NAME is optimizer_NAME of lib/train/optimizer/NAME.c. The
 * configuration knows their names, training (train/optimizer.h) what they do.
 *
 * A program that brings one of its own along defines optimizer_names and optimizer_table itself,
 * from these rows and one more.
 */
#ifndef MODEL_OPTIMIZERS_H
#define MODEL_OPTIMIZERS_H

/* clang-format off */
#define OPTIMIZERS(ROW) \
	ROW(adamw)
/* clang-format on */

#define OPTIMIZER_NAME(NAME) #NAME,

extern const char *const optimizer_names[]; /* ends with NULL */

#endif
