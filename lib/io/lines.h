/* Text line by line, however it arrives. */
#ifndef IO_LINES_H
#define IO_LINES_H

#include "io/input.h"

/* Calls take() for every line of the input, without its newline, NUL behind it; numbers count from
 * 1. The last one need not end with a newline. It ends at the first that take() refuses. Returns
 * how many lines there were, or -1 with an error: that of take(), of reading, or that a line has
 * more than `longest` bytes, which no output of `maker` has. */
int64_t lines_each(struct input *, size_t longest, const char *maker,
	int (*take)(void *context, const char *line, size_t n, int64_t number), void *context);

#endif
