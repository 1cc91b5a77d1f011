/* moe-route: which experts a model listens to, window by window. */
#include "program.h"

#include "base/mem.h"
#include "model/routing.h"
#include "train/source.h"

static struct {
	const char *model;
	long long batch;
	int missing;
	bool jsonl;
} o;

static const struct option table[] = {
	{"model", 'm', OPT_TEXT, &o.model, .arg = "MODEL", .help = "the model (made by moe-train)"},
	OUTPUT_OPTION,
	{"jsonl", 0, OPT_FLAG, &o.jsonl, .help = "print one JSON line per window instead of a routing file"},
	{"batch", 0, OPT_INT, &o.batch, .value = "32", .min = 1, .max = 65536, .arg = "N",
		.help = "windows worked on at a time; the result does not depend on it"},
	{"missing-channel", 0, OPT_CHOICE, &o.missing, .value = "error", .choices = "error|interp|zero",
		.help = "a channel the model wants and the input lacks: refuse, take the mean of the "
			"region's other channels, or zeros"},
	THREADS_OPTION,
	HISTORY_OPTION,
	MAX_HEADER_OPTION,
	COMMON_OPTIONS,
};

static const struct program program = {"moe-route", "show how a model weighs its regions",
	"-m MODEL [WINDOWS|RECORDING.csv...]", table,
	"moe-split new.csv --like m.safetensors | moe-route -m m.safetensors - | moe-stats"};

/* The table of a dataset's windows in the form files have it, under the model's regions. */
struct table {
	struct windows w;
	int64_t *start, *sample;
	int32_t *label, *recording, *group;
};

static void table_begin(struct table *t, const struct dataset *d)
{
	int64_t n = d->n;
	*t = (struct table){.start = NEW_ARRAY(int64_t, n),
		.sample = NEW_ARRAY(int64_t, n),
		.label = NEW_ARRAY(int32_t, n),
		.recording = NEW_ARRAY(int32_t, n),
		.group = NEW_ARRAY(int32_t, n)};
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
		t->label[i] = it->label;
		t->recording[i] = it->recording;
		t->group[i] = it->group;
	}
	t->w.n = n;
	t->w.start = t->start;
	t->w.sample = t->sample;
	t->w.label = t->label;
	t->w.recording = t->recording;
	t->w.group = t->group;
}

static void table_end(struct table *t)
{
	layout_free(&t->w.layout);
	names_free(&t->w.recordings);
	names_free(&t->w.groups);
	free(t->start);
	free(t->sample);
	free(t->label);
	free(t->recording);
	free(t->group);
}

static int write_file(const struct table *t, const struct dataset *d, const float *gate, struct output *out)
{
	struct st_writer *st = st_writer_new();
	struct history h = program_history(NULL);
	char *history = history_append(&h, d->n ? dataset_windows(d, 0)->history : NULL);
	windows_put_table(&t->w, st);
	routing_put_gate(st, t->w.n, t->w.layout.regions, gate);
	if (history)
		st_put_meta(st, "moe.history", history);
	int bad = st_write(st, out);
	st_writer_free(st);
	free(history);
	return bad;
}

static int write_lines(const struct table *t, const float *gate, struct output *out)
{
	const struct windows *w = &t->w;
	struct routing r = {.classes = w->layout.classes,
		.recordings = w->recordings,
		.groups = w->groups,
		.rate = w->layout.rate,
		.n = w->n,
		.start = w->start,
		.sample = w->sample,
		.label = w->label,
		.recording = w->recording,
		.group = w->group,
		.gate = gate};
	struct text line = {0};
	int bad = 0;
	for (int k = 0; k < w->layout.regions; k++)
		names_add(&r.regions, w->layout.region[k].name);
	for (int64_t i = 0; i < w->n && !bad; i++) {
		line.n = 0;
		routing_json_line(&r, i, &line);
		bad = output_write(out, line.s, line.n);
	}
	names_free(&r.regions);
	text_free(&line);
	return bad;
}

/* Routes every window of the dataset and writes them as one file, or as lines. */
static int route(const struct model *m, struct forward *f, const struct dataset *d, struct output *out)
{
	int K = m->layout.regions, classes = m->layout.classes.n;
	int64_t n = d->n, *item = NEW_ARRAY(int64_t, n);
	real *logits = NEW_ARRAY(real, n * classes), *gate = NEW_ARRAY(real, n * K);
	float *weight = NEW_ARRAY(float, n *K);
	for (int64_t i = 0; i < n; i++)
		item[i] = i;
	int bad = dataset_check_finite(d, item, n);
	if (!bad) {
		struct table t;
		dataset_evaluate(d, f, item, n, (int)o.batch, classes, K, logits, gate);
		for (int64_t i = 0; i < n * K; i++)
			weight[i] = (float)gate[i];
		table_begin(&t, d);
		bad = o.jsonl ? write_lines(&t, weight, out) : write_file(&t, d, weight, out);
		table_end(&t);
	}
	free(item);
	free(logits);
	free(gate);
	free(weight);
	return bad || output_flush(out);
}

/* A stream gets a routing for each windows file as it arrives; a regular file gets one of all. */
static int route_all(
	const struct model *m, const struct names *operands, struct pool *pool, struct output *out)
{
	bool at_once = o.jsonl || output_is_stream(out);
	struct source *s =
		source_new(operands, &m->layout, (enum missing_channel)o.missing, at_once ? (int)o.batch : 0);
	struct dataset *d = dataset_new(&m->layout, (enum missing_channel)o.missing);
	struct forward *f = forward_new(m, pool);
	struct windows *w;
	int got, bad = 0;
	d->mean = m->scale_mean;
	d->std = m->scale_std;
	while (!bad && (got = source_next(s, &w)) != 0) {
		bad = got < 0 || dataset_add(d, w);
		if (!bad && at_once) {
			bad = route(m, f, d, out);
			dataset_clear(d);
		}
	}
	for (int i = 0; i < source_notes(s)->n && !common.quiet; i++)
		program_say(source_notes(s)->s[i]);
	if (!bad && !at_once)
		bad = route(m, f, d, out);
	forward_free(f);
	dataset_free(d);
	source_free(s);
	return bad ? -1 : 0;
}

static int work(const struct names *operands)
{
	if (!o.model)
		return err_set(EX_USAGE, "-m MODEL is missing");
	struct model *m = model_load(o.model);
	if (!m)
		return -1;
	struct output *out = output_open(common.output, o.jsonl ? OUTPUT_TEXT : OUTPUT_BINARY);
	int bad = -1;
	if (out) {
		struct pool *pool = pool_new((int)common.threads);
		bad = output_end(out, route_all(m, operands, pool, out));
		pool_free(pool);
	}
	model_free(m);
	return bad;
}

int main(int argc, char **argv)
{
	return program_main(&program, argc, argv, work);
}
