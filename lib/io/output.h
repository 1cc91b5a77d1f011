/* A result appears whole or not at all.
 *
 *     struct output *o = output_open(path, OUTPUT_BINARY);   NULL or "-" = standard output
 *     output_write(o, ...);  output_printf(o, ...);
 *     if (output_commit(o)) ...                               flush, fsync, rename
 *     output_discard(o);                                      in place of commit: nothing is left behind
 *
 * A regular file is written without a name in the target's folder, and given its name at the end,
 * in place of the old file, whose mode it keeps; a symbolic link stays and its target is replaced.
 * So nothing is left of it whatever ends the program. Where the file system has no files without
 * names, or /proc is not mounted, it has a hidden name, which is removed when the program exits or
 * SIGINT, SIGTERM or SIGHUP ends it (output_guard_signals). What is not a regular file (a pipe,
 * /dev/full) is written directly. Both commit and discard free the handle. Write errors stick: the
 * first is reported by the call that met it and again by commit.
 *
 * A result made from a mapped file that changed meanwhile (io/mapping.h) is refused: by commit, and
 * by flush where it is written directly.
 */
#ifndef IO_OUTPUT_H
#define IO_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>

struct output;

enum output_kind { OUTPUT_TEXT, OUTPUT_BINARY }; /* binary is refused on a terminal */

struct output *output_open(const char *path, enum output_kind);
int output_write(struct output *, const void *data, size_t bytes);
int output_printf(struct output *, const char *format, ...) __attribute__((format(printf, 2, 3)));
int output_flush(struct output *); /* hands what was written to the reader now (pipes) */
bool output_is_stream(
	const struct output *); /* not a regular file: may carry several files one after the other */
/* Whether a path (NULL or "-" = standard output) leads to a pipe or a socket, where a reader may be
 * waiting. */
bool output_is_pipe(const char *path);
int output_commit(struct output *);
void output_discard(struct output *);
int output_end(struct output *, int failed); /* commit, or discard and -1 when the work has failed */

/* Whether writing to `output` would replace the existing file `input` (another spelling and links
 * included). */
bool output_replaces(const char *output, const char *input);

/* For a file that a program makes in a folder under a name of its own choosing, before output_open:
 * a symbolic link of that name is taken away, so that nothing outside the folder is written. -1
 * with an error when it stays. */
int output_drop_link(const char *path);

/* Installs handlers that remove temporary files before the signal ends the program. */
void output_guard_signals(void);
/* Removes them: for handlers of other signals. */
void output_remove_temporaries(void);

/* A nameless temporary file in $TMPDIR (or /tmp) for data too large for memory; gone when closed.
 * fd or -1. */
int output_temporary(void);

#endif
