/* moe-route: which regions and experts a model listens to, window by window. */
#include "program.h"

#include "analysis/recorder.h"
#include "base/mem.h"
#include "dataset/adapt.h"
#include "dataset/condition.h"
#include "model/head.h"
#include "predict/source.h"
#include "recording/dialect/dialect.h"

static struct {
	const char *model;
	long long batch;
	int missing;
	bool jsonl;
	struct selection_words select;
	struct split_naming naming;
	struct split_reading reading;
} o;

static const struct option table[] = {
	{"model", 'm', OPT_TEXT, &o.model, .arg = "MODEL", .help = "the model (made by moe-train)"},
	OUTPUT_OPTION,
	{"jsonl", 0, OPT_FLAG, &o.jsonl, .help = "print one JSON line per window instead of a routing file"},
	ABLATION_OPTIONS(o.select),
	NAMING_OPTIONS(o.naming),
	READING_OPTIONS(o.reading),
	{"batch", 0, OPT_INT, &o.batch, .value = "32", .min = 1, .max = 65536, .arg = "N",
		.help = "windows processed at a time; the result does not depend on it"},
	{"missing-channel", 0, OPT_CHOICE, &o.missing, .value = "error", .choices = "error|interp|zero",
		.help = "a channel that the model needs and the input lacks: refuse, replace by the mean of "
			"the other channels of its region, or by zeros"},
	THREADS_OPTION,
	HISTORY_OPTION,
	MAX_HEADER_OPTION,
	COMMON_OPTIONS,
};

static const struct program program = {"moe-route", "show how a model weighs its regions and experts",
	"-m MODEL [WINDOWS|RECORDING.csv...]", table,
	"moe-split new.csv --like m.safetensors | moe-route -m m.safetensors - | moe-stats",
	"use fewer --threads, a smaller --batch, or raise the limit (ulimit -v, ulimit -d)"};

/* The table of a dataset's windows in the form files have it, under the model's regions. */
struct table {
	struct windows w;
	int64_t *start, *sample;
	int32_t *valid, *label, *recording, *group, *condition;
};

static void table_begin(struct table *t, const struct dataset *d)
{
	int64_t n = d->n;
	*t = (struct table){.start = NEW_ARRAY(int64_t, n),
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

static void table_end(struct table *t)
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

/* What the work goes through. */
struct run {
	const struct model *m;
	struct forward *f;
	struct recorder *recorder;
	struct output *out;
	struct pool *pool;
};

static int write_file(const struct run *r, const struct table *t, const struct dataset *d, const float *gate,
	struct recorder_file *s)
{
	struct st_writer *st = st_writer_new();
	struct history h = program_history(NULL);
	char *history = history_append(&h, d->n ? dataset_windows(d, 0)->history : NULL);
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
static int write_lines(const struct run *run, const struct table *t, int64_t from, int n, const float *gate)
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

/* Batch by batch: the lines at once, or into a temporary file. gate [n][K] */
static int route_batches(const struct run *r, const struct table *t, const struct dataset *d,
	struct recorder_file *s, float *gate)
{
	int K = r->m->layout.regions, outputs = head_outputs(r->m), bad = 0;
	int64_t batch = o.batch, *item = NEW_ARRAY(int64_t, batch);
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

static int check(const struct dataset *d, const struct model *m)
{
	int64_t *item = NEW_ARRAY(int64_t, d->n);
	for (int64_t i = 0; i < d->n; i++)
		item[i] = i;
	int bad = dataset_check(d, m, item, d->n);
	free(item);
	return bad;
}

/* Routes every window of the dataset and writes them as one file, or as lines. */
static int route(const struct run *r, struct dataset *d, enum adapt how)
{
	if (check(d, r->m) || dataset_update_statistics(d, r->m, 0, d->n, how, r->pool) ||
		conditions_bind(d, r->m, NULL, d->n))
		return -1;
	struct recorder_file *s = o.jsonl ? NULL : recorder_file_new(r->recorder, d->n);
	if (!o.jsonl && !s)
		return -1;
	float *gate = NEW_ARRAY(float, d->n * r->m->layout.regions);
	struct table t;
	table_begin(&t, d);
	int bad = route_batches(r, &t, d, s, gate) || (s && write_file(r, &t, d, gate, s));
	table_end(&t);
	recorder_file_free(s);
	free(gate);
	return bad || output_flush(r->out);
}

/* A stream gets a routing for each windows file as it arrives; a regular file gets one of all. */
static int route_all(const struct run *r, const struct names *operands)
{
	const struct model *m = r->m;
	bool at_once = (o.jsonl || output_is_stream(r->out)) &&
		       !(dataset_adapts(m) && source_at_rest(operands)),
	     live = at_once && m->config.train.scale != SCALE_EMS;
	struct source *s = source_new(operands, &m->layout, (enum missing_channel)o.missing, &o.naming,
		&o.reading, live ? (int)o.batch : 0);
	struct dataset *d = dataset_new(&m->layout, (enum missing_channel)o.missing);
	struct windows *w;
	int got, bad = dataset_scale(d, m);
	while (!bad && (got = source_next(s, &w)) != 0) {
		bad = got < 0 || dataset_add(d, w);
		if (!bad && at_once) {
			bad = route(r, d, source_live(s) ? ADAPT_RUNNING : ADAPT_WHOLE);
			dataset_clear(d);
		}
	}
	for (int i = 0; i < source_notes(s)->n && !common.quiet; i++)
		program_say(source_notes(s)->s[i]);
	if (!bad && !at_once)
		bad = route(r, d, ADAPT_WHOLE);
	dataset_free(d);
	source_free(s);
	return bad ? -1 : 0;
}

static int route_with(const struct model *m, const struct selection *select, const struct names *operands)
{
	struct run r = {.m = m, .out = output_open(common.output, o.jsonl ? OUTPUT_TEXT : OUTPUT_BINARY)};
	if (!r.out)
		return -1;
	r.pool = pool_new((int)common.threads);
	r.f = forward_new(m, r.pool);
	r.recorder = recorder_new(m, select, (int)o.batch);
	forward_besides(
		r.f, &(struct besides){
			     .chosen = recorder_take, .context = r.recorder, .ablation = select->ablation});
	int bad = output_end(r.out, route_all(&r, operands));
	recorder_free(r.recorder);
	forward_free(r.f);
	pool_free(r.pool);
	return bad;
}

static int work(const struct names *operands)
{
	if (!o.model)
		return err_set(EX_USAGE, "-m MODEL is missing");
	struct model *m = model_load(o.model);
	if (m)
		mem_doing("routing %lld windows at a time in a model of %zu parameters", o.batch,
			m->params.count);
	struct selection *select = m ? selection_new(m, &o.select) : NULL;
	int bad = select ? route_with(m, select, operands) : -1;
	selection_free(select);
	model_free(m);
	return bad;
}

int main(int argc, char **argv)
{
	return program_main(&program, argc, argv, work);
}
