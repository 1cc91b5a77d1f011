#include "dataset/read.h"

#include "base/error.h"
#include "io/input.h"

int dataset_read(struct dataset **d, struct layout *target, const struct layout *like, const char *path)
{
	struct input *in = input_open(path);
	struct windows *w;
	int got = -1, n = 0;
	if (!in)
		return -1;
	int kind = input_kind(in);
	if (kind == INPUT_TEXT)
		err_set(EX_DATAERR, "%s: this is text, not windows; cut recordings with moe-split first",
			input_name(in));
	else if (kind == INPUT_SAFETENSORS)
		while ((got = windows_next(in, &w)) == 1) {
			n++;
			if (!target->length)
				layout_copy(target, like ? like : &w->layout);
			preprocessing_join(&target->preprocessing, &w->layout.preprocessing);
			if (!*d)
				*d = dataset_new(target, MISSING_ERROR);
			if (dataset_add(*d, w)) {
				got = -1;
				break;
			}
		}
	input_close(in);
	return got < 0 || !n ? -1 : 0;
}
