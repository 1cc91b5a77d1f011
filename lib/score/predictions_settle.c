#include "score/predictions.h"

#include "base/error.h"
#include "base/mem.h"
#include "score/metrics.h"

#include <stdlib.h>
#include <string.h>

/* --- order: by run as they came, by the names of group and recording, by start */

struct place {
	struct prediction_row row;
	int64_t from; /* where its p is */
};

static int compare_places(const void *a, const void *b)
{
	const struct prediction_row *x = &((const struct place *)a)->row,
				    *y = &((const struct place *)b)->row;
	return x->run != y->run               ? (x->run > y->run) - (x->run < y->run)
	       : x->group != y->group         ? (x->group > y->group) - (x->group < y->group)
	       : x->recording != y->recording ? (x->recording > y->recording) - (x->recording < y->recording)
					      : (x->start > y->start) - (x->start < y->start);
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Sorts names, which are all different; new_of [n] = where each went. To be freed. */
static int *sort_names(struct names *l)
{
	struct names old;
	int *new_of = NEW_ARRAY(int, l->n + 1);
	names_copy(&old, l);
	names_sort(l);
	for (int i = 0; i < l->n; i++) {
		char *const *at = bsearch(&old.s[i], l->s, (size_t)l->n, sizeof *l->s, compare_names);
		new_of[i] = (int)(at - l->s);
	}
	names_free(&old);
	return new_of;
}

static void sort_rows(struct predictions *a)
{
	struct place *place = NEW_ARRAY(struct place, a->n);
	double *p = NEW_ARRAY(double, a->n * a->width);
	int *recording = sort_names(&a->recordings), *group = sort_names(&a->groups);
	for (int64_t i = 0; i < a->n; i++) {
		place[i] = (struct place){a->row[i], i};
		place[i].row.recording = recording[a->row[i].recording];
		place[i].row.group = group[a->row[i].group];
	}
	qsort(place, (size_t)a->n, sizeof *place, compare_places);
	for (int64_t i = 0; i < a->n; i++) {
		a->row[i] = place[i].row;
		memcpy(p + i * a->width, a->p + place[i].from * a->width, (size_t)a->width * sizeof *p);
	}
	free(a->p);
	a->p = p;
	a->p_room = a->n;
	free(place);
	free(recording);
	free(group);
}

/* --- every window once, and the same ones in each run */

static bool same_window(const struct prediction_row *x, const struct prediction_row *y)
{
	return x->group == y->group && x->recording == y->recording && x->start == y->start;
}

static char *window_name(const struct predictions *a, const struct prediction_row *x)
{
	return x->start < 0
		       ? mem_format(
				 "recording %s of %s", a->recordings.s[x->recording], a->groups.s[x->group])
		       : mem_format("the window of %s (%s) at sample %lld", a->recordings.s[x->recording],
				 a->groups.s[x->group], (long long)x->start);
}

static int check_once(const struct predictions *a)
{
	for (int64_t i = 1; i < a->n; i++) {
		const struct prediction_row *x = &a->row[i - 1], *y = &a->row[i];
		if (x->run != y->run || !same_window(x, y))
			continue;
		if (x->file > y->file || (x->file == y->file && x->line > y->line)) {
			x = y;
			y = &a->row[i - 1];
		}
		char *what = window_name(a, x);
		err_set(EX_DATAERR,
			"%s:%lld: %s is also at %s:%lld%s; score repeated runs separately, or distinguish "
			"their lines by a key \"seed\"",
			a->files.s[y->file], (long long)y->line, what, a->files.s[x->file],
			(long long)x->line, a->runs.n ? " in this run" : "");
		free(what);
		return -1;
	}
	return 0;
}

/* Rows are sorted: windows a run, or an error that names one which a run lacks. */
static int check_runs(struct predictions *a, const char *what)
{
	int runs = predictions_runs(a);
	a->windows = 0;
	while (a->windows < a->n && a->row[a->windows].run == 0)
		a->windows++;
	for (int s = 1; s < runs; s++)
		for (int64_t i = 0; i < a->windows; i++) {
			int64_t at = s * a->windows + i;
			const struct prediction_row *x = &a->row[i], *y = at < a->n ? &a->row[at] : NULL;
			if (!y || y->run != s || !same_window(x, y)) {
				char *name = window_name(a, x);
				err_set(EX_DATAERR,
					"%s: %s and %s do not have the same %swindows (see %s); score them "
					"separately",
					a->files.s[x->file], a->runs.s[0], a->runs.s[s], what, name);
				free(name);
				return -1;
			}
		}
	if (a->windows * runs < a->n)
		return err_set(EX_DATAERR,
			"%s: %s and %s do not have the same %swindows; score them separately", a->files.s[0],
			a->runs.s[0], a->runs.s[a->row[a->windows * runs].run], what);
	return 0;
}

/* --- one row of each recording */

static void mean_of(const double *p, int64_t n, int width, double *mean)
{
	for (int c = 0; c < width; c++) {
		double sum = 0;
		for (int64_t i = 0; i < n; i++)
			sum += p[i * width + c];
		mean[c] = sum / (double)n;
	}
}

/* Rows from .. to - 1 become row `to_row`. Its place was read before, as to_row <= from. */
static void average_recording(struct predictions *a, int64_t from, int64_t to, int64_t to_row)
{
	struct prediction_row x = a->row[from];
	double *mean = NEW_ARRAY(double, a->width);
	bool mixed = false, answered = false;
	mean_of(a->p + from * a->width, to - from, a->width, mean);
	for (int64_t i = from; i < to; i++) {
		int label = a->row[i].label;
		if (x.label < 0)
			x.label = label;
		mixed |= label >= 0 && label != x.label;
		answered |= a->row[i].named >= 0;
	}
	x.best = metrics_likeliest(mean, a->width);
	x.named = answered ? x.best : -1;
	x.start = -1;
	if (mixed) {
		x.label = -1;
		a->mixed += x.run == 0;
	}
	a->row[to_row] = x;
	memcpy(a->p + to_row * a->width, mean, (size_t)a->width * sizeof *mean);
	free(mean);
}

static void average_recordings(struct predictions *a)
{
	int64_t n = 0;
	for (int64_t from = 0, to; from < a->n; from = to) {
		const struct prediction_row *x = &a->row[from];
		for (to = from + 1; to < a->n && a->row[to].run == x->run && a->row[to].group == x->group &&
				    a->row[to].recording == x->recording;
			to++)
			;
		average_recording(a, from, to, n++);
	}
	a->n = n;
}

/* --- what can be scored */

static int keep_labelled(struct predictions *a)
{
	int64_t n = 0;
	for (int64_t i = 0; i < a->n; i++) {
		if (a->row[i].label < 0) {
			a->unlabelled += a->row[i].run == 0;
			continue;
		}
		a->rejected += a->row[i].named < 0;
		a->row[n] = a->row[i];
		memmove(a->p + n * a->width, a->p + i * a->width, (size_t)a->width * sizeof *a->p);
		n++;
	}
	a->unlabelled -= a->mixed;
	a->n = n;
	if (!n)
		return err_set(EX_DATAERR, "%s: %s", a->files.s[0],
			a->mixed ? "every recording has windows of several labels; score windows (--per "
				   "window)"
				 : "no line has a label; accuracy needs labelled windows (moe-split "
				   "--label-column)");
	return 0;
}

/* Groups of the windows that are left, numbered anew. */
static void find_groups(struct predictions *a)
{
	struct names left = {0};
	int last = -1;
	a->group_from = NEW_ARRAY(int64_t, a->groups.n + 1);
	for (int64_t i = 0; i < a->n; i++) {
		struct prediction_row *x = &a->row[i];
		if (i % a->windows == 0) {
			last = -1;
			names_free(&left);
			left = (struct names){0};
		}
		if (x->group != last) {
			last = x->group;
			a->group_from[names_add(&left, a->groups.s[last])] = i % a->windows;
		}
		x->group = left.n - 1;
	}
	a->group_from[left.n] = a->windows;
	names_free(&a->groups);
	a->groups = left;
}

int predictions_settle(struct predictions *a, bool per_recording)
{
	if (predictions_find_classes(a))
		return -1;
	sort_rows(a);
	if (check_once(a) || check_runs(a, ""))
		return -1;
	if (per_recording)
		average_recordings(a);
	if (keep_labelled(a) || check_runs(a, "labelled "))
		return -1;
	find_groups(a);
	return 0;
}
