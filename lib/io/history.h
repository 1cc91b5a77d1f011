/* The history every file carries: a JSON list, oldest first, of
 * {"program","version","argv","seed"}. */
#ifndef IO_HISTORY_H
#define IO_HISTORY_H

#include <stdint.h>

/* What this run is, to be appended to what the input brought along. */
struct history {
	const char *program;
	int argc;
	char **argv;
	const uint64_t *seed; /* NULL = none */
	int off;              /* --no-history */
};

/* The list with this run appended to `before` (JSON text or NULL); to be freed. NULL when history
 * is off. */
char *history_append(const struct history *, const char *before);

#endif
