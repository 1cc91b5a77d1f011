/* Errors.
 *
 * Two kinds of trouble exist. A broken invariant or exhausted memory ends the program at once
 * (bug(), mem.h). Everything else is the world being wrong: the function returns -1 or NULL and has
 * left one finished sentence here, which the program in cmd/ prints behind its own name:
 *
 *     if (x < 0) return err_set(EX_DATAERR, "%s:%ld: column \"%s\": \"%s\" is not a number", ...);
 *
 * A sentence says where (file, line or tensor), what is wrong, and what to do. The record is one
 * per thread.
 */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#include <sysexits.h>

#define PRINTF_LIKE(f, a) __attribute__((format(printf, f, a)))

#define EXIT_NO   1           /* ran, but the answer is no */
#define EX_LOCKED EX_TEMPFAIL /* 75: locked, or try later */

/* Records the exit status (sysexits.h) and the sentence; returns -1. */
int err_set(int status, const char *format, ...) PRINTF_LIKE(2, 3);

/* The same for a failed system call: appends ": " and the text of errno. Where it says that memory
 * ran out, the status is 71. */
int err_errno(int status, const char *format, ...) PRINTF_LIKE(2, 3);

/* Puts "WHERE: " in front of the recorded sentence; returns -1. */
int err_at(const char *format, ...) PRINTF_LIKE(1, 2);

const char *err_text(void);
int err_status(void);

/* The name of the program, for messages when it ends at once; kept as a pointer. "moe-tools" until
 * it is set. */
void err_program(const char *name);
const char *err_program_name(void);

/* A broken invariant: prints place and reason, exits 70. */
_Noreturn void err_bug(const char *file, int line, const char *what);
#define bug(what)       err_bug(__FILE__, __LINE__, what)
#define must(condition) ((condition) ? (void)0 : err_bug(__FILE__, __LINE__, #condition))

#endif
