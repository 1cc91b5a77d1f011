/* moe-predict: what a model says of windows, or of a recording. */
#include "program.h"

#include "base/mem.h"
#include "model/head.h"
#include "predict/answer_table.h"
#include "predict/ensemble.h"
#include "predict/source.h"
#include "predict/votes.h"
#include "recording/dialect/dialect.h"
#include "score/metrics.h"

enum form { JSON_LINES, CSV, TSV };

static struct {
	struct names models;
	long long batch;
	int missing, per, nonfinite;
	double reject;
	bool csv, tsv, rejects;
	struct selection_words select;
	struct reading_naming naming;
	struct reading_text reading;
} o;

static const struct option table[] = {
	{"model", 'm', OPT_LIST, &o.models, .arg = "MODEL",
		.help = "the model (made by moe-train); may be repeated: several form an ensemble that "
			"predicts the mean of their probabilities"},
	OUTPUT_OPTION,
	{"per", 0, OPT_CHOICE, &o.per, .value = "window", .choices = "window|recording",
		.help = "one line per window, or one per recording with the mean probability of its windows"},
	{"reject", 0, OPT_REAL, &o.reject, .min = 0, .max = 1, .arg = "P", .given = &o.rejects,
		.help = "predict \"unsure\" where the largest probability is below P"},
	{"csv", 0, OPT_FLAG, &o.csv, .help = "print a table with commas instead of JSON Lines"},
	{"tsv", 0, OPT_FLAG, &o.tsv, .help = "print a table with tabs instead of JSON Lines"},
	ABLATION_OPTIONS(o.select),
	NAMING_OPTIONS(o.naming),
	READING_OPTIONS(o.reading),
	{"batch", 0, OPT_INT, &o.batch, .value = "32", .min = 1, .max = 65536, .arg = "N",
		.help = "windows processed at a time; the predictions do not depend on it"},
	{"missing-channel", 0, OPT_CHOICE, &o.missing, .value = "error", .choices = "error|interp|zero",
		.help = "a channel that the model needs and the input lacks: refuse, replace by the mean of "
			"the other channels of its region, or by zeros"},
	{"on-nonfinite", 0, OPT_CHOICE, &o.nonfinite, .value = "error", .choices = "error|unanswered",
		.help = "a window whose prediction is not a finite number (huge samples, or huge "
			"parameters): refuse, or write its line without class, p, logits and gate"},
	THREADS_OPTION,
	MAX_HEADER_OPTION,
	COMMON_OPTIONS,
};

static const struct program program = {"moe-predict", "predict the classes of windows or recordings",
	"-m MODEL [WINDOWS|RECORDING.csv...]", table, "moe-predict -m model.safetensors < new.csv",
	"use fewer --threads, a smaller --batch, or raise the limit (ulimit -v, ulimit -d)"};

struct run {
	struct ensemble *ensemble;
	const struct model *m; /* the first */
	struct output *out;
	enum form form;
	int outputs, K; /* of its head, classes as a rule; K = 0 without a gate */
	bool gathers;   /* all windows before the first answer */
	struct answer_table table;
	struct votes votes;
	long long windows, unanswered;
};

static const char unsure[] = "unsure";

static int print_answer(const struct run *r, const struct answer *a)
{
	struct text t = {0};
	struct answer said = *a;
	if (o.rejects && a->p && a->p[metrics_likeliest(a->p, r->outputs)] < o.reject)
		said.class = unsure;
	if (r->ensemble->adapts)
		said.adapted = "group";
	if (r->form == JSON_LINES)
		answer_json(&said, "", &t);
	else
		answer_table_row(&r->table, &said, &t);
	int bad = output_write(r->out, t.s, t.n);
	text_free(&t);
	return bad;
}

static int print_votes(struct run *r)
{
	int bad = 0;
	for (int i = 0; i < r->votes.recordings.n && !bad; i++) {
		struct answer a = votes_answer(&r->votes, i);
		bad = print_answer(r, &a);
	}
	return bad;
}

