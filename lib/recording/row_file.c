#include "recording/row_file.h"

#include "base/error.h"
#include "io/output.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

int row_file_write(int fd, const void *data, size_t n)
{
	const char *p = data;
	while (n) {
		ssize_t w = write(fd, p, n);
		if (w < 0 && errno != EINTR)
			return err_errno(
				EX_IOERR, "temporary file: cannot write (set TMPDIR to use another folder)");
		p += w > 0 ? w : 0;
		n -= w > 0 ? (size_t)w : 0;
	}
	return 0;
}

float *row_file_map(const struct row_file *s, bool writable)
{
	size_t bytes = (size_t)s->rows * (size_t)s->C * sizeof(float);
	void *p = mmap(NULL, bytes, writable ? PROT_READ | PROT_WRITE : PROT_READ, MAP_SHARED, s->fd, 0);
	if (p != MAP_FAILED)
		return p;
	err_errno(EX_IOERR, "temporary file: cannot map it");
	return NULL;
}

void row_file_unmap(const struct row_file *s, float *p)
{
	if (p)
		munmap(p, (size_t)s->rows * (size_t)s->C * sizeof(float));
}

int row_file_open(struct row_file *s, int C)
{
	s->C = C;
	if (s->fd < 0)
		s->fd = output_temporary();
	return s->fd < 0 ? -1 : 0;
}

int row_file_add(struct row_file *s, const float *x, int64_t rows, int C)
{
	if (row_file_open(s, C))
		return -1;
	s->rows += rows;
	return row_file_write(s->fd, x, (size_t)rows * (size_t)C * sizeof *x);
}

int row_file_append(struct row_file *s, const struct row_file *from, int64_t *first)
{
	float *map = row_file_map(from, false);
	*first = s->rows;
	int r = map ? row_file_add(s, map, from->rows, from->C) : -1;
	row_file_unmap(from, map);
	return r;
}
