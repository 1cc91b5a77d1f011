/* Which class each number of p belongs to. */
#include "score/predictions.h"

#include "base/error.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

static int err_at_line(const struct predictions *a, const struct prediction_row *x)
{
	return err_at("%s:%lld", a->files.s[x->file], (long long)x->line);
}

/* The first of the largest; *alone: no other is as large. */
static int find_largest(const double *p, int n, bool *alone)
{
	int best = 0;
	*alone = true;
	for (int c = 1; c < n; c++) {
		if (p[c] > p[best]) {
			best = c;
			*alone = true;
		} else if (!(p[c] < p[best])) {
			*alone = false;
		}
	}
	return best;
}

/* word_of [width]: from lines in which only one p is the largest. */
static int learn_order(const struct predictions *a, int *word_of)
{
	for (int64_t i = 0; i < a->n; i++) {
		const struct prediction_row *x = &a->row[i];
		bool alone;
		int best = find_largest(a->p + i * a->width, a->width, &alone);
		if (x->named < 0 || !alone)
			continue;
		for (int c = 0; c < a->width; c++)
			if ((c == best && word_of[c] >= 0 && word_of[c] != x->named) ||
				(c != best && word_of[c] == x->named)) {
				err_set(EX_DATAERR,
					"number %d of p is the largest and the class is %s, but in earlier "
					"lines number %d belongs to %s; score predictions of different "
					"models separately",
					best + 1, a->words.s[x->named], c + 1, a->words.s[word_of[c]]);
				return err_at_line(a, x);
			}
		word_of[best] = x->named;
	}
	return 0;
}

/* A single class that was never predicted is the single label that was never predicted. */
static int fill_order(struct predictions *a, int *word_of)
{
	bool *known = NEW_ARRAY(bool, a->words.n);
	int open = 0, at = 0, unused = 0, word = 0, bad = 0;
	for (int c = 0; c < a->width; c++) {
		if (word_of[c] < 0) {
			open++;
			at = c;
		} else {
			known[word_of[c]] = true;
		}
	}
	for (int64_t i = 0; i < a->n; i++) {
		int label = a->row[i].label;
		if (label >= 0 && !known[label] && !(unused && label == word)) {
			unused++;
			word = label;
		}
	}
	if (open == 1 && unused == 1)
		word_of[at] = word;
	else if (open)
		bad = err_set(EX_DATAERR,
			"number %d of p is never the largest, so its class is not known; name all %d classes "
			"in order with --classes",
			at + 1, a->width);
	free(known);
	return bad;
}

static int derive_classes(struct predictions *a)
{
	int *word_of = NEW_ARRAY(int, a->width), bad;
	for (int c = 0; c < a->width; c++)
		word_of[c] = -1;
	bad = learn_order(a, word_of) || fill_order(a, word_of);
	for (int c = 0; c < a->width && !bad; c++)
		names_add(&a->classes, a->words.s[word_of[c]]);
	free(word_of);
	return bad;
}

static int check_list(const struct predictions *a)
{
	char *list = names_join(&a->classes, ", ");
	const char *twice = names_duplicate(&a->classes);
	int bad = 0;
	if (twice)
		bad = err_set(
			EX_DATAERR, "class %s occurs twice in the list of classes (%.300s)", twice, list);
	else if (a->classes.n != a->width)
		bad = err_set(EX_DATAERR, "the list of classes has %d names (%.300s), but p has %d numbers",
			a->classes.n, list, a->width);
	free(list);
	return bad;
}

static int refuse_class(
	const struct predictions *a, const struct prediction_row *x, const int *class_of, int largest_at)
{
	char *list = names_join(&a->classes, ", ");
	if (x->label >= 0 && class_of[x->label] < 0)
		err_set(EX_DATAERR,
			"label %s is not a class of the model (%.300s); leave such windows out (moe-split "
			"--classes)",
			a->words.s[x->label], list);
	else if (class_of[x->named] < 0)
		err_set(EX_DATAERR, "class %s is not among %.300s", a->words.s[x->named], list);
	else
		err_set(EX_DATAERR,
			"the class is %s, but with the classes %.300s the largest p belongs to %s; the "
			"classes are in another order, or the line is damaged",
			a->words.s[x->named], list, a->classes.s[largest_at]);
	free(list);
	return err_at_line(a, x);
}

/* Words become classes; the class must be where the largest p is. */
static int renumber(struct predictions *a, struct prediction_row *x, const double *p, const int *class_of)
{
	bool alone;
	int largest_at = find_largest(p, a->width, &alone), named = x->named < 0 ? -1 : class_of[x->named];
	if ((x->label >= 0 && class_of[x->label] < 0) ||
		(x->named >= 0 && (named < 0 || p[named] < p[largest_at])))
		return refuse_class(a, x, class_of, largest_at);
	x->label = x->label < 0 ? -1 : class_of[x->label];
	x->named = named;
	x->best = named < 0 ? largest_at : named;
	return 0;
}

int predictions_choose_classes(struct predictions *a, const char *list)
{
	struct names classes = {0};
	int bad = 0;
	names_split(&classes, list, ',');
	if (!a->listed)
		predictions_set_classes(a, &classes);
	else if (!names_equal(&classes, &a->classes))
		bad = err_set(EX_USAGE,
			"--classes %s: the predictions name other classes, or another order; leave --classes "
			"out",
			list);
	names_free(&classes);
	return bad;
}

int predictions_find_classes(struct predictions *a)
{
	/* "unsure" is a rejection, unless a class has this name */
	int unsure = names_find(&a->classes, "unsure") < 0 ? names_find(&a->words, "unsure") : -1, bad = 0;
	for (int64_t i = 0; i < a->n && unsure >= 0; i++)
		if (a->row[i].named == unsure)
			a->row[i].named = -1;
	bad = a->listed ? check_list(a) : derive_classes(a);
	int *class_of = NEW_ARRAY(int, a->words.n + 1);
	for (int w = 0; w < a->words.n; w++)
		class_of[w] = names_find(&a->classes, a->words.s[w]);
	for (int64_t i = 0; i < a->n && !bad; i++)
		bad = renumber(a, &a->row[i], a->p + i * a->width, class_of);
	free(class_of);
	return bad;
}
