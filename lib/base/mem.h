/* Memory.
 *
 * x_new gives, x_free takes, const borrows, what x_next returns lives until the next call. The mem_
 * functions never return NULL: running out of memory ends the program with status 71, and a
 * sentence that says what it was doing and what would need less.
 *
 * An arena hands out memory that is given back all at once. It grows in blocks; after arena_reset
 * it is one block of the size that was needed, so that a loop which resets it every turn stops
 * allocating after the first.
 */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include <stdarg.h>
#include <stddef.h>

void *mem_new(size_t count, size_t size);             /* zeroed; refuses count * size beyond SIZE_MAX */
void *mem_grow(void *old, size_t count, size_t size); /* realloc; new part not zeroed */
char *mem_text(const char *s);                        /* strdup */
char *mem_text_n(const char *s, size_t n);            /* strndup */
char *mem_format(const char *format, ...) __attribute__((format(printf, 1, 2)));
char *mem_vformat(const char *format, va_list) __attribute__((format(printf, 1, 0)));

/* For that sentence: "training a model of 7154 parameters" (it follows "while"), and "use fewer
 * --threads", kept as a pointer. Before other threads are at work. */
void mem_doing(const char *format, ...) __attribute__((format(printf, 1, 2)));
void mem_remedy(const char *sentence);
/* Ends the program so where a library says that it has no memory. */
_Noreturn void mem_exhausted(void);
/* malloc for libraries that take one: never NULL; mem_grow(p, n, 1) is their realloc. */
void *mem_take(size_t bytes);

/* From now on large blocks go back to the system as soon as they are freed, so that a program which
 * goes through much data piece by piece stays small. */
void mem_return_large(void);

/* Ends the program as the others do when so much address space is not to be had (ulimit -v, ulimit
 * -d): for libraries that would wait for it for ever. */
void mem_need_space(size_t bytes, const char *what_for);

#define NEW(type)          ((type *)mem_new(1, sizeof(type)))
#define NEW_ARRAY(type, n) ((type *)mem_new((size_t)(n), sizeof(type)))
#define GROW(p, n)         ((p) = mem_grow((p), (size_t)(n), sizeof *(p)))

/* Makes room for one more element in a list {T *p; n; room}. */
#define ROOM_FOR_ONE(p, n, room) ((void)((n) < (room) || ((room) = (room) ? 2 * (room) : 16, GROW(p, room))))

struct arena;
struct arena *arena_new(void);
void arena_free(struct arena *);
void *arena_take(struct arena *, size_t bytes); /* 64-byte aligned, not zeroed */
void arena_reset(struct arena *);
size_t arena_peak(const struct arena *); /* largest number of bytes in use so far */

#endif
