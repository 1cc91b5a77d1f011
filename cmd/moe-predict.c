/* moe-predict: predicts the classes of windows, or of recordings. */
#include "program.h"

#include "base/mem.h"
#include "predict/predictor.h"
#include "recording/dialect/dialect.h"

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
	{"csv", 0, OPT_FLAG, &o.csv, .help = "print a comma-separated table instead of JSON Lines"},
	{"tsv", 0, OPT_FLAG, &o.tsv, .help = "print a tab-separated table instead of JSON Lines"},
	ABLATION_OPTIONS(o.select),
	NAMING_OPTIONS(o.naming),
	READING_OPTIONS(o.reading),
	BATCH_OPTION(o.batch, "the predictions do"),
	MISSING_CHANNEL_OPTION(o.missing),
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

static void say_notes(const struct source *s, int *shown)
{
	for (; *shown < source_notes(s)->n && !common.quiet; ++*shown)
		program_say(source_notes(s)->s[*shown]);
}

static int predict_source(struct predictor *p, struct source *s, const struct names *operands)
{
	struct windows *w;
	int got = 0, shown = 0, bad = predictor_begin(p, source_is_files(operands));
	if (bad)
		return bad;
	while (!bad && (got = source_next(s, &w)) != 0) {
		say_notes(s, &shown);
		bad = got < 0 || predictor_add(p, s, w);
	}
	say_notes(s, &shown);
	return predictor_end(p, bad);
}

/* The operands' windows, or recordings cut into windows as the models want them. */
static int predict_operands(struct predictor *p, const struct ensemble *e, const struct names *operands)
{
	struct source *s = source_new(operands, &e->like, (enum missing_channel)o.missing, &o.naming,
		&o.reading, e->whole ? 0 : (int)o.batch);
	char *apart =
		e->strides ? mem_format("%s and %s were trained with different strides, so it is not clear "
					"how to cut a recording; cut it with moe-split --like one of them",
				     e->member[0].path, e->strides)
			   : NULL;
	if (apart)
		source_refuse_recordings(s, apart);
	int bad = predict_source(p, s, operands);
	source_free(s);
	free(apart);
	return bad ? -1 : 0;
}

static int predict(struct ensemble *e, const struct predictor_options *options, const struct names *operands)
{
	struct output *out = output_open(common.output, OUTPUT_TEXT);
	if (!e->gates && !common.quiet)
		program_say("the models have different regions, so the lines have no gate");
	if (!out)
		return -1;
	struct predictor *p = predictor_new(e, out, options);
	int bad = output_end(out, predict_operands(p, e, operands));
	if (!bad && predictor_nonfinite(p) && !common.quiet)
		program_sayf("%lld of %lld windows have no prediction, because it is not a finite number",
			predictor_nonfinite(p), predictor_windows(p));
	predictor_free(p);
	return bad;
}

static int moe_predict(const struct names *operands)
{
	const struct selection_words *s = &o.select;
	struct predictor_options options = {.form = o.csv   ? PREDICTOR_CSV
						    : o.tsv ? PREDICTOR_TSV
							    : PREDICTOR_JSON_LINES,
		.per_recording = o.per != 0,
		.allow_nonfinite = o.nonfinite != 0,
		.rejects = o.rejects,
		.reject = o.reject,
		.batch = (int)o.batch};
	if (!o.models.n)
		return err_set(EX_USAGE, "-m MODEL is missing");
	if (o.csv && o.tsv)
		return err_set(EX_USAGE, "--csv and --tsv exclude each other");
	if ((s->layers || s->regions) && !s->only && !s->omit && !s->force_k)
		return err_set(EX_USAGE, "%s has no effect without --only, --omit or --force-k",
			s->layers ? "--layer" : "--region");
	struct pool *pool = pool_new((int)common.threads);
	struct ensemble *e = ensemble_load(&o.models, s, (enum missing_channel)o.missing, pool);
	if (e)
		mem_doing("predicting %lld windows at a time with %d model%s, the first of %zu parameters",
			o.batch, e->n, e->n == 1 ? "" : "s", e->member[0].m->params.count);
	int bad = e && !predictor_check(&options, e->member[0].m) ? predict(e, &options, operands) : -1;
	ensemble_free(e);
	names_free(&o.models);
	pool_free(pool);
	return bad;
}

int main(int argc, char **argv)
{
	return program_main(&program, argc, argv, moe_predict);
}
