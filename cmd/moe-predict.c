/* moe-predict: what a model says of windows, or of a recording. */
#include "program.h"

#include "base/mem.h"
#include "eeg/dialect/dialect.h"
#include "model/selection.h"
#include "train/answer.h"
#include "train/condition.h"
#include "train/source.h"

enum form { JSON_LINES, CSV, TSV };

static struct {
	const char *model;
	long long batch;
	int missing, per;
	bool csv, tsv;
	struct selection_words select;
	struct split_naming naming;
	struct split_reading reading;
} o;

static const struct option table[] = {
	{"model", 'm', OPT_TEXT, &o.model, .arg = "MODEL", .help = "the model (made by moe-train)"},
	OUTPUT_OPTION,
	{"per", 0, OPT_CHOICE, &o.per, .value = "window", .choices = "window|recording",
		.help = "one line per window, or one per recording from the mean probability of its windows"},
	{"csv", 0, OPT_FLAG, &o.csv, .help = "print a table with commas instead of JSON Lines"},
	{"tsv", 0, OPT_FLAG, &o.tsv, .help = "print a table with tabs instead of JSON Lines"},
	ABLATION_OPTIONS(o.select),
	NAMING_OPTIONS(o.naming),
	READING_OPTIONS(o.reading),
	{"batch", 0, OPT_INT, &o.batch, .value = "32", .min = 1, .max = 65536, .arg = "N",
		.help = "windows worked on at a time; the answers do not depend on it"},
	{"missing-channel", 0, OPT_CHOICE, &o.missing, .value = "error", .choices = "error|interp|zero",
		.help = "a channel the model wants and the input lacks: refuse, take the mean of the "
			"region's other channels, or zeros"},
	THREADS_OPTION,
	MAX_HEADER_OPTION,
	COMMON_OPTIONS,
};

static const struct program program = {"moe-predict", "predict the classes of windows or recordings",
	"-m MODEL [WINDOWS|RECORDING.csv...]", table, "moe-predict -m model.safetensors < new.csv"};

struct recording {
	char *group, *label;
	bool mixed; /* windows of several labels */
	long long windows;
	double *p, *gate; /* sums */
};

struct run {
	const struct model *m;
	struct output *out;
	const struct selection *select;
	enum form form;
	int classes, K;
	struct names recordings;
	struct recording *recording;
	int room;
};

/* A cell of a table, the first of its row or not: quoted where commas ask for it; tabs and line ends cannot stand in a TSV
 * cell. */
static void cell(struct text *t, enum form form, bool first, const char *s)
{
	if (!first)
		text_add(t, form == CSV ? "," : "\t");
	if (form == CSV && strpbrk(s, ",\"\n\r")) {
		text_add(t, "\"");
		for (; *s; s++)
			text_add_n(t, *s == '"' ? "\"\"" : s, *s == '"' ? 2 : 1);
		text_add(t, "\"");
		return;
	}
	for (; *s; s++)
		text_add_n(t, form == TSV && strchr("\t\n\r", *s) ? " " : s, 1);
}

static void number(struct text *t, enum form form, double x)
{
	text_addf(t, "%s%.9g", form == CSV ? "," : "\t", x);
}

static void header(const struct run *r, struct text *t)
{
	static const char *const window[] = {"recording", "group", "start", "time", "label", "class", NULL};
	static const char *const recording[] = {"recording", "group", "windows", "label", "class", NULL};
	for (const char *const *c = o.per ? recording : window; *c; c++)
		cell(t, r->form, c == window || c == recording, *c);
	const struct layout *l = &r->m->layout;
	for (int pass = 0; pass < (o.per ? 1 : 2); pass++)
		for (int c = 0; c < r->classes; c++) {
			char *name = mem_format("%s_%s", pass ? "logit" : "p", l->classes.s[c]);
			cell(t, r->form, false, name);
			free(name);
		}
	for (int k = 0; k < r->K; k++) {
		char *name = mem_format("gate_%s", l->region[k].name);
		cell(t, r->form, false, name);
		free(name);
	}
	text_add(t, "\n");
}

