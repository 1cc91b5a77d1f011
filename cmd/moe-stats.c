/* moe-stats: statistics of how regions and experts are used, and descriptions of files. */
#include "program.h"

#include "io/input.h"
#include "analysis/describe.h"
#include "analysis/report.h"
#include "analysis/ablation.h"
#include "dataset/adapt.h"
#include "dataset/condition.h"
#include "analysis/leak.h"
#include "predict/source.h"

static struct {
	bool describe, raw, merge, csv, tsv, report, ablate, leak_check;
	const char *model;
	long long permutations, resamples;
} o;

static const struct option table[] = {
	{"describe", 0, OPT_FLAG, &o.describe,
		.help = "describe the files instead: format, channels, regions, classes, parameters, "
			"configuration, history; "
			"files other than routing are always described"},
	{"raw", 0, OPT_FLAG, &o.raw, .help = "write exact counts as JSON, for --merge"},
	{"merge", 0, OPT_FLAG, &o.merge,
		.help = "read counts written by --raw instead of routing files, and print the statistics of "
			"all of them together"},
	{"csv", 0, OPT_FLAG, &o.csv,
		.help = "a comma-separated table, one row for each layer (or the gate), set of windows and "
			"expert"},
	{"tsv", 0, OPT_FLAG, &o.tsv, .help = "the same, separated by tabs"},
	{"report", 0, OPT_FLAG, &o.report, .help = "print the result in words"},
	{"permutations", 0, OPT_INT, &o.permutations, .value = "199", .min = 0, .max = 1e6, .arg = "N",
		.help = "permutations of the windows' labels for the p-values; 0 for none"},
	{"ablate", 0, OPT_FLAG, &o.ablate,
		.help = "leave out each expert and each region of the model in turn, on windows, and print "
			"how the accuracy changes"},
	{"leak-check", 0, OPT_FLAG, &o.leak_check,
		.help = "check whether the windows of the second operand are independent of the first "
			"(windows or a model); exit with 1 when they are not"},
	{"model", 'm', OPT_TEXT, &o.model, .arg = "MODEL", .help = "the model of --ablate"},
	{"resamples", 0, OPT_INT, &o.resamples, .value = "1000", .min = 0, .max = 1e6, .arg = "N",
		.help = "bootstrap samples of the groups (subjects) for the intervals of --ablate; 0 for "
			"none"},
	SEED_OPTION,
	THREADS_OPTION,
	OUTPUT_OPTION,
	MAX_HEADER_OPTION,
	COMMON_OPTIONS,
};

static const struct program program = {"moe-stats",
	"show how a model uses regions and experts, or describe a model, windows, state or routing file",
	"[ROUTING...]", table, "moe-route -m m.safetensors w.safetensors | moe-stats",
	"take fewer files at a time (--raw, then --merge), or raise the limit (ulimit -v, ulimit -d)"};

struct run {
	struct report report;
	struct text text; /* the result */
	int routings, described;
	bool warned; /* that JSON Lines lack names and capacities */
};

static int add_routing(struct run *w, const struct routing *r)
{
	w->routings++;
	if (w->described)
		return err_set(EX_USAGE,
			"%s: a routing file among other files; add --describe to describe them all, or give "
			"routing files only",
			r->name);
	return report_add(&w->report, r);
}

static int add_container(struct run *w, struct st_file *f)
{
	const char *format = st_meta(f, "moe.format");
	if (o.describe || !format || strcmp(format, "routing/1")) {
		int r = describe_file(f, &w->text);
		w->described++;
		if (!r && (w->routings || o.raw || o.csv || o.tsv || o.report))
			r = err_set(EX_DATAERR,
				"%s: not a routing file (moe.format is %s, not routing/1); make one with "
				"moe-route",
				f->name, format ? format : "missing");
		st_free(f);
		return r;
	}
	struct routing *r = routing_of(f);
	int failed = r ? add_routing(w, r) : -1;
	if (!failed && common.verbose)
		program_sayf("%s: %lld windows, %d layers", r->name, (long long)r->n, r->layers);
	routing_free(r);
	return failed;
}

static int add_line(void *context, const struct routing *r)
{
	return add_routing(context, r);
}

static int read_lines(struct run *w, struct input *in)
{
	if (o.describe)
		return err_set(EX_USAGE, "%s: lines of text, but --describe is for safetensors files",
			input_name(in));
	int64_t n = routing_lines(in, add_line, w);
	if (n < 0)
		return -1;
	if (common.verbose)
		program_sayf("%s: %lld windows", input_name(in), (long long)n);
	if (!w->warned && !common.quiet)
		program_sayf("%s: JSON Lines contain neither the names of the regions nor the capacities of "
			     "the experts: regions are numbered, capacity and capacity_utilisation are left "
			     "out; a routing file has both",
			input_name(in));
	w->warned = true;
	return 0;
}

static int read_containers(struct run *w, const char *path)
{
	struct input *in = input_open(path);
	struct st_file *f;
	if (!in)
		return -1;
	int kind = input_kind(in), r = kind < 0 ? -1 : 0;
	bool lines = kind == INPUT_TEXT && report_is_lines(in);
	if (lines)
		r = read_lines(w, in);
	else if (kind == INPUT_TEXT)
		r = err_set(EX_DATAERR,
			"%s: text, not a routing file; make one with moe-route (counts written by --raw are "
			"read with --merge)",
			input_name(in));
	while (!r && !lines && (r = st_next(in, &f)) == 1)
		r = add_container(w, f);
	input_close(in);
	return r;
}

