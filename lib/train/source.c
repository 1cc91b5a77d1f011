#include "train/source.h"

#include "base/mem.h"
#include "eeg/split.h"

#include <stdlib.h>

struct source {
	const struct names *operands;
	const struct layout *like;
	enum missing_channel missing;
	int next;         /* operand to open */
	struct input *in; /* open, holds windows */
	struct names notes;
};

struct source *source_new(
	const struct names *operands, const struct layout *like, enum missing_channel missing)
{
	struct source *s = NEW(struct source);
	s->operands = operands;
	s->like = like;
	s->missing = missing;
	return s;
}

void source_free(struct source *s)
{
	if (!s)
		return;
	input_close(s->in);
	names_free(&s->notes);
	free(s);
}

const struct names *source_notes(const struct source *s)
{
	return &s->notes;
}

static struct windows *cut_recording(struct source *s, struct input *in)
{
	static const enum split_missing missing[] = {[MISSING_ERROR] = SPLIT_MISSING_ERROR,
		[MISSING_INTERP] = SPLIT_MISSING_INTERP,
		[MISSING_ZERO] = SPLIT_MISSING_ZERO};
	struct split_options o = split_defaults();
	o.like = s->like;
	o.missing = missing[s->missing];
	struct split *split = split_new(&o);
	struct windows *w = split && !split_add_input(split, in) ? split_finish(split) : NULL;
	if (split)
		for (int i = 0; i < split_notes(split)->n; i++)
			names_add(&s->notes, split_notes(split)->s[i]);
	split_free(split);
	return w;
}

int source_next(struct source *s, struct windows **w)
{
	for (;;) {
		if (s->in) {
			int r = windows_next(s->in, w);
			if (r)
				return r;
			input_close(s->in);
			s->in = NULL;
		}
		if (s->next >= (s->operands->n ? s->operands->n : 1))
			return 0;
		struct input *in = input_open(s->operands->n ? s->operands->s[s->next] : "-");
		s->next++;
		int kind = in ? input_kind(in) : -1;
		if (kind == INPUT_SAFETENSORS) {
			s->in = in;
			continue;
		}
		*w = kind < 0 ? NULL : cut_recording(s, in);
		input_close(in);
		return *w ? 1 : -1;
	}
}
