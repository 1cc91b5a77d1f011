#include "predict/prediction.h"

#include "base/json.h"
#include "model/head.h"
#include "score/metrics.h"

struct prediction prediction_of_item(const struct dataset *d, int64_t item, const struct model *m,
	int regions, const double *p, const real *logits, const double *gate)
{
	const struct item *it = &d->item[item];
	const struct windows *w = dataset_windows(d, item);
	const struct names *classes = &m->layout.classes;
	return (struct prediction){.model = m,
		.recording = d->recordings.s[it->recording],
		.group = d->groups.s[it->group],
		.label = it->label < 0 ? NULL : d->classes.s[it->label],
		.class = p && m->head->classes ? classes->s[metrics_likeliest(p, classes->n)] : NULL,
		.start = w->sample[it->window],
		.time = (double)w->sample[it->window] / w->layout.rate,
		.outputs = head_outputs(m),
		.regions = regions,
		.samples = dataset_samples(d, item),
		.p = p,
		.logits = logits,
		.gate = gate};
}

struct prediction prediction_of_window(const struct model *m, const struct dataset *d, int64_t item,
	const real *logits, const real *weights, double *p, double *gate)
{
	int K = m->layout.regions;
	m->head->decode(m, logits, p);
	for (int k = 0; k < K; k++)
		gate[k] = (double)weights[k];
	return prediction_of_item(d, item, m, K, p, logits, gate);
}

void prediction_json(const struct prediction *a, const char *more, struct text *t)
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
	head_write_word(t, "label", a->label);
	a->model->head->write(&(struct head_prediction){a->model, a->outputs, a->samples, a->class, a->p,
				      a->logits, a->windows != 0},
		t);
	if (a->regions)
		head_write_list(t, "gate", a->gate, a->regions);
	if (a->adapted)
		text_addf(t, ",\"adapted\":\"%s\"", a->adapted);
	text_addf(t, "%s}\n", more);
}
