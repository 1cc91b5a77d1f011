/* A safetensors file from a stranger, as a file, and through what reads windows and models. */
#include "format/windows.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static volatile unsigned sink;

/* Every byte the tensors claim must be there. */
static void touch(const struct st_file *f)
{
	for (int i = 0; i < f->n; i++)
		for (uint64_t k = 0; k < f->tensor[i].bytes; k++)
			sink += ((const unsigned char *)f->tensor[i].data)[k];
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC);
	if (fd < 0 || write(fd, data, n) != (ssize_t)n || lseek(fd, 0, SEEK_SET))
		abort();
	struct input *in = input_of_fd(fd, "fuzz.st");
	struct st_file *f = NULL;
	struct layout l;
	if (st_next(in, &f) == 1) {
		touch(f);
		if (!layout_read(&l, f, LAYOUT_MODEL))
			layout_free(&l);
		struct windows *w = windows_of(f); /* takes the file over */
		struct channel_column x;
		for (int c = 0; w && c < w->layout.channels.n; c++)
			if (windows_column(w, c, &x))
				for (int64_t i = 0; i < w->samples; i++)
					sink += x.base[i * x.step] > 0;
		windows_free(w);
	}
	input_close(in);
	return 0;
}
