/* moe-score: how good predictions are. */
#include "program.h"

#include "io/input.h"
#include "score/comparison.h"
#include "score/threshold.h"

static struct {
	int per;
	bool csv, tsv, report;
	const char *classes, *compare, *metric;
	bool metric_given;
	struct names under, over;
	long long resamples;
} o;

static const struct option table[] = {
	{"per", 0, OPT_CHOICE, &o.per, .value = "window", .choices = "window|recording",
		.help = "score windows, or recordings by the mean probability of their windows"},
	{"classes", 0, OPT_TEXT, &o.classes, .arg = "LIST",
		.help = "the classes in the order of p, separated by commas; needed only when the lines do "
			"not show it"},
	{"compare", 0, OPT_TEXT, &o.compare, .arg = "OTHER",
		.help = "compare with other predictions of the same windows, group by group"},
	{"metric", 0, OPT_TEXT, &o.metric, .value = "acc", .arg = "NAME", .given = &o.metric_given,
		.help = "the metric of --compare: acc, bacc, kappa, f1, auroc, logloss, brier or ece"},
	{"fail-under", 0, OPT_LIST, &o.under, .arg = "NAME=X",
		.help = "exit with 1 when a metric (named as for --metric) is below X; may be repeated"},
	{"fail-over", 0, OPT_LIST, &o.over, .arg = "NAME=X",
		.help = "exit with 1 when a metric is above X; may be repeated"},
	{"csv", 0, OPT_FLAG, &o.csv,
		.help = "a comma-separated table, one row for all, each group and each run"},
	{"tsv", 0, OPT_FLAG, &o.tsv, .help = "the same, separated by tabs"},
	{"report", 0, OPT_FLAG, &o.report, .help = "print the result in words"},
	{"resamples", 0, OPT_INT, &o.resamples, .value = "2000", .min = 0, .max = 1e6, .arg = "N",
		.help = "bootstrap samples of the groups (subjects) for the intervals; 0 for none"},
	SEED_OPTION,
	OUTPUT_OPTION,
	COMMON_OPTIONS,
};

static const struct program program = {"moe-score",
	"evaluate predictions: accuracy, chance, intervals, comparison", "[PREDICTIONS...]", table,
	"moe-predict -m model.safetensors test.st | moe-score",
	"score fewer predictions at a time, or raise the limit (ulimit -v, ulimit -d)"};

/* 0, or EXIT_NO when a limit is missed, with a message. */
static int check_limits(const struct score *s)
{
	struct text misses = {0};
	threshold_check(&o.under, true, s, &misses);
	threshold_check(&o.over, false, s, &misses);
	int r = misses.n ? EXIT_NO : 0;
	if (r)
		program_say(text_string(&misses));
	text_free(&misses);
	return r;
}

static int read_predictions(struct predictions *a, const char *path)
{
	struct input *in = input_open(path);
	int kind = in ? input_kind(in) : -1, bad = kind < 0;
	if (kind == INPUT_SAFETENSORS)
		bad = err_set(EX_DATAERR,
			"%s: a safetensors file, not predictions; moe-predict and moe-cv print them",
			input_name(in));
	bad = bad || predictions_read(a, in);
	input_close(in);
	return bad ? -1 : 0;
}

static int settle_predictions(struct predictions *a)
{
	return (o.classes && predictions_choose_classes(a, o.classes)) || predictions_settle(a, o.per) ? -1
												       : 0;
}

static int print_score(const struct score *s, const struct comparison *c)
{
	struct text t = {0};
	char separator = o.csv ? ',' : '\t';
	if (o.report) {
		score_words(s, &t);
		if (c)
			comparison_words(c, &t);
	} else if (o.csv || o.tsv) {
		if (c)
			comparison_rows(c, separator, &t);
		else
			score_rows(s, separator, &t);
	} else {
		comparison_score_json(s, c, &t);
	}
	int bad = program_write(&t);
	text_free(&t);
	return bad;
}

static int score(const struct predictions *a, const struct predictions *other, enum metric metric)
{
	struct score s = {0}, s_other = {0};
	struct comparison c = {0};
	int r = 0;
	score_predictions(&s, a, o.per, (int)o.resamples, (uint64_t)common.seed);
	if (other) {
		score_predictions(&s_other, other, o.per, 0, (uint64_t)common.seed);
		r = comparison_of(&c, &s, &s_other, metric);
	}
	for (int i = 0; i < s.notes.n && !r && !common.quiet && !o.report; i++)
		program_say(s.notes.s[i]);
	r = r || print_score(&s, other ? &c : NULL) ? -1 : check_limits(&s);
	comparison_free(&c);
	score_free(&s);
	score_free(&s_other);
	return r;
}

static int moe_score(const struct names *operands)
{
	struct predictions a = {0}, other = {0};
	if (o.csv + o.tsv + o.report > 1)
		return err_set(EX_USAGE, "--csv, --tsv and --report exclude each other");
	if (o.metric_given && !o.compare)
		return err_set(EX_USAGE, "--metric has no effect without --compare");
	int metric = metric_named(o.metric), r = 0;
	if (metric < 0)
		return err_at("--metric");
	if (threshold_parse("fail-under", &o.under) || threshold_parse("fail-over", &o.over))
		return -1;
	for (int i = 0; i < (operands->n ? operands->n : 1) && !r; i++)
		r = read_predictions(&a, operands->n ? operands->s[i] : "-");
	r = r || settle_predictions(&a);
	if (!r && o.compare)
		r = read_predictions(&other, o.compare) || settle_predictions(&other);
	r = r ? -1 : score(&a, o.compare ? &other : NULL, (enum metric)metric);
	predictions_free(&a);
	predictions_free(&other);
	return r;
}

int main(int argc, char **argv)
{
	return program_main(&program, argc, argv, moe_score);
}
