/* The whole way of a recording: the first bytes choose options, the rest is the file. */
#include "cut/split.h"

#include "base/error.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static struct input *input_of(const uint8_t *data, size_t n)
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC);
	if (fd < 0 || write(fd, data, n) != (ssize_t)n || lseek(fd, 0, SEEK_SET))
		abort();
	return input_of_fd(fd, "fuzz.csv");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	if (n < 4)
		return 0;
	struct reading_options o = split_defaults();
	o.window.amount = 1 + (data[0] & 7);
	o.stride.amount = data[0] >> 3 & 3;
	o.experts = 1 + (data[0] >> 5 & 1);
	o.align = data[1] & 1;
	o.rule = (enum label_rule)((data[1] >> 1 & 3) % 3);
	o.value = (enum missing_value)((data[1] >> 3 & 3) % 3);
	o.explain = data[1] >> 5 & 1;
	o.reading.header = data[1] >> 6 & 3;
	o.rate = data[2] & 1 ? 100 : 0;
	o.max_row = data[2] & 2 ? 100 : 1 << 16;
	o.max_columns = 64;
	o.max_classes = 10;
	o.reading.dialect = data[3] & 15;
	o.reading.dialect = o.reading.dialect < 12 ? o.reading.dialect : 0;
	o.reading.ragged = (data[3] >> 4 & 3) % 3;
	o.reading.decimal = data[3] >> 6 & 1 ? "," : NULL;
	if (data[2] & 4)
		names_add(&o.ignore, "0");
	struct split *s = split_new(&o);
	struct input *in = input_of(data + 4, n - 4);
	if (!split_add_input(s, in)) {
		struct windows *w = split_finish(s);
		struct text t = {0};
		split_explain(s, &t);
		split_explain_words(s, &t);
		for (int64_t i = 0; w && i < w->n; i++)
			if (w->start[i] < 0 || w->start[i] + w->layout.length > w->samples ||
				w->label[i] < -1 || w->label[i] >= w->layout.classes.n)
				abort();
		for (int64_t i = 0; w && i < w->samples * w->layout.channels.n; i++)
			if (!(w->signal[i] - w->signal[i] == 0)) /* everything is finite */
				abort();
		text_free(&t);
		windows_free(w);
	}
	input_close(in);
	split_free(s);
	names_free(&o.ignore);
	return 0;
}
