#include "predict/source.h"

#include "base/error.h"
#include "base/mem.h"
#include "cut/live.h"
#include "recording/reader.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct source {
	const struct names *operands;
	int next;         /* operand to open */
	struct input *in; /* open, holds windows or what is being cut */
	struct reading_options options;
	struct split *split; /* of the recording that is being cut */
	struct live *live;   /* and while it arrives */
	int most, noted;     /* notes taken over from split */
	struct names notes;
	const char *refusal; /* of recordings, or NULL */
};

struct source *source_new(const struct names *operands, const struct layout *like,
	enum missing_channel missing, const struct reading_naming *naming, const struct reading_text *reading,
	int most)
{
	struct source *s = NEW(struct source);
	s->operands = operands;
	s->options = split_defaults();
	s->options.like = like;
	s->options.missing = missing;
	if (naming)
		s->options.naming = *naming;
	if (reading)
		s->options.reading = *reading;
	s->most = most;
	return s;
}

void source_refuse_recordings(struct source *s, const char *why)
{
	s->refusal = why;
}

static void close_input(struct source *s)
{
	live_free(s->live);
	split_free(s->split);
	input_close(s->in);
	s->live = NULL;
	s->split = NULL;
	s->in = NULL;
	s->noted = 0;
}

void source_free(struct source *s)
{
	if (!s)
		return;
	close_input(s);
	names_free(&s->notes);
	free(s);
}

const struct names *source_notes(const struct source *s)
{
	return &s->notes;
}

static void take_notes(struct source *s)
{
	for (; s->noted < split_notes(s->split)->n; s->noted++)
		names_add(&s->notes, split_notes(s->split)->s[s->noted]);
}

static int next_live(struct source *s, struct windows **w)
{
	int r = live_next(s->live, s->most, w);
	take_notes(s);
	return r ? r : split_check(s->split);
}

static int cut_recording(struct source *s, struct windows **w)
{
	int fd;
	uint64_t size;
	s->split = split_new(&s->options);
	if (!s->split || split_begin(s->split, s->in))
		return -1;
	if (s->most && !input_is_file(s->in, &fd, &size)) {
		s->live = live_new(s->split, s->in);
		return s->live ? next_live(s, w) : -1;
	}
	*w = split_rest(s->split) ? NULL : split_finish(s->split);
	take_notes(s);
	if (!*w)
		return -1;
	close_input(s);
	return 1;
}

/* Windows have their names, and are no text. */
static int refuse_options(const struct source *s)
{
	const struct reading_naming *n = &s->options.naming;
	const struct reading_text *r = &s->options.reading;
	const char *given = n->group            ? "--group"
			    : n->group_name     ? "--group-name"
			    : n->condition      ? "--condition"
			    : n->condition_name ? "--condition-name"
			    : r->dialect        ? "--dialect"
			    : r->delim          ? "--delim"
			    : r->decimal        ? "--decimal"
			    : r->header         ? "--header"
			    : r->ragged         ? "--ragged"
			    : r->time_column    ? "--time-column"
			    : r->time_unit      ? "--time-unit"
			    : r->unit           ? "--unit"
						: NULL;
	return given ? err_set(EX_USAGE,
			       "%s: a file of windows, and %s is for recordings only; give it to moe-split",
			       input_name(s->in), given)
		     : 0;
}

int source_next(struct source *s, struct windows **w)
{
	for (;;) {
		if (s->in) {
			int r = s->live ? next_live(s, w) : windows_next(s->in, w);
			if (r)
				return r;
			close_input(s);
		}
		if (s->next >= (s->operands->n ? s->operands->n : 1))
			return 0;
		s->in = input_open(s->operands->n ? s->operands->s[s->next] : "-");
		s->next++;
		int kind = !s->in ? -1 : reader_recognises(s->in) ? INPUT_TEXT : input_kind(s->in);
		if (kind < 0)
			return -1;
		if (kind == INPUT_TEXT && s->refusal)
			return err_set(EX_DATAERR, "%s: %s", input_name(s->in), s->refusal);
		if (kind == INPUT_TEXT)
			return cut_recording(s, w);
		if (refuse_options(s))
			return -1;
	}
}

bool source_live(const struct source *s)
{
	return s->live != NULL;
}

bool source_is_files(const struct names *operands)
{
	struct stat info;
	bool all = true;
	for (int i = 0; i < operands->n; i++)
		if (strcmp(operands->s[i], "-"))
			all &= !stat(operands->s[i], &info) && S_ISREG(info.st_mode);
		else
			all &= !fstat(STDIN_FILENO, &info) && S_ISREG(info.st_mode);
	if (!operands->n)
		all = !fstat(STDIN_FILENO, &info) && S_ISREG(info.st_mode);
	return all;
}

bool source_ready(struct source *s)
{
	int fd;
	uint64_t size;
	if (!s->in || s->live) /* live_next has taken all there is */
		return false;
	return !input_is_file(s->in, &fd, &size) && input_ready(s->in);
}