static void as_row(const struct run *r, const struct answer *a, struct text *t)
{
	char digits[40];
	cell(t, r->form, true, a->recording);
	cell(t, r->form, false, a->group);
	snprintf(digits, sizeof digits, "%lld", o.per ? a->windows : a->start);
	cell(t, r->form, false, digits);
	if (!o.per)
		number(t, r->form, a->time);
	cell(t, r->form, false, a->label ? a->label : "");
	cell(t, r->form, false, a->class);
	for (int c = 0; c < r->classes; c++)
		number(t, r->form, a->p[c]);
	for (int c = 0; c < r->classes && a->logits; c++)
		number(t, r->form, (double)a->logits[c]);
	for (int k = 0; k < r->K; k++)
		number(t, r->form, a->gate[k]);
	text_add(t, "\n");
}

static int print_answer(const struct run *r, const struct answer *a)
{
	struct text t = {0};
	if (r->form == JSON_LINES)
		answer_json(a, "", &t);
	else
		as_row(r, a, &t);
	int bad = output_write(r->out, t.s, t.n);
	text_free(&t);
	return bad;
}

/* Adds a window's probabilities to its recording. */
static void vote(struct run *r, const struct answer *a)
{
	int i = names_intern(&r->recordings, a->recording);
	if (i >= r->room) {
		int before = r->room;
		r->room = 2 * i + 8;
		GROW(r->recording, r->room);
		memset(r->recording + before, 0, (size_t)(r->room - before) * sizeof *r->recording);
	}
	struct recording *v = &r->recording[i];
	if (!v->p) {
		v->p = NEW_ARRAY(double, r->classes);
		v->gate = NEW_ARRAY(double, r->K);
		v->group = mem_text(a->group);
	}
	if (a->label && !v->label)
		v->label = mem_text(a->label);
	else if (a->label && strcmp(a->label, v->label))
		v->mixed = true;
	for (int c = 0; c < r->classes; c++)
		v->p[c] += a->p[c];
	for (int k = 0; k < r->K; k++)
		v->gate[k] += a->gate[k];
	v->windows++;
}

static int print_votes(struct run *r)
{
	int bad = 0;
	for (int i = 0; i < r->recordings.n && !bad; i++) {
		struct recording *v = &r->recording[i];
		for (int c = 0; c < r->classes; c++)
			v->p[c] /= (double)v->windows;
		for (int k = 0; k < r->K; k++)
			v->gate[k] /= (double)v->windows;
		struct answer a = {.recording = r->recordings.s[i],
			.group = v->group,
			.label = v->mixed ? NULL : v->label,
			.class = r->m->layout.classes.s[answer_likeliest(v->p, r->classes)],
			.windows = v->windows,
			.classes = r->classes,
			.regions = r->K,
			.p = v->p,
			.gate = v->gate};
		bad = print_answer(r, &a);
	}
	return bad;
}

static void free_votes(struct run *r)
{
	for (int i = 0; i < r->recordings.n; i++) {
		free(r->recording[i].p);
		free(r->recording[i].gate);
		free(r->recording[i].group);
		free(r->recording[i].label);
	}
	free(r->recording);
	names_free(&r->recordings);
}

static int answer_batch(
	struct run *r, const struct dataset *d, int64_t from, int64_t n, const real *logits, const real *gate)
{
	double *p = NEW_ARRAY(double, r->classes), *g = NEW_ARRAY(double, r->K);
	int bad = 0;
	for (int64_t b = 0; b < n && !bad; b++) {
		struct answer a =
			answer_window(r->m, d, from + b, logits + b * r->classes, gate + b * r->K, p, g);
		if (o.per)
			vote(r, &a);
		else
			bad = print_answer(r, &a);
	}
	free(p);
	free(g);
	return bad;
}

