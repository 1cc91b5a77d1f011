#include "io/lines.h"

#include "base/error.h"
#include "base/mem.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

int64_t lines_each(struct input *in, size_t longest, const char *maker,
	int (*take)(void *context, const char *line, size_t n, int64_t number), void *context)
{
	struct text rest = {0}; /* of a line that goes on in the next block */
	enum { BLOCK = 1 << 16 };
	char *block = mem_new(BLOCK, 1); /* not on the stack, which may be small */
	int64_t number = 0;
	int bad = 0;
	long n = 0;
	while (!bad && (n = input_read(in, block, BLOCK)) > 0) {
		const char *s = block, *end = block + n, *stop;
		while (!bad && (stop = memchr(s, '\n', (size_t)(end - s)))) {
			text_add_n(&rest, s, (size_t)(stop - s));
			bad = take(context, text_string(&rest), rest.n, ++number);
			rest.n = 0;
			s = stop + 1;
		}
		text_add_n(&rest, s, (size_t)(end - s));
		if (!bad && rest.n > longest)
			bad = err_set(EX_DATAERR,
				"%s:%lld: the line has more than %zu MB; this is not output of %s",
				input_name(in), (long long)number + 1, longest >> 20, maker);
	}
	if (!bad && !n && rest.n)
		bad = take(context, text_string(&rest), rest.n, ++number);
	text_free(&rest);
	free(block);
	return bad || n < 0 ? -1 : number;
}