static int read_counts(struct run *w, const char *path)
{
	struct input *in = input_open(path);
	int bad = !in || report_merge_input(&w->report, in);
	input_close(in);
	return bad ? -1 : 0;
}

static int write_result(struct run *w)
{
	if (!w->described && o.raw)
		report_raw(&w->report, &w->text);
	else if (!w->described && (o.csv || o.tsv))
		report_table(&w->report, o.csv ? ',' : '\t', &w->text);
	else if (!w->described && o.report)
		report_words(&w->report, &w->text);
	else if (!w->described)
		report_json(&w->report, &w->text);
	return program_write(&w->text);
}

/* --- ablation */

static int print_ablation(const struct ablation_table *a, const struct model *m)
{
	struct text t = {0};
	if (o.report)
		ablation_words(a, m, &t);
	else if (o.csv || o.tsv)
		ablation_rows(a, m, o.csv ? ',' : '\t', &t);
	else
		ablation_json(a, m, &t);
	int bad = program_write(&t);
	text_free(&t);
	return bad;
}

static int read_windows(struct dataset *d, const struct names *operands)
{
	struct source *s = source_new(operands, d->target, MISSING_ERROR, NULL, NULL, 0);
	struct windows *w;
	int got, bad = 0;
	while (!bad && (got = source_next(s, &w)) != 0)
		bad = got < 0 || dataset_add(d, w);
	for (int i = 0; i < source_notes(s)->n && !common.quiet; i++)
		program_say(source_notes(s)->s[i]);
	source_free(s);
	return bad;
}

static int ablate_model(const struct model *m, const struct names *operands)
{
	struct dataset *d = dataset_new(&m->layout, MISSING_ERROR);
	struct pool *pool = pool_new((int)common.threads);
	struct forward *f = forward_new(m, pool);
	struct ablation_table a = {0};
	int bad = dataset_scale(d, m) || read_windows(d, operands) ||
		  dataset_update_statistics(d, m, 0, d->n, ADAPT_WHOLE, pool) ||
		  conditions_bind(d, m, NULL, d->n) ||
		  ablation_measure(m, f, d, (int)o.resamples, (uint64_t)common.seed, &a) ||
		  print_ablation(&a, m);
	ablation_table_free(&a);
	forward_free(f);
	pool_free(pool);
	dataset_free(d);
	return bad ? -1 : 0;
}

static int ablate(const struct names *operands)
{
	if (!o.model)
		return err_set(EX_USAGE, "--ablate: -m MODEL is missing");
	if (o.raw || o.merge || o.describe)
		return err_set(EX_USAGE,
			"--ablate works on windows and cannot be combined with --raw, --merge or --describe");
	struct model *m = model_load(o.model);
	int bad = m ? ablate_model(m, operands) : -1;
	model_free(m);
	return bad;
}

/* --- leaks */

static int read_side(struct leak_side *s, const char *path, bool model_allowed)
{
	struct input *in = input_open(path);
	int bad = !in || leak_side_read(s, in, model_allowed);
	input_close(in);
	return bad ? -1 : 0;
}

static int report_leak(const struct leak *l)
{
	struct text t = {0}, words = {0};
	leak_json(l, &t);
	int r = program_write(&t);
	if (!r && l->train->model && !common.quiet)
		program_say("from a model only the groups are known: identical and overlapping windows were "
			    "not looked for");
	if (!r && leak_found(l)) {
		leak_words(l, &words);
		program_say(text_string(&words));
		r = EXIT_NO;
	}
	text_free(&t);
	text_free(&words);
	return r;
}

static int check_leaks(const struct names *operands)
{
	struct leak_side train = {0}, test = {0};
	struct leak leak = {0};
	if (o.raw || o.merge || o.describe || o.ablate || o.csv || o.tsv || o.report || o.model)
		return err_set(
			EX_USAGE, "--leak-check cannot be combined with other modes, and prints JSON only");
	if (operands->n != 2)
		return err_set(EX_USAGE, "--leak-check needs two operands: the training windows (or the "
					 "model), and the test windows");
	int r = read_side(&train, operands->s[0], true) || read_side(&test, operands->s[1], false) ||
				leak_check(&leak, &train, &test)
			? -1
			: report_leak(&leak);
	leak_free(&leak);
	leak_side_free(&train);
	leak_side_free(&test);
	return r;
}

static int moe_stats(const struct names *operands)
{
	static const char *const standard[] = {"-"};
	struct run w = {.report = {.permutations = (int)o.permutations, .seed = (uint64_t)common.seed}};
	int n = operands->n ? operands->n : 1, failed = 0;
	if (o.raw + o.csv + o.tsv + o.report + o.describe > 1)
		return err_set(EX_USAGE, "--raw, --csv, --tsv, --report and --describe exclude each other");
	if (o.leak_check)
		return check_leaks(operands);
	if (o.ablate)
		return ablate(operands);
	if (o.model)
		return err_set(EX_USAGE, "-m is for --ablate; to describe a model, give it as an operand");
	if (o.merge && o.describe)
		return err_set(EX_USAGE,
			"--merge reads counts, which --describe cannot describe; leave one of the two out");
	for (int i = 0; i < n && !failed; i++) {
		const char *path = operands->n ? operands->s[i] : standard[0];
		failed = o.merge ? read_counts(&w, path) : read_containers(&w, path);
	}
	if (!failed)
		failed = write_result(&w);
	report_free(&w.report);
	text_free(&w.text);
	return failed ? -1 : 0;
}

int main(int argc, char **argv)
{
	return program_main(&program, argc, argv, moe_stats);
}
