/* The windows, or the model, on either side of the comparison. */
#include "analysis/leak.h"

#include "base/error.h"
#include "base/json.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

static int add_model(struct leak_side *s, const struct st_file *f)
{
	const char *groups = st_meta(f, "moe.train_groups");
	s->model = true;
	if (!groups)
		return err_set(EX_DATAERR,
			"%s: the model does not say which groups it was trained on "
			"(moe.train_groups); give the windows it was trained on",
			f->name);
	char *what = mem_format("%s: metadata moe.train_groups", f->name);
	int bad = json_names(groups, &s->groups, what);
	free(what);
	return bad;
}

static int add_part(struct leak_side *s, const struct windows *w)
{
	ROOM_FOR_ONE(s->part, s->parts, s->room);
	s->part[s->parts] = w;
	return s->parts++;
}

static void add_place(struct leak_side *s, int part, int64_t window)
{
	SPILL_ROOM_FOR_ONE(&s->spill, s->place, s->n, s->place_room);
	s->place[s->n++] = (struct leak_place){part, window};
}

static void add_windows(struct leak_side *s, const struct windows *w)
{
	bool *used = NEW_ARRAY(bool, w->groups.n + 1);
	int part = add_part(s, w);
	for (int64_t i = 0; i < w->n; i++) {
		add_place(s, part, i);
		used[w->group[i]] = true;
	}
	for (int g = 0; g < w->groups.n; g++)
		if (used[g])
			names_intern(&s->groups, w->groups.s[g]);
	free(used);
}

static int add_file(struct leak_side *s, struct st_file *f, bool model_allowed)
{
	const char *format = st_meta(f, "moe.format");
	bool is_model = model_allowed && format && !strcmp(format, "model/1");
	if (s->model || (is_model && s->parts)) {
		st_free(f);
		return err_set(EX_DATAERR, "%s: holds a model and windows; give one of the two", s->name);
	}
	if (is_model) {
		int bad = add_model(s, f);
		st_free(f);
		return bad;
	}
	struct windows *w = windows_of(f);
	if (!w)
		return -1;
	add_windows(s, w);
	return 0;
}

int leak_side_read(struct leak_side *s, struct input *in, bool model_allowed)
{
	struct st_file *f;
	int kind = input_kind(in), got = 0, bad = kind < 0;
	s->name = mem_text(input_name(in));
	if (kind == INPUT_TEXT)
		return err_set(EX_DATAERR, "%s: text, not a windows file; make one with moe-split", s->name);
	while (!bad && (got = st_next(in, &f)) == 1)
		bad = add_file(s, f, model_allowed);
	return bad || got < 0 ? -1 : 0;
}

void leak_side_of(struct leak_side *s, const struct dataset *d, const int64_t *items, int64_t n)
{
	int *part = NEW_ARRAY(int, d->sources); /* 1 + that of the side */
	*s = (struct leak_side){.borrowed = true};
	for (int64_t i = 0; i < n; i++) {
		const struct item *it = &d->item[items[i]];
		if (!part[it->source])
			part[it->source] = 1 + add_part(s, dataset_windows(d, items[i]));
		add_place(s, part[it->source] - 1, it->window);
	}
	free(part);
}

void leak_side_free(struct leak_side *s)
{
	for (int i = 0; i < s->parts && !s->borrowed; i++)
		windows_free((struct windows *)s->part[i]);
	free(s->part);
	spill_free(&s->spill, s->place);
	free(s->name);
	names_free(&s->groups);
}
