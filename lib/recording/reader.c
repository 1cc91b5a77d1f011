#include "recording/reader.h"

#include "base/error.h"
#include "base/mem.h"

#include <stdlib.h>

/* Bytes that are enough to distinguish text from binary data: a live stream is waited for no
 * longer. */
enum { AHEAD = 256, AHEAD_OF_STREAM = 64 };

static const struct recording_reader *format_of(struct input *in)
{
	const struct recording_reader *text = NULL;
	const unsigned char *first = NULL;
	size_t n = 0;
	int fd;
	uint64_t size;
	for (int i = 0; reader_table[i]; i++) {
		const struct recording_reader *f = reader_table[i];
		if (!f->recognises) {
			text = text ? text : f;
			continue;
		}
		if (!first)
			first = input_peek(in, input_is_file(in, &fd, &size) ? AHEAD : AHEAD_OF_STREAM, &n);
		if (!first) /* the reader of text meets the same error, and reports it */
			return text;
		if (f->recognises(first, n))
			return f;
	}
	return text;
}

bool reader_recognises(struct input *in)
{
	return format_of(in)->recognises;
}

/* Options that only text has. */
static int check_options(const struct reader *r, const struct reading_text *o)
{
	const char *given = o->delim     ? "--delim"
			    : o->decimal ? "--decimal"
			    : o->header  ? "--header"
			    : o->ragged  ? "--ragged"
			    : o->dialect ? "--dialect"
					 : NULL;
	return given && r->format->recognises ? err_set(EX_USAGE,
							"%s: %s applies only to recordings as text, and this "
							"one is %s; leave it out",
							r->file, given, r->format->name)
					      : 0;
}

int reader_open(struct reader *r, struct input *in, const struct reading_options *o, struct header_info *f)
{
	*f = (struct header_info){0};
	*r = (struct reader){.format = format_of(in), .in = in, .file = input_name(in)};
	if (check_options(r, &o->reading) || r->format->open(r, o, f))
		return -1;
	if (!f->role)
		header_info_begin(f, r->names.n);
	if (!f->dialect)
		f->dialect = r->format->name;
	return 0;
}

bool reader_ready(struct reader *r)
{
	return r->format->ready ? r->format->ready(r) : input_ready(r->in);
}

int reader_events(struct reader *r, struct annotations *a)
{
	return r->format->events ? r->format->events(r, a) : 0;
}

void reader_close(struct reader *r)
{
	if (r->format)
		r->format->close(r);
	names_free(&r->names);
	names_free(&r->units);
	*r = (struct reader){0};
}

void annotations_add(struct annotations *a, double onset, double duration, const char *text)
{
	ROOM_FOR_ONE(a->a, a->n, a->room);
	a->a[a->n++] = (struct annotation){onset, duration, mem_text(text)};
}

void annotations_free(struct annotations *a)
{
	for (int i = 0; i < a->n; i++)
		free(a->a[i].text);
	free(a->a);
	*a = (struct annotations){0};
}
