#include "score/metric.h"

#include "base/error.h"
#include "base/mem.h"
#include "score/metrics.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

const struct metric_kind metric_kind[METRICS] = {
	[METRIC_ACCURACY] = {"accuracy", "acc", "accuracy", false},
	[METRIC_BALANCED_ACCURACY] = {"balanced_accuracy", "bacc", "balanced accuracy", false},
	[METRIC_KAPPA] = {"kappa", "kappa", "Cohen's kappa", false},
	[METRIC_MACRO_F1] = {"macro_f1", "f1", "macro F1", false},
	[METRIC_AUROC] = {"auroc", "auroc", "AUROC", false},
	[METRIC_LOG_LOSS] = {"log_loss", "logloss", "log loss", true},
	[METRIC_BRIER] = {"brier", "brier", "Brier score", true},
	[METRIC_CALIBRATION_ERROR] = {"ece", "ece", "calibration error", true},
};

int metric_named(const char *key)
{
	struct text list = {0};
	for (int f = 0; f < METRICS; f++) {
		const struct metric_kind *k = &metric_kind[f];
		if (!strcmp(key, k->key) || !strcmp(key, k->short_key)) {
			text_free(&list);
			return f;
		}
		text_addf(&list, "%s%s", f ? ", " : "", k->short_key);
	}
	err_set(EX_USAGE, "there is no metric \"%s\"; choose one of %s", key, text_string(&list));
	text_free(&list);
	return -1;
}

struct scored {
	const struct predictions *a;
	int C;
	int64_t n, *row; /* [n] */
};

static const double *p_of(const struct scored *r, int64_t i)
{
	return r->a->p + r->row[i] * r->C;
}

static int label_of(const struct scored *r, int64_t i)
{
	return r->a->row[r->row[i]].label;
}

/* --- from the confusion matrix */

static double kappa(const int64_t *confusion, int C, double n)
{
	double right = 0, chance = 0;
	for (int c = 0; c < C; c++) {
		double labels = 0, answers = 0;
		for (int d = 0; d < C; d++) {
			labels += (double)confusion[c * C + d];
			answers += (double)confusion[d * C + c];
		}
		right += (double)confusion[c * C + c] / n;
		chance += labels / n * (answers / n);
	}
	return chance < 1 ? (right - chance) / (1 - chance) : NAN;
}

static double macro_f1(const int64_t *confusion, int C)
{
	double sum = 0;
	int used = 0;
	for (int c = 0; c < C; c++) {
		int64_t both = 0;
		for (int d = 0; d < C; d++)
			both += confusion[c * C + d] + confusion[d * C + c];
		if (both) {
			sum += 2 * (double)confusion[c * C + c] / (double)both;
			used++;
		}
	}
	return sum / used;
}

/* --- from the probabilities */

struct ranked {
	double p;
	bool of_class;
};

static int compare_p(const void *a, const void *b)
{
	double x = ((const struct ranked *)a)->p, y = ((const struct ranked *)b)->p;
	return (x > y) - (x < y);
}

/* Class c against the rest: the rank sum of Mann and Whitney (1947). room [n] */
static double auroc_of(const struct scored *r, int c, struct ranked *room)
{
	double in = 0, out, sum = 0;
	for (int64_t i = 0; i < r->n; i++) {
		room[i] = (struct ranked){p_of(r, i)[c], label_of(r, i) == c};
		in += room[i].of_class;
	}
	out = (double)r->n - in;
	if (in < 1 || out < 1)
		return NAN;
	qsort(room, (size_t)r->n, sizeof *room, compare_p);
	for (int64_t from = 0, to; from < r->n; from = to) {
		for (to = from + 1; to < r->n && !(room[to].p > room[from].p);)
			to++;
		for (int64_t i = from; i < to; i++) /* ranks from + 1 .. to: their mean */
			sum += room[i].of_class ? (double)(from + 1 + to) / 2 : 0;
	}
	return (sum - in * (in + 1) / 2) / (in * out);
}

static double auroc(const struct scored *r)
{
	struct ranked *room = NEW_ARRAY(struct ranked, r->n);
	double sum = 0;
	int used = 0;
	for (int c = r->C == 2; c < r->C; c++) {
		double x = auroc_of(r, c, room);
		if (!isnan(x)) {
			sum += x;
			used++;
		}
	}
	free(room);
	return used ? sum / used : NAN;
}

static double log_loss(const struct scored *r)
{
	double sum = 0;
	for (int64_t i = 0; i < r->n; i++)
		sum -= log(fmax(p_of(r, i)[label_of(r, i)], 1e-15));
	return sum / (double)r->n;
}

static double brier(const struct scored *r)
{
	double sum = 0;
	for (int64_t i = 0; i < r->n; i++)
		for (int c = 0; c < r->C; c++) {
			double off = p_of(r, i)[c] - (c == label_of(r, i));
			sum += off * off;
		}
	return sum / (double)r->n;
}

/* Bin b holds b / BINS < p <= (b + 1) / BINS. */
static double calibration_error(const struct scored *r)
{
	enum { BINS = 15 };
	double off[BINS] = {0}, sum = 0; /* correct predictions less their p */
	for (int64_t i = 0; i < r->n; i++) {
		const struct prediction_row *x = &r->a->row[r->row[i]];
		double p = p_of(r, i)[x->best];
		int b = (int)ceil(p * BINS) - 1;
		off[b < 0 ? 0 : b >= BINS ? BINS - 1 : b] += (x->best == x->label) - p;
	}
	for (int b = 0; b < BINS; b++)
		sum += fabs(off[b]);
	return sum / (double)r->n;
}

int64_t metric_values(const struct predictions *a, int64_t from, int64_t to, bool answered, double *value,
	int64_t *confusion)
{
	struct scored r = {a, a->width, 0, NEW_ARRAY(int64_t, to - from)};
	struct metrics counts = {.classes = a->width, .confusion = confusion};
	memset(confusion, 0, (size_t)(a->width * a->width) * sizeof *confusion);
	for (int64_t i = from; i < to; i++) {
		const struct prediction_row *x = &a->row[i];
		if (answered && x->named < 0)
			continue;
		r.row[r.n++] = i;
		confusion[x->label * a->width + x->best]++;
	}
	counts.n = r.n;
	for (int f = 0; f < METRICS; f++)
		value[f] = NAN;
	if (r.n) {
		value[METRIC_ACCURACY] = metrics_accuracy(&counts);
		value[METRIC_BALANCED_ACCURACY] = metrics_balanced_accuracy(&counts);
		value[METRIC_KAPPA] = kappa(confusion, r.C, (double)r.n);
		value[METRIC_MACRO_F1] = macro_f1(confusion, r.C);
		value[METRIC_AUROC] = auroc(&r);
		value[METRIC_LOG_LOSS] = log_loss(&r);
		value[METRIC_BRIER] = brier(&r);
		value[METRIC_CALIBRATION_ERROR] = calibration_error(&r);
	}
	free(r.row);
	return r.n;
}
