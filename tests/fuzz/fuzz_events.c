/* A file of events from a stranger beside a plain recording; the first bytes choose options. */
#include "cut/split.h"

#include "base/error.h"
#include "base/mem.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

enum { ROWS = 64 };

static int file_of(const void *data, size_t n)
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC);
	if (fd < 0 || write(fd, data, n) != (ssize_t)n || lseek(fd, 0, SEEK_SET))
		abort();
	return fd;
}

/* A ramp; dated: with times since 1970, and a gap. */
static struct input *recording(bool dated)
{
	struct text t = {0};
	text_add(&t, dated ? "time,a\n" : "a,b\n");
	for (int i = 0; i < ROWS; i++)
		text_addf(&t, "%.1f,%d\n", dated ? 1038942070 + (i < 20 ? i : i + 5) / 10.0 : i, i);
	int fd = file_of(t.s, t.n);
	text_free(&t);
	return input_of_fd(fd, "fuzz.csv");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	if (n < 2)
		return 0;
	struct reading_options o = split_defaults();
	o.window.amount = 1 + (data[0] & 7);
	o.experts = 1;
	o.halo = 0;
	o.rate = 10;
	o.keep_last = data[0] >> 3 & 1;
	o.explain = data[0] >> 4 & 1;
	o.max_classes = 10;
	o.events.drop_outside = data[0] >> 5 & 1;
	o.events.unit = (enum event_unit)(data[0] >> 6);
	o.events.stop_given = data[1] & 1;
	o.events.stop = (struct span){data[1] >> 4, false};
	o.events.start = (struct span){-(data[1] >> 2 & 3), false};
	int fd = file_of(data + 2, n - 2);
	char *path = mem_format("/proc/self/fd/%d", fd);
	names_add(&o.events.files, path);
	struct split *s = split_new(&o);
	struct input *in = recording(data[1] & 2);
	if (!split_add_input(s, in)) {
		struct windows *w = split_finish(s);
		struct text t = {0};
		split_explain(s, &t);
		for (int64_t i = 0; w && i < w->n; i++)
			if (w->start[i] < 0 || w->start[i] + windows_samples(w, i) > w->samples ||
				w->label[i] < 0 || w->label[i] >= w->layout.classes.n)
				abort();
		text_free(&t);
		windows_free(w);
	}
	input_close(in);
	split_free(s);
	names_free(&o.events.files);
	free(path);
	close(fd);
	return 0;
}