/* The windows gathered so far: answered and flushed before more are waited for. */
static int answer(struct run *r, struct forward *f, struct dataset *d)
{
	int bad = 0, batch = (int)o.batch;
	real *logits = NEW_ARRAY(real, (size_t)batch * (size_t)r->classes),
	     *gate = NEW_ARRAY(real, (size_t)batch * (size_t)r->K);
	int64_t *item = NEW_ARRAY(int64_t, batch);
	for (int64_t from = 0; from < d->n && !bad; from += batch) {
		int64_t n = d->n - from < batch ? d->n - from : batch;
		for (int64_t b = 0; b < n; b++)
			item[b] = from + b;
		bad = dataset_check(d, r->m, item, n) || conditions_bind(d, r->m, item, n);
		if (!bad) {
			dataset_evaluate(d, f, item, n, batch, r->classes, r->K, logits, gate);
			bad = answer_batch(r, d, from, n, logits, gate);
		}
	}
	free(logits);
	free(gate);
	free(item);
	dataset_clear(d);
	return bad || output_flush(r->out);
}

static void say_notes(const struct source *s, int *said)
{
	for (; *said < source_notes(s)->n && !common.quiet; ++*said)
		program_say(source_notes(s)->s[*said]);
}

/* Small windows files are gathered to a batch as long as the stream has more of them ready. */
static int answer_source(struct run *r, struct forward *f, struct dataset *d, struct source *s)
{
	struct windows *w;
	int got, bad = 0, said = 0;
	while (!bad && (got = source_next(s, &w)) != 0) {
		say_notes(s, &said);
		bad = got < 0 || dataset_add(d, w);
		if (!bad && d->n < o.batch && source_ready(s))
			continue;
		if (bad && d->n) { /* what came before the damage has its answer */
			char *why = mem_text(err_text());
			int status = err_status();
			if (!answer(r, f, d))
				err_set(status, "%s", why);
			free(why);
		} else if (!bad) {
			bad = answer(r, f, d);
		}
	}
	say_notes(s, &said);
	return bad || (d->n && answer(r, f, d)) || (o.per && print_votes(r)) ? -1 : 0;
}

static int answer_all(struct run *r, const struct names *operands, struct pool *pool)
{
	struct source *s = source_new(operands, &r->m->layout, (enum missing_channel)o.missing, &o.naming,
		&o.reading, (int)o.batch);
	struct dataset *d = dataset_new(&r->m->layout, (enum missing_channel)o.missing);
	struct forward *f = forward_new(r->m, pool);
	forward_besides(f, &(struct besides){.ablation = r->select->ablation});
	struct text t = {0};
	int bad = 0;
	d->mean = r->m->scale_mean;
	d->std = r->m->scale_std;
	if (r->form != JSON_LINES) {
		header(r, &t);
		bad = output_write(r->out, t.s, t.n);
	}
	bad = bad || answer_source(r, f, d, s);
	text_free(&t);
	forward_free(f);
	dataset_free(d);
	source_free(s);
	return bad ? -1 : 0;
}

static int predict(const struct model *m, const struct selection *select, const struct names *operands)
{
	struct run r = {.m = m,
		.select = select,
		.form = o.csv   ? CSV
			: o.tsv ? TSV
				: JSON_LINES,
		.classes = m->layout.classes.n,
		.K = m->layout.regions};
	struct pool *pool = NULL;
	int bad = -1;
	r.out = output_open(common.output, OUTPUT_TEXT);
	if (r.out) {
		pool = pool_new((int)common.threads);
		bad = output_end(r.out, answer_all(&r, operands, pool));
	}
	free_votes(&r);
	pool_free(pool);
	return bad;
}

static int work(const struct names *operands)
{
	const struct selection_words *s = &o.select;
	if (!o.model)
		return err_set(EX_USAGE, "-m MODEL is missing");
	if (o.csv && o.tsv)
		return err_set(EX_USAGE, "--csv and --tsv exclude each other");
	if ((s->layers || s->regions) && !s->only && !s->omit && !s->force_k)
		return err_set(EX_USAGE, "%s says where --only, --omit or --force-k acts; none was given",
			s->layers ? "--layer" : "--region");
	struct model *m = model_load(o.model);
	struct selection *select = m ? selection_new(m, s) : NULL;
	int bad = select ? predict(m, select, operands) : -1;
	selection_free(select);
	model_free(m);
	return bad;
}

int main(int argc, char **argv)
{
	return program_main(&program, argc, argv, work);
}
