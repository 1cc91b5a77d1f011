/* A source of bytes: a file, or standard input ("-" or NULL), with a look ahead.
 *
 * input_open refuses what is missing, a folder, or empty. input_kind recognises the first bytes, so
 * that a web page, an archive or an EDF recording handed in as CSV is named instead of parsed.
 */
#ifndef IO_INPUT_H
#define IO_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct input;

enum input_kind { INPUT_TEXT, INPUT_SAFETENSORS };

struct input *input_open(const char *path);
/* From a descriptor, which it takes over; name is for messages. */
struct input *input_of_fd(int fd, const char *name);
void input_close(struct input *);
const char *input_name(const struct input *); /* as the user wrote it; "standard input" */

/* At least `want` bytes ahead without taking them, fewer only at the end; NULL and an error when
 * reading failed. */
const unsigned char *input_peek(struct input *, size_t want, size_t *got);

/* Up to n bytes: the number, 0 at the end, -1 with an error. Returns what is there, like
 * read(2). */
long input_read(struct input *, void *to, size_t n);

/* Whether reading would return at once: bytes, the end, or an error. */
bool input_ready(struct input *);

/* Whether a regular file is behind it; then fd and size can be mapped (the offset is
 * input_offset). */
bool input_is_file(const struct input *, int *fd, uint64_t *size);
uint64_t input_offset(const struct input *); /* bytes taken so far */
void input_take_all(struct input *);         /* of a regular file: the rest was mapped, this is the end */

/* INPUT_TEXT or INPUT_SAFETENSORS; -1 with an error that names what it is instead. Who takes
 * recordings asks the readers first (reader_recognises of recording/reader.h). */
int input_kind(struct input *);

#endif
