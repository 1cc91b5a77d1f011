#include "predict/answer.h"

#include "base/json.h"
#include "score/metrics.h"

struct answer answer_item(const struct dataset *d, int64_t item, const struct names *classes, int regions,
	const double *p, const real *logits, const double *gate)
{
	const struct item *it = &d->item[item];
	const struct windows *w = dataset_windows(d, item);
	return (struct answer){.recording = d->recordings.s[it->recording],
		.group = d->groups.s[it->group],
		.label = it->label < 0 ? NULL : d->classes.s[it->label],
		.class = p ? classes->s[metrics_likeliest(p, classes->n)] : NULL,
		.start = w->sample[it->window],
		.time = (double)w->sample[it->window] / w->layout.rate,
		.classes = classes->n,
		.regions = regions,
		.p = p,
		.logits = logits,
		.gate = gate};
}

struct answer answer_window(const struct model *m, const struct dataset *d, int64_t item, const real *logits,
	const real *weights, double *p, double *gate)
{
	int K = m->layout.regions;
	metrics_softmax(logits, m->layout.classes.n, (double)m->temperature, p);
	for (int k = 0; k < K; k++)
		gate[k] = (double)weights[k];
	return answer_item(d, item, &m->layout.classes, K, p, logits, gate);
}

/* null where there is no x */
static void list(struct text *t, const char *key, const double *x, int n)
{
	if (!x) {
		text_addf(t, ",\"%s\":null", key);
		return;
	}
	text_addf(t, ",\"%s\":[", key);
	for (int i = 0; i < n; i++) {
		text_add(t, i ? "," : "");
		json_float(t, x[i]);
	}
	text_add(t, "]");
}

static void name(struct text *t, const char *key, const char *s)
{
	text_addf(t, ",\"%s\":", key);
	if (s)
		json_string(t, s);
	else
		text_add(t, "null");
}

void answer_json(const struct answer *a, const char *more, struct text *t)
{
	text_add(t, "{\"recording\":");
	json_string(t, a->recording);
	text_add(t, ",\"group\":");
	json_string(t, a->group);
	if (a->windows) {
		text_addf(t, ",\"windows\":%lld", a->windows);
	} else {
		text_addf(t, ",\"start\":%lld,\"time\":", a->start);
		json_float(t, a->time);
	}
	name(t, "label", a->label);
	name(t, "class", a->class);
	list(t, "p", a->p, a->classes);
	if (a->logits) {
		text_add(t, ",\"logits\":[");
		for (int c = 0; c < a->classes; c++) {
			text_add(t, c ? "," : "");
			json_float(t, (double)a->logits[c]);
		}
		text_add(t, "]");
	} else if (!a->windows) {
		text_add(t, ",\"logits\":null");
	}
	if (a->regions)
		list(t, "gate", a->gate, a->regions);
	if (a->adapted)
		text_addf(t, ",\"adapted\":\"%s\"", a->adapted);
	text_addf(t, "%s}\n", more);
}