static int print_batch(struct run *r, int64_t from, int64_t n, const double *p, const real *logits,
	const double *gate, const bool *unanswered)
{
	int bad = 0;
	for (int64_t b = 0; b < n && !bad; b++) {
		const struct dataset *d = r->ensemble->member[0].data;
		bool none = unanswered[b];
		if (none && !o.nonfinite)
			return dataset_no_answer(d, from + b);
		struct answer a = answer_item(d, from + b, r->m, r->K, none ? NULL : p + b * r->outputs,
			none ? NULL : logits + b * r->outputs, none ? NULL : gate + b * r->K);
		r->windows++;
		r->unanswered += none;
		if (o.per)
			votes_add(&r->votes, &a);
		else
			bad = print_answer(r, &a);
	}
	return bad;
}

/* The windows gathered so far: each batch is answered and flushed before the next is worked on, and
 * all before more are waited for. */
static int answer(struct run *r)
{
	struct ensemble *c = r->ensemble;
	int bad = 0, batch = (int)o.batch;
	size_t outputs = (size_t)batch * (size_t)r->outputs;
	double *p = NEW_ARRAY(double, outputs), *gate = NEW_ARRAY(double, (size_t)batch *(size_t)r->K);
	real *logits = NEW_ARRAY(real, outputs);
	bool *unanswered = NEW_ARRAY(bool, batch);
	for (int64_t from = 0; from < c->windows && !bad; from += batch) {
		int64_t n = c->windows - from < batch ? c->windows - from : batch;
		bad = ensemble_answer(c, from, n, batch, p, logits, gate, unanswered) ||
		      print_batch(r, from, n, p, logits, gate, unanswered);
		bad = output_flush(r->out) || bad; /* windows before one without an answer have theirs */
	}
	free(unanswered);
	free(p);
	free(logits);
	free(gate);
	ensemble_clear(c);
	return bad;
}

static void say_notes(const struct source *s, int *said)
{
	for (; *said < source_notes(s)->n && !common.quiet; ++*said)
		program_say(source_notes(s)->s[*said]);
}

/* Windows of one piece, and what models that adapt take from them: from a recording that arrives
 * window by window, from a windows file all it holds. Where all windows are at rest they are taken
 * in together, at the end. */
static int add(struct run *r, const struct source *s, struct windows *w)
{
	struct ensemble *c = r->ensemble;
	int64_t before = c->windows;
	if (ensemble_add(c, w))
		return -1;
	if (!c->adapts || r->gathers)
		return 0;
	int bad =
		ensemble_adapt(c, before, c->windows - before, source_live(s) ? ADAPT_RUNNING : ADAPT_WHOLE);
	if (bad)
		c->windows = before; /* what was not taken in has no answer */
	return bad;
}

/* Small windows files are gathered to a batch as long as the stream has more of them ready. */
static int answer_source(struct run *r, struct source *s)
{
	struct windows *w;
	int got, bad = 0, said = 0;
	while (!bad && (got = source_next(s, &w)) != 0) {
		say_notes(s, &said);
		bad = got < 0 || add(r, s, w);
		if (!bad && (r->gathers || (r->ensemble->windows < o.batch && source_ready(s))))
			continue;
		if (bad && r->ensemble->windows &&
			!r->gathers) { /* what came before the damage has its answer */
			char *why = mem_text(err_text());
			int status = err_status();
			if (!answer(r))
				err_set(status, "%s", why);
			free(why);
		} else if (!bad) {
			bad = answer(r);
		}
	}
	say_notes(s, &said);
	if (!bad && r->gathers)
		bad = ensemble_adapt(r->ensemble, 0, r->ensemble->windows, ADAPT_WHOLE);
	return bad || (r->ensemble->windows && answer(r)) || (o.per && print_votes(r)) ? -1 : 0;
}

