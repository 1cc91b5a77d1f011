#include "dataset/condition.h"

#include "base/error.h"
#include "base/mem.h"

#include <stdlib.h>

static const char *const kind[] = {[CONDITION_RECORDING] = "recording",
	[CONDITION_GROUP] = "group",
	[CONDITION_CONDITION] = "condition"};

/* The names windows have for it. */
static const struct names *names_of(const struct windows *w, int by)
{
	return by == CONDITION_RECORDING ? &w->recordings
	       : by == CONDITION_GROUP   ? &w->groups
					 : &w->conditions;
}

/* Index of a window's among them, -1 = it has none. */
static int index_of(const struct windows *w, int64_t window, int by)
{
	if (by == CONDITION_CONDITION)
		return w->condition ? w->condition[window] : -1;
	return by == CONDITION_RECORDING ? w->recording[window] : w->group[window];
}

int conditions_collect(
	const struct dataset *d, const struct config *c, const int64_t *items, int64_t n, struct names *to)
{
	const struct windows *last = NULL;
	char *seen = NULL;
	int by = c->moe.condition;
	bool wanted = config_conditioned(c);
	for (int64_t i = 0; i < n && wanted; i++) {
		int64_t item = items ? items[i] : i;
		const struct windows *w = dataset_windows(d, item);
		const struct names *names = names_of(w, by);
		int at = index_of(w, d->item[item].window, by);
		if (w != last) {
			free(seen);
			seen = NEW_ARRAY(char, names->n);
			last = w;
		}
		if (at >= 0 && !seen[at]++)
			names_intern(to, names->s[at]);
	}
	free(seen);
	if (to->n || !wanted)
		return 0;
	return err_set(EX_DATAERR,
		"moe.router=%s: no window has a condition; name the conditions when cutting (moe-split "
		"--condition), or set moe.condition to group or recording",
		config_router(c)->name);
}

static int refuse_condition(const struct dataset *d, const struct model *m, int64_t item, const char *name)
{
	const struct windows *w = dataset_windows(d, item);
	const char *recording = d->recordings.s[d->item[item].recording],
		   *what = kind[m->config.moe.condition];
	char *known = names_join(&m->layout.conditions, ", ");
	if (name)
		err_set(EX_DATAERR,
			"%s: recording %s: the model does not know %s %s, only %.300s; a model trained with "
			"moe.condition_unknown above 0 accepts others",
			w->name, recording, what, name, known);
	else
		err_set(EX_DATAERR,
			"%s: recording %s has no condition; the model knows %.300s; name the condition when "
			"cutting the recording (--condition, --condition-name), or train with "
			"moe.condition_unknown above 0",
			w->name, recording, known);
	free(known);
	return -1;
}

/* row [names]: the embedding of each name the windows have, -1 = the model does not know it. */
static int *rows_of(const struct names *names, const struct names *known)
{
	int *row = NEW_ARRAY(int, names->n);
	for (int i = 0; i < names->n; i++)
		row[i] = names_find(known, names->s[i]);
	return row;
}

int conditions_bind(struct dataset *d, const struct model *m, const int64_t *items, int64_t n)
{
	const struct windows *last = NULL;
	int *row = NULL, by = m->config.moe.condition, bad = 0;
	for (int64_t i = 0; i < n && m->conditions && !bad; i++) {
		int64_t item = items ? items[i] : i;
		const struct windows *w = dataset_windows(d, item);
		const struct names *names = names_of(w, by);
		int at = index_of(w, d->item[item].window, by);
		if (w != last) {
			free(row);
			row = rows_of(names, &m->layout.conditions);
			last = w;
		}
		int found = at < 0 || row[at] < 0 ? m->unknown : row[at];
		if (found < 0)
			bad = refuse_condition(d, m, item, at < 0 ? NULL : names->s[at]);
		d->item[item].condition = found;
	}
	free(row);
	return bad;
}
