#include "score/score.h"

#include "base/mem.h"
#include "score/chance.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static int groups_of(const struct score *s)
{
	return s->predictions->groups.n;
}

/* --- means over runs */

static void score_runs(struct score *s)
{
	const struct predictions *a = s->predictions;
	int C = a->width, runs = predictions_runs(a);
	int64_t *confusion = NEW_ARRAY(int64_t, C * C);
	s->by_run = mem_new((size_t)runs, sizeof *s->by_run);
	for (int i = 0; i < runs; i++) {
		metric_values(a, i * a->windows, (i + 1) * a->windows, false, s->by_run[i], confusion);
		for (int f = 0; f < METRICS; f++)
			s->value[f] += s->by_run[i][f] / runs;
		for (int c = 0; c < C * C; c++)
			s->confusion[c] += confusion[c];
	}
	free(confusion);
}

static struct chance chance_of(int64_t windows, double level)
{
	return (struct chance){level, chance_limit(windows, level, 0.95), chance_limit(windows, level, 0.99)};
}

static void score_groups(struct score *s)
{
	const struct predictions *a = s->predictions;
	int runs = predictions_runs(a);
	int64_t *confusion = NEW_ARRAY(int64_t, a->width * a->width);
	double value[METRICS];
	s->group = NEW_ARRAY(struct group_score, groups_of(s));
	for (int g = 0; g < groups_of(s); g++) {
		struct group_score *x = &s->group[g];
		x->windows = a->group_from[g + 1] - a->group_from[g];
		for (int i = 0; i < runs; i++) {
			int64_t first = i * a->windows;
			metric_values(a, first + a->group_from[g], first + a->group_from[g + 1], false, value,
				confusion);
			for (int f = 0; f < METRICS; f++)
				x->value[f] += value[f] / runs;
		}
		x->chance = chance_of(x->windows, 1.0 / a->width);
	}
	free(confusion);
}

/* --- intervals: groups drawn again, the accuracies from their counts */

struct tally {
	int runs, groups, C;
	int64_t *right, *windows; /* [runs][groups][C] by label */
};

static struct tally tally_of(const struct predictions *a, bool answered)
{
	struct tally t = {predictions_runs(a), a->groups.n, a->width, NULL, NULL};
	size_t n = (size_t)t.runs * (size_t)t.groups * (size_t)t.C;
	t.right = NEW_ARRAY(int64_t, n);
	t.windows = NEW_ARRAY(int64_t, n);
	for (int64_t i = 0; i < a->n; i++) {
		const struct prediction_row *x = &a->row[i];
		int64_t at = ((int64_t)x->run * t.groups + x->group) * t.C + x->label;
		if (answered && x->named < 0)
			continue;
		t.windows[at]++;
		t.right[at] += x->best == x->label;
	}
	return t;
}

static void tally_free(struct tally *t)
{
	free(t->right);
	free(t->windows);
}

/* With group g counted times[g] times, or each once (NULL); NAN without any window. */
static void accuracies_of(const struct tally *t, const int *times, double *accuracy, double *balanced)
{
	*accuracy = *balanced = 0;
	for (int s = 0; s < t->runs; s++) {
		double right = 0, windows = 0, recalls = 0;
		int classes = 0;
		for (int c = 0; c < t->C; c++) {
			double r = 0, n = 0;
			for (int g = 0; g < t->groups; g++) {
				int64_t at = ((int64_t)s * t->groups + g) * t->C + c;
				int k = times ? times[g] : 1;
				r += (double)(k * t->right[at]);
				n += (double)(k * t->windows[at]);
			}
			right += r;
			windows += n;
			if (n > 0) {
				recalls += r / n;
				classes++;
			}
		}
		*accuracy += (windows > 0 ? right / windows : NAN) / t->runs;
		*balanced += (classes ? recalls / classes : NAN) / t->runs;
	}
}

static double mean_over_groups(const struct score *s, enum metric f, const int *times)
{
	double sum = 0;
	for (int g = 0; g < groups_of(s); g++)
		sum += (times ? times[g] : 1) * s->group[g].value[f];
	return sum / groups_of(s);
}

