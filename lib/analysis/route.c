#include "analysis/route.h"

#include "analysis/recorder.h"
#include "base/mem.h"
#include "dataset/condition.h"
#include "model/head.h"

#include <stdlib.h>

struct route {
	const struct model *m;
	struct forward *f;
	struct recorder *recorder;
	struct pool *pool;
	struct output *out;
	int batch;
	bool lines;
	const struct history *history;
};

struct route *route_new(const struct model *m, const struct selection *select, struct pool *pool,
	struct output *out, int batch, bool lines, const struct history *history)
{
	struct route *r = NEW(struct route);
	*r = (struct route){.m = m,
		.f = forward_new(m, pool),
		.recorder = recorder_new(m, select, batch),
		.pool = pool,
		.out = out,
		.batch = batch,
		.lines = lines,
		.history = history};
	forward_besides(
		r->f, &(struct besides){
			      .chosen = recorder_take, .context = r->recorder, .ablation = select->ablation});
	return r;
}

void route_free(struct route *r)
{
	if (!r)
		return;
	recorder_free(r->recorder);
	forward_free(r->f);
	free(r);
}

/* The windows of a dataset as a file has them, with the model's regions. */
struct routed_windows {
	struct windows w;
	int64_t *start, *sample;
	int32_t *valid, *label, *recording, *group, *condition;
};

static void routed_windows_make(struct routed_windows *t, const struct dataset *d)
{
	int64_t n = d->n;
	*t = (struct routed_windows){.start = NEW_ARRAY(int64_t, n),
		.sample = NEW_ARRAY(int64_t, n),
		.valid = NEW_ARRAY(int32_t, n),
		.label = NEW_ARRAY(int32_t, n),
		.recording = NEW_ARRAY(int32_t, n),
		.group = NEW_ARRAY(int32_t, n),
		.condition = NEW_ARRAY(int32_t, n)};
	layout_copy(&t->w.layout, d->target);
	names_free(&t->w.layout.classes);
	names_copy(&t->w.layout.classes, &d->classes);
	names_copy(&t->w.recordings, &d->recordings);
	names_copy(&t->w.groups, &d->groups);
	for (int64_t i = 0; i < n; i++) {
		const struct item *it = &d->item[i];
		const struct windows *from = dataset_windows(d, i);
		t->w.layout.stride = from->layout.stride;
		t->start[i] = from->start[it->window];
		t->sample[i] = from->sample[it->window];
		t->valid[i] = windows_samples(from, it->window);
		if (t->valid[i] < t->w.layout.length)
			t->w.valid = t->valid;
		t->label[i] = it->label;
		t->recording[i] = it->recording;
		t->group[i] = it->group;
		int32_t c = from->condition ? from->condition[it->window] : -1;
		t->condition[i] = c < 0 ? -1 : names_intern(&t->w.conditions, from->conditions.s[c]);
	}
	t->w.n = n;
	t->w.start = t->start;
	t->w.sample = t->sample;
	t->w.label = t->label;
	t->w.recording = t->recording;
	t->w.group = t->group;
	t->w.condition = t->w.conditions.n ? t->condition : NULL;
}

static void routed_windows_free(struct routed_windows *t)
{
	layout_free(&t->w.layout);
	names_free(&t->w.recordings);
	names_free(&t->w.groups);
	names_free(&t->w.conditions);
	free(t->start);
	free(t->sample);
	free(t->valid);
	free(t->label);
	free(t->recording);
	free(t->group);
	free(t->condition);
}

static int write_file(const struct route *r, const struct routed_windows *t, const struct dataset *d,
	const float *gate, struct recorder_file *s)
{
	struct st_writer *st = st_writer_new();
	char *history = history_append(r->history, d->n ? dataset_windows(d, 0)->history : NULL);
	windows_put_table(&t->w, st);
	routing_put_gate(st, t->w.n, t->w.layout.regions, gate);
	recorder_file_put(s, st);
	if (dataset_adapts(r->m))
		st_put_meta(st, "moe.adapted", "group");
	if (history)
		st_put_meta(st, "moe.history", history);
	int bad = st_write(st, r->out);
	st_writer_free(st);
	free(history);
	return bad;
}

/* Windows from .. from + n - 1, which were evaluated last; gate [n][K]. */
static int write_lines(
	const struct route *run, const struct routed_windows *t, int64_t from, int n, const float *gate)
{
	const struct windows *w = &t->w;
	struct routing r = {.classes = w->layout.classes,
		.recordings = w->recordings,
		.groups = w->groups,
		.rate = w->layout.rate,
		.n = n,
		.start = w->start + from,
		.sample = w->sample + from,
		.label = w->label + from,
		.recording = w->recording + from,
		.group = w->group + from,
		.gate = gate,
		.adapted = dataset_adapts(run->m) ? "group" : NULL};
	struct text line = {0};
	int bad = 0;
	r.layer = recorder_layers(run->recorder, n, &r.layers);
	for (int k = 0; k < w->layout.regions; k++)
		names_add(&r.regions, w->layout.region[k].name);
	for (int64_t i = 0; i < n && !bad; i++) {
		line.n = 0;
		routing_json_line(&r, i, &line);
		bad = output_write(run->out, line.s, line.n);
	}
	names_free(&r.regions);
	text_free(&line);
	return bad;
}

/* Evaluates batch by batch; lines are written at once, choices for a file go to a temporary file.
 * gate [n][K] is filled. */
static int route_batches(const struct route *r, const struct routed_windows *t, const struct dataset *d,
	struct recorder_file *s, float *gate)
{
	int K = r->m->layout.regions, outputs = head_outputs(r->m), bad = 0;
	int64_t batch = r->batch, *item = NEW_ARRAY(int64_t, batch);
	real *out = NEW_ARRAY(real, batch * outputs), *weight = NEW_ARRAY(real, batch * K);
	for (int64_t from = 0; from < d->n && !bad; from += batch) {
		int n = (int)(d->n - from < batch ? d->n - from : batch);
		for (int i = 0; i < n; i++)
			item[i] = from + i;
		bad = dataset_evaluate(d, r->f, item, n, n, outputs, K, out, weight, NULL);
		if (bad)
			break;
		for (int i = 0; i < n * K; i++)
			gate[from * K + i] = (float)weight[i];
		bad = s ? recorder_file_add(s, n)
			: write_lines(r, t, from, n, gate + from * K) || output_flush(r->out);
	}
	free(item);
	free(out);
	free(weight);
	return bad;
}

static int check_all(const struct dataset *d, const struct model *m)
{
	int64_t *item = NEW_ARRAY(int64_t, d->n);
	for (int64_t i = 0; i < d->n; i++)
		item[i] = i;
	int bad = dataset_check(d, m, item, d->n);
	free(item);
	return bad;
}

int route_windows(struct route *r, struct dataset *d, enum adapt how)
{
	if (check_all(d, r->m) || dataset_update_statistics(d, r->m, 0, d->n, how, r->pool) ||
		conditions_bind(d, r->m, NULL, d->n))
		return -1;
	struct recorder_file *s = r->lines ? NULL : recorder_file_new(r->recorder, d->n);
	if (!r->lines && !s)
		return -1;
	float *gate = NEW_ARRAY(float, d->n * r->m->layout.regions);
	struct routed_windows t;
	routed_windows_make(&t, d);
	int bad = route_batches(r, &t, d, s, gate) || (s && write_file(r, &t, d, gate, s));
	routed_windows_free(&t);
	recorder_file_free(s);
	free(gate);
	return bad || output_flush(r->out);
}
