/* A progress line on standard error, for terminals: at most ten times a second, wiped at the
 * end. */
#ifndef BASE_PROGRESS_H
#define BASE_PROGRESS_H

#include <stdbool.h>

enum progress_mode { PROGRESS_AUTO, PROGRESS_ALWAYS, PROGRESS_NEVER };

struct progress {
	bool on;
	double start, last; /* seconds, monotonic */
	bool dirty;
};

double progress_now(void); /* seconds of a monotonic clock */
void progress_begin(struct progress *, enum progress_mode, bool quiet);
/* done of total (total 0 = unknown), and a few words (printf); the time left is worked out from the
 * share done. */
void progress_show(struct progress *, double done, double total, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
void progress_end(struct progress *);

#endif
