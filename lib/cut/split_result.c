/* What came of the recordings: the classes in order, and the windows over the spooled rows. */
#include "cut/split_state.h"

#include "base/error.h"
#include "base/mem.h"
#include "cut/sidecars.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool all_whole(const struct names *l)
{
	long long v;
	for (int i = 0; i < l->n; i++)
		if (!text_to_long(l->s[i], &v))
			return false;
	return true;
}

static int by_number(const void *a, const void *b, void *names)
{
	const struct names *l = names;
	long long x = atoll(l->s[*(const int *)a]), y = atoll(l->s[*(const int *)b]);
	return x < y ? -1 : x > y;
}

static int by_bytes(const void *a, const void *b, void *names)
{
	const struct names *l = names;
	return strcmp(l->s[*(const int *)a], l->s[*(const int *)b]);
}

/* The classes in their final order: those given or of the model as they are, those found behind
 * them sorted. to [labels]: the final index of each label. */
static void order_classes(const struct split *s, struct names *classes, int *to)
{
	int fixed = s->o->like ? s->o->like->classes.n : s->o->classes.n, n = s->labels.n;
	int *order = NEW_ARRAY(int, n + 1);
	for (int i = 0; i < n; i++)
		order[i] = i;
	if (n > fixed)
		qsort_r(order + fixed, (size_t)(n - fixed), sizeof *order,
			all_whole(&s->labels) ? by_number : by_bytes, (void *)(uintptr_t)&s->labels);
	for (int i = 0; i < n; i++) {
		names_add(classes, s->labels.s[order[i]]);
		to[order[i]] = i;
	}
	free(order);
}

struct owned {
	struct cut_table table;
	int32_t *condition; /* [n], or NULL */
	struct spill condition_spill;
	struct row_file row_file;
	float *map;
};

static void release_owned(struct windows *w)
{
	struct owned *o = w->owner;
	row_file_unmap(&o->row_file, o->map);
	close(o->row_file.fd);
	cut_free(&o->table);
	spill_free(&o->condition_spill, o->condition);
	free(o);
}

int split_check(const struct split *s)
{
	if (s->windows)
		return 0;
	if (!s->recordings.n)
		return err_set(EX_USAGE, "there is no recording");
	if (s->left_out)
		return err_set(EX_DATAERR,
			"no window: all %lld contain cells without a value; --missing interp interpolates "
			"them",
			(long long)s->left_out);
	if ((s->o->events.files.n || s->o->events.own) && !s->trials)
		return err_set(EX_DATAERR, "no window, because no event makes a trial: %s",
			s->notes.n ? s->notes.s[s->notes.n - 1] : "there are none");
	return err_set(EX_DATAERR, "no window: %s; choose a shorter --window",
		s->notes.n ? s->notes.s[s->notes.n - 1] : "the recordings are too short");
}

/* The condition of each window, that of its recording. */
static void set_conditions(const struct split *s, struct windows *w, struct owned *own)
{
	int *to = NEW_ARRAY(int, s->conditions.n);
	for (int i = 0; i < s->conditions.n; i++)
		to[i] = names_intern(&w->conditions, s->conditions.s[i]);
	own->condition = spill_grow(&own->condition_spill, NULL, (size_t)w->n * sizeof *own->condition);
	for (int64_t i = 0; i < w->n; i++)
		own->condition[i] = to[w->recording[i]];
	w->condition = own->condition;
	free(to);
}

struct windows *split_finish(struct split *s)
{
	sidecars_note_unmet(s);
	if (split_check(s))
		return NULL;
	float *map = row_file_map(&s->row_file, false);
	if (!map)
		return NULL;
	struct windows *w = NEW(struct windows);
	struct owned *own = NEW(struct owned);
	*own = (struct owned){.table = s->table, .row_file = s->row_file, .map = map};
	w->name = mem_text(s->recordings.n == 1 ? s->recordings.s[0] : "the recordings");
	layout_copy(&w->layout, &s->layout);
	names_free(&w->layout.classes);
	int *to = NEW_ARRAY(int, s->labels.n + 1);
	order_classes(s, &w->layout.classes, to);
	for (int64_t i = 0; i < own->table.n; i++)
		if (own->table.label[i] >= 0)
			own->table.label[i] = to[own->table.label[i]];
	free(to);
	names_copy(&w->recordings, &s->recordings);
	names_copy(&w->groups, &s->groups);
	w->samples = s->row_file.rows;
	w->signal = map;
	w->n = own->table.n;
	w->start = own->table.start;
	w->sample = own->table.sample;
	w->valid = own->table.partial ? own->table.valid : NULL;
	w->label = own->table.label;
	w->recording = own->table.recording;
	w->group = own->table.group;
	if (s->conditions.n)
		set_conditions(s, w, own);
	w->release = release_owned;
	w->owner = own;
	s->table = (struct cut_table){0}; /* theirs now */
	s->row_file.fd = -1;
	return w;
}
