/* The text inputs of a report: counts as report_raw writes them, distinguished from JSON Lines. */
#include "analysis/report.h"

#include "base/error.h"
#include "base/json.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

enum { LARGEST_COUNTS = 256 << 20, BLOCK = 1 << 16 };

bool report_is_lines(struct input *in)
{
	static const char raw[] = "{\"format\":\"usage/";
	size_t n;
	const unsigned char *s = input_peek(in, sizeof raw - 1, &n);
	return s && n && *s == '{' && (n < sizeof raw - 1 || memcmp(s, raw, sizeof raw - 1) != 0);
}

static int read_text(struct input *in, struct text *t)
{
	char *block = mem_new(BLOCK, 1);
	long n = 0;
	int bad = 0;
	while (!bad && (n = input_read(in, block, BLOCK)) > 0) {
		text_add_n(t, block, (size_t)n);
		if (t->n > LARGEST_COUNTS)
			bad = err_set(EX_DATAERR,
				"%s: more than 256 MB of counts, the most that --merge reads from one file",
				input_name(in));
	}
	free(block);
	return bad || n < 0 ? -1 : 0;
}

int report_merge_input(struct report *r, struct input *in)
{
	struct text t = {0};
	int kind = input_kind(in), bad = kind < 0;
	if (kind == INPUT_SAFETENSORS)
		bad = err_set(EX_DATAERR,
			"%s: a safetensors file; --merge reads counts written by moe-stats --raw",
			input_name(in));
	bad = bad || read_text(in, &t);
	cJSON *json = bad ? NULL : json_parse(text_string(&t), t.n, input_name(in));
	bad = !json || report_merge(r, json, input_name(in));
	cJSON_Delete(json);
	text_free(&t);
	return bad ? -1 : 0;
}
