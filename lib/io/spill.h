/* A list that may become long: it grows in memory while it is short, and in a nameless temporary
 * file ($TMPDIR or /tmp, mapped) when it is not, so that memory stays flat however long the
 * recordings are.
 *
 *     list = spill_grow(&spill, list, bytes)      {0} and NULL at first; it may move
 *
 * Without a temporary file (no such folder, disk full) it goes on growing in memory.
 */
#ifndef IO_SPILL_H
#define IO_SPILL_H

#include <stddef.h>

struct spill {
	void *map;    /* NULL = in memory */
	size_t bytes; /* it has room for */
	int fd;       /* behind the mapping */
};

void *spill_grow(struct spill *, void *list, size_t bytes);
void spill_free(struct spill *, void *list);

/* Makes room for one more element in a list {T *p; n; room} with a spill buffer. */
#define SPILL_ROOM_FOR_ONE(spill, p, n, room)                       \
	((void)((n) < (room) || ((room) = (room) ? 2 * (room) : 16, \
					(p) = spill_grow((spill), (p), (size_t)(room) * sizeof *(p)))))

#endif
