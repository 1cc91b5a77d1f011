/* A list that may become long: it grows in memory while it is short, and in a nameless temporary file ($TMPDIR or /tmp, mapped)
 * when it is not, so that memory stays flat however long the recordings are.
 *
 *     list = shelf_grow(&shelf, list, bytes)      {0} and NULL at first; it may move
 *
 * Without a temporary file (no such folder, disk full) it goes on growing in memory.
 */
#ifndef IO_SHELF_H
#define IO_SHELF_H

#include <stddef.h>

struct shelf {
	void *map;    /* NULL = in memory */
	size_t bytes; /* it has room for */
	int fd;       /* behind the mapping */
};

void *shelf_grow(struct shelf *, void *list, size_t bytes);
void shelf_free(struct shelf *, void *list);

/* Makes room for one more element in a list {T *p; n; room} with a shelf. */
#define SHELF_ROOM_FOR_ONE(shelf, p, n, room)                       \
	((void)((n) < (room) || ((room) = (room) ? 2 * (room) : 16, \
					(p) = shelf_grow((shelf), (p), (size_t)(room) * sizeof *(p)))))

#endif