static void find_intervals(struct score *s, const struct tally *all, const struct tally *answered)
{
	enum { KINDS = 6 };
	int n = groups_of(s) > 1 ? s->resamples : 0, *times = NEW_ARRAY(int, groups_of(s));
	double *draw[KINDS];
	struct interval *to[KINDS] = {&s->accuracy, &s->balanced, &s->answered.accuracy_interval,
		&s->answered.balanced_interval, &s->over_groups.accuracy_interval,
		&s->over_groups.balanced_interval};
	for (int k = 0; k < KINDS; k++)
		draw[k] = NEW_ARRAY(double, n);
	for (int i = 0; i < n; i++) {
		resample_groups(s->seed, i, groups_of(s), times);
		accuracies_of(all, times, &draw[0][i], &draw[1][i]);
		accuracies_of(answered, times, &draw[2][i], &draw[3][i]);
		draw[4][i] = mean_over_groups(s, METRIC_ACCURACY, times);
		draw[5][i] = mean_over_groups(s, METRIC_BALANCED_ACCURACY, times);
	}
	for (int k = 0; k < KINDS; k++) {
		*to[k] = resample_interval(draw[k], n);
		free(draw[k]);
	}
	free(times);
}

/* --- notes */

/* Windows of each class in the first run [C] -> the most frequent one; notes which classes have
 * none. */
static int64_t *count_class_windows(struct score *s)
{
	const struct predictions *a = s->predictions;
	int64_t *n = NEW_ARRAY(int64_t, a->width);
	struct names absent = {0};
	for (int64_t i = 0; i < a->windows; i++)
		n[a->row[i].label]++;
	for (int c = 0; c < a->width; c++) {
		if (n[c] > n[s->most_frequent])
			s->most_frequent = c;
		if (!n[c])
			names_add(&absent, a->classes.s[c]);
	}
	if (absent.n) {
		char *list = names_join(&absent, ", ");
		char *note = mem_format("no window has the label %s: balanced accuracy and AUROC are those "
					"of the other classes",
			list);
		names_add(&s->notes, note);
		free(note);
		free(list);
	}
	names_free(&absent);
	return n;
}

static void add_count_note(struct score *s, int64_t n, const char *what)
{
	if (!n)
		return;
	char *note = mem_format("%lld %s", (long long)n, what);
	names_add(&s->notes, note);
	free(note);
}

static void collect_notes(struct score *s)
{
	const struct predictions *a = s->predictions;
	add_count_note(s, a->unlabelled,
		s->per_recording ? "recordings without a label are not counted"
				 : "windows without a label are not counted");
	add_count_note(s, a->mixed, "recordings with windows of several labels are not counted");
	if (groups_of(s) < 2)
		names_add(
			&s->notes, "there is only one group (subject), so there are no confidence intervals");
}

void score_predictions(
	struct score *s, const struct predictions *a, bool per_recording, int resamples, uint64_t seed)
{
	*s = (struct score){
		.predictions = a, .per_recording = per_recording, .resamples = resamples, .seed = seed};
	s->confusion = NEW_ARRAY(int64_t, a->width * a->width);
	score_runs(s);
	score_groups(s);
	struct tally all = tally_of(a, false), answered = tally_of(a, true);
	s->coverage = 1 - (double)a->rejected / (double)a->n;
	accuracies_of(&answered, NULL, &s->answered.accuracy, &s->answered.balanced);
	s->over_groups.accuracy = mean_over_groups(s, METRIC_ACCURACY, NULL);
	s->over_groups.balanced = mean_over_groups(s, METRIC_BALANCED_ACCURACY, NULL);
	find_intervals(s, &all, &answered);
	tally_free(&all);
	tally_free(&answered);
	int64_t *of_class = count_class_windows(s);
	s->even = chance_of(a->windows, 1.0 / a->width);
	s->frequent = chance_of(a->windows, (double)of_class[s->most_frequent] / (double)a->windows);
	free(of_class);
	collect_notes(s);
}

void score_free(struct score *s)
{
	free(s->confusion);
	free(s->group);
	free(s->by_run);
	names_free(&s->notes);
}
