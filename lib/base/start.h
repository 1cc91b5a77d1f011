/* The start of a program, before its libraries.
 *
 * OpenBLAS starts a thread for every processor it finds while it is loaded; they spin for 25 ms and
 * are never used, as the threads here are ours (base/pool.h). So libraries find one processor while
 * they are loaded, and the program gets all of them back as soon as it runs.
 *
 * Before anything is opened, standard streams that are closed are filled: input and output such
 * that using them still fails (io/input.h and io/output.h say so in words), standard error by
 * /dev/null.
 */
#ifndef BASE_START_H
#define BASE_START_H

/* First thing in main: gives the processors back. */
void start_done(void);

/* Bytes of stack that every thread has: nested JSON takes the most of it, 1,000 levels deep. */
enum { STACK_NEEDED = 1 << 20 };

/* Sees to it that the first thread has as much: -1 when the limit (ulimit -s) forbids it. Then
 * there is no room for printf. */
int start_stack(void);

#endif
