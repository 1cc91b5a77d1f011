#include "io/spill.h"

#include "base/mem.h"
#include "io/output.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { SHORT = 1 << 12 }; /* bytes up to which a list stays in memory */

/* A mapping of so many bytes of the file, with the disk's space taken, or NULL. */
static void *map_file(int fd, size_t bytes)
{
	if (posix_fallocate(fd, 0, (off_t)bytes))
		return NULL;
	void *map = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	return map == MAP_FAILED ? NULL : map;
}

static void unmap_file(struct spill *s)
{
	munmap(s->map, s->bytes);
	close(s->fd);
	s->map = NULL;
}

void *spill_grow(struct spill *s, void *list, size_t bytes)
{
	size_t before = s->bytes;
	int fd = s->map ? s->fd : bytes > SHORT ? output_temporary() : -1;
	void *map = fd < 0 ? NULL : map_file(fd, bytes);
	if (map) {
		if (s->map) {
			munmap(s->map, before);
		} else if (list) {
			memcpy(map, list, before);
			free(list);
		}
		*s = (struct spill){map, bytes, fd};
		return map;
	}
	if (s->map) {
		list = memcpy(mem_new(bytes, 1), s->map, before);
		unmap_file(s);
	} else {
		list = mem_grow(list, bytes, 1);
		if (fd >= 0)
			close(fd);
	}
	s->bytes = bytes;
	return list;
}

void spill_free(struct spill *s, void *list)
{
	if (s->map)
		unmap_file(s);
	else
		free(list);
	*s = (struct spill){0};
}
