/* The rows of recordings as floats, in a nameless temporary file. */
#ifndef RECORDING_ROW_FILE_H
#define RECORDING_ROW_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct row_file {
	int fd; /* floats [rows][C]; -1 = not opened yet; the owner closes it */
	int C;
	int64_t rows;
};

/* Functions return -1 or NULL with an error. */

/* Opens the file for rows of C values, when it is not open yet. */
int row_file_open(struct row_file *, int C);
/* Adds rows of C values; opens the file when it is not open yet. */
int row_file_add(struct row_file *, const float *x, int64_t rows, int C);
/* Adds all rows of another file; *first: the number of the first of them in this one. */
int row_file_append(struct row_file *, const struct row_file *from, int64_t *first);
/* All rows, at least one, to be read or (writable) changed in place, until row_file_unmap. */
float *row_file_map(const struct row_file *, bool writable);
void row_file_unmap(const struct row_file *, float *);

/* Writes n bytes to a temporary file. */
int row_file_write(int fd, const void *data, size_t n);

#endif
