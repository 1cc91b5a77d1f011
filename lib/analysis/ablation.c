#include "analysis/ablation.h"

#include "base/error.h"
#include "base/mem.h"
#include "model/head.h"
#include "moe/choice.h"
#include "score/metrics.h"

#include <math.h>
#include <stdlib.h>

struct judging {
	const struct model *m;
	struct forward *f;
	const struct dataset *d;
	int64_t n, *item; /* the windows that can be judged */
	bool *whole;      /* [n] the whole model is right */
	int groups;
	int *group;       /* [n] 0 .. groups - 1 */
	int64_t *size;    /* [groups] windows */
	double *resample; /* [resamples] room */
	int *times;       /* [groups] room */
	bool *failed;     /* a window could not be predicted; the error is recorded */
};

static void judged_windows(struct judging *t)
{
	int *number = NEW_ARRAY(int, t->d->groups.n); /* 1 + the group's */
	t->item = NEW_ARRAY(int64_t, t->d->n);
	t->group = NEW_ARRAY(int, t->d->n);
	for (int64_t i = 0; i < t->d->n; i++) {
		const struct item *it = &t->d->item[i];
		if (it->label < 0 || it->label >= t->m->layout.classes.n)
			continue;
		if (!number[it->group])
			number[it->group] = ++t->groups;
		t->group[t->n] = number[it->group] - 1;
		t->item[t->n++] = i;
	}
	t->size = NEW_ARRAY(int64_t, t->groups);
	for (int64_t i = 0; i < t->n; i++)
		t->size[t->group[i]]++;
	free(number);
}

/* right [n]: whether the model, with the forward as it is set up, predicts the label.
 * Returns how many. */
static int64_t count_right(const struct judging *t, bool *right)
{
	enum { BATCH = 64 };
	int classes = t->m->layout.classes.n, K = t->m->layout.regions;
	real *logits = NEW_ARRAY(real, BATCH * classes), *gate = NEW_ARRAY(real, BATCH * K);
	int64_t sum = 0;
	for (int64_t from = 0; from < t->n; from += BATCH) {
		int64_t n = t->n - from < BATCH ? t->n - from : BATCH;
		if (dataset_evaluate(t->d, t->f, t->item + from, n, BATCH, classes, K, logits, gate, NULL)) {
			*t->failed = true;
			break;
		}
		for (int64_t i = 0; i < n; i++) {
			right[from + i] = metrics_predicted(logits + i * classes, classes) ==
					  t->d->item[t->item[from + i]].label;
			sum += right[from + i];
		}
	}
	free(logits);
	free(gate);
	return sum;
}

/* gain [groups]: correct predictions, less those of the whole model. */
static struct interval bootstrap_change(
	const struct judging *t, const int64_t *gain, int resamples, uint64_t seed)
{
	if (t->groups < 2)
		return (struct interval){NAN, NAN};
	for (int i = 0; i < resamples; i++) {
		int64_t more = 0, windows = 0;
		resample_groups(seed, i, t->groups, t->times);
		for (int g = 0; g < t->groups; g++) {
			more += t->times[g] * gain[g];
			windows += t->times[g] * t->size[g];
		}
		t->resample[i] = (double)more / (double)windows;
	}
	return resample_interval(t->resample, resamples);
}

static struct left_out measure_part(
	const struct judging *t, const struct ablation_table *a, int region, int layer, int expert)
{
	struct left_out x = {.region = region, .layer = layer, .expert = expert};
	bool *right = NEW_ARRAY(bool, t->n);
	int64_t *gain = NEW_ARRAY(int64_t, t->groups);
	x.accuracy = (double)count_right(t, right) / (double)t->n;
	x.change = x.accuracy - a->accuracy;
	for (int64_t i = 0; i < t->n; i++)
		gain[t->group[i]] += right[i] - t->whole[i];
	x.interval = bootstrap_change(t, gain, a->resamples, a->seed);
	free(right);
	free(gain);
	return x;
}

static void without_region(const struct judging *t, struct ablation_table *a, int k)
{
	bool *off = NEW_ARRAY(bool, t->m->layout.regions);
	off[k] = true;
	forward_besides(t->f, &(struct besides){.without = off});
	a->part[a->n++] = measure_part(t, a, k, -1, -1);
	forward_besides(t->f, NULL);
	free(off);
}

static void without_experts(const struct judging *t, struct ablation_table *a, int k, int l)
{
	int layers = t->m->config.encoder.layers, E = config_experts(&t->m->config, l);
	bool *off = NEW_ARRAY(bool, E);
	struct ablation one = {off, 0};
	const struct ablation **at = NEW_ARRAY(const struct ablation *, t->m->layout.regions *layers);
	at[k * layers + l] = &one;
	forward_besides(t->f, &(struct besides){.ablation = at});
	for (int e = 0; e < E; e++) {
		off[e] = true;
		a->part[a->n++] = measure_part(t, a, k, l, e);
		off[e] = false;
	}
	forward_besides(t->f, NULL);
	free(at);
	free(off);
}

static void measure_parts(const struct judging *t, struct ablation_table *a)
{
	int K = t->m->layout.regions, experts = 0;
	for (int l = 0; l < t->m->config.encoder.layers; l++)
		experts += config_moe_layer(&t->m->config, l) ? config_experts(&t->m->config, l) : 0;
	a->part = NEW_ARRAY(struct left_out, K * (1 + experts));
	for (int k = 0; k < K; k++) {
		if (K > 1)
			without_region(t, a, k);
		for (int l = 0; l < t->m->config.encoder.layers; l++)
			if (config_moe_layer(&t->m->config, l) && config_experts(&t->m->config, l) > 1)
				without_experts(t, a, k, l);
	}
}

int ablation_measure(const struct model *m, struct forward *f, const struct dataset *d, int resamples,
	uint64_t seed, struct ablation_table *a)
{
	bool failed = false;
	struct judging t = {.m = m, .f = f, .d = d, .failed = &failed};
	int bad = 0;
	*a = (struct ablation_table){.resamples = resamples, .seed = seed};
	if (!m->head->classes)
		return err_set(EX_DATAERR,
			"the output head of the model, %s, predicts no classes; accuracy needs classes",
			m->head->name);
	judged_windows(&t);
	if (!t.n)
		bad = err_set(EX_DATAERR, "no window has a label that is a class of the model; accuracy "
					  "needs labelled windows");
	bad = bad || dataset_check(d, t.m, t.item, t.n);
	if (!bad) {
		t.whole = NEW_ARRAY(bool, t.n);
		t.resample = NEW_ARRAY(double, resamples);
		t.times = NEW_ARRAY(int, t.groups);
		a->windows = t.n;
		a->groups = t.groups;
		a->accuracy = (double)count_right(&t, t.whole) / (double)t.n;
		measure_parts(&t, a);
	}
	free(t.item);
	free(t.group);
	free(t.size);
	free(t.whole);
	free(t.resample);
	free(t.times);
	return bad || failed ? -1 : 0;
}

void ablation_table_free(struct ablation_table *a)
{
	free(a->part);
	*a = (struct ablation_table){0};
}
