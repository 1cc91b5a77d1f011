/* How fast the newlines of a file are found by memchr: what no reader of lines can beat. newlines
 * FILE [RUNS] The file is mapped and read once before; prints the median of the runs as a line of
 * JSON.
 */
#include "base/progress.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { RUNS = 99 };

static size_t count(const char *p, const char *end)
{
	size_t n = 0;
	while ((p = memchr(p, '\n', (size_t)(end - p))) != NULL) {
		n++;
		p++;
	}
	return n;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
	struct stat s;
	double t[RUNS];
	int runs = argc > 2 ? atoi(argv[2]) : 5, fd = argc > 1 ? open(argv[1], O_RDONLY | O_CLOEXEC) : -1;
	if (runs < 1 || runs > RUNS || fd < 0 || fstat(fd, &s) || s.st_size < 1) {
		fprintf(stderr, "usage: newlines FILE [RUNS]\n");
		return 64;
	}
	char *p = mmap(NULL, (size_t)s.st_size, PROT_READ, MAP_SHARED | MAP_POPULATE, fd, 0);
	close(fd);
	if (p == MAP_FAILED) {
		perror(argv[1]);
		return 71;
	}
	size_t n = count(p, p + s.st_size);
	for (int run = 0; run < runs; run++) {
		double start = progress_now();
		n = count(p, p + s.st_size);
		t[run] = progress_now() - start;
	}
	qsort(t, (size_t)runs, sizeof *t, by_value);
	printf("{\"what\":\"newlines\",\"lines\":%zu,\"bytes\":%lld,\"seconds\":%.6g}\n", n,
		(long long)s.st_size, t[runs / 2]);
	munmap(p, (size_t)s.st_size);
	return 0;
}
