/* A regular file mapped for reading, and what to do when somebody writes over it meanwhile.
 *
 * A mapping shows what the file holds now. When the file becomes shorter, reading what is gone
 * raises SIGBUS: mapping_at tells the signal's handler whose fault it is. When it is written over,
 * what was read is partly old and partly new: mapping_check, called before a result is handed out,
 * refuses that. A file that was removed, or that another was renamed over, stays mapped as it was.
 */
#ifndef IO_MAPPING_H
#define IO_MAPPING_H

#include <stdbool.h>
#include <stddef.h>

/* The file, which has so many bytes. name: its path, or what to call standard input. NULL with an
 * error. */
void *mapping_new(int fd, size_t bytes, const char *name);
void mapping_free(void *mapping);

/* Whether a file that is mapped, or was, has another size or time of modification than when it was
 * mapped: -1 with an error (74). */
int mapping_check(void);

/* The name, as people read it (text_shown), of the mapped file that has this address, or NULL;
 * *whole: it is as long as ever, so the device failed. Safe in a signal's handler on the thread
 * that met the fault. */
const char *mapping_at(const void *address, bool *whole);

#endif