static int answer_all(struct run *r, const struct names *operands)
{
	const struct ensemble *c = r->ensemble;
	struct source *s = source_new(operands, &c->like, (enum missing_channel)o.missing, &o.naming,
		&o.reading, c->whole ? 0 : (int)o.batch);
	char *apart =
		c->strides
			? mem_format("%s and %s cut recordings at different strides; cut it with moe-split "
				     "--like one of them",
				  c->member[0].path, c->strides)
			: NULL;
	struct text t = {0};
	int bad = 0;
	if (apart)
		source_refuse_recordings(s, apart);
	if (r->form != JSON_LINES) {
		answer_table_header(&r->table, &t);
		bad = output_write(r->out, t.s, t.n);
	}
	r->gathers = c->adapts && source_at_rest(operands);
	bad = bad || answer_source(r, s);
	text_free(&t);
	source_free(s);
	free(apart);
	return bad ? -1 : 0;
}

static int predict(struct ensemble *c, const struct names *operands)
{
	const struct model *m = c->member[0].m;
	int K = c->gates ? m->layout.regions : 0;
	struct run r = {.ensemble = c,
		.m = m,
		.form = o.csv   ? CSV
			: o.tsv ? TSV
				: JSON_LINES,
		.outputs = head_outputs(m),
		.K = K,
		.table = {m, o.csv ? ',' : '\t', K, o.per != 0, c->adapts},
		.votes = {.model = m, .regions = K}};
	int bad = -1;
	if (!c->gates && !common.quiet)
		program_say("the models have different regions, so the lines have no gate");
	r.out = output_open(common.output, OUTPUT_TEXT);
	if (r.out)
		bad = output_end(r.out, answer_all(&r, operands));
	if (!bad && r.unanswered && !common.quiet)
		program_sayf("%lld of %lld windows have no answer: it is not a finite number", r.unanswered,
			r.windows);
	votes_free(&r.votes);
	return bad;
}

static int check_reject(const struct model *m)
{
	const struct names *classes = &m->layout.classes;
	if (o.rejects && !m->head->classes)
		return err_set(EX_USAGE, "--reject has no effect: the model's head, %s, names no classes",
			m->head->name);
	if (o.rejects && o.reject <= 1.0 / classes->n)
		return err_set(EX_USAGE,
			"--reject %g has no effect: the largest of %d probabilities is never below 1/%d",
			o.reject, classes->n, classes->n);
	if (o.rejects && names_find(classes, unsure) >= 0)
		return err_set(EX_USAGE,
			"--reject: the model has a class named \"%s\", the same as that of rejected windows; "
			"leave "
			"--reject out",
			unsure);
	return 0;
}

static int work(const struct names *operands)
{
	const struct selection_words *s = &o.select;
	if (!o.models.n)
		return err_set(EX_USAGE, "-m MODEL is missing");
	if (o.csv && o.tsv)
		return err_set(EX_USAGE, "--csv and --tsv exclude each other");
	if ((s->layers || s->regions) && !s->only && !s->omit && !s->force_k)
		return err_set(EX_USAGE, "%s says where --only, --omit or --force-k acts; none was given",
			s->layers ? "--layer" : "--region");
	struct pool *pool = pool_new((int)common.threads);
	struct ensemble *c = ensemble_load(&o.models, s, (enum missing_channel)o.missing, pool);
	if (c)
		mem_doing("answering %lld windows at a time with %d model%s, the first of %zu parameters",
			o.batch, c->n, c->n == 1 ? "" : "s", c->member[0].m->params.count);
	int bad = c && !check_reject(c->member[0].m) ? predict(c, operands) : -1;
	ensemble_free(c);
	names_free(&o.models);
	pool_free(pool);
	return bad;
}

int main(int argc, char **argv)
{
	return program_main(&program, argc, argv, work);
}
