/* moe-stats: figures of how regions and experts are used, and descriptions of files. */
#include "program.h"

#include "base/json.h"
#include "io/input.h"
#include "model/describe.h"
#include "model/report.h"

static struct {
	bool describe, raw, merge, csv, tsv, report;
	long long permutations;
} o;

static const struct option table[] = {
	{"describe", 0, OPT_FLAG, &o.describe,
		.help = "describe the files instead: format, channels, regions, classes, parameters, "
			"configuration, history; "
			"files other than routing are always described"},
	{"raw", 0, OPT_FLAG, &o.raw, .help = "write exact counts as JSON, for --merge"},
	{"merge", 0, OPT_FLAG, &o.merge,
		.help = "read counts written by --raw instead of routing files; the figures are those of the "
			"whole"},
	{"csv", 0, OPT_FLAG, &o.csv,
		.help = "a comma-separated table, one row for each place, group of windows and expert"},
	{"tsv", 0, OPT_FLAG, &o.tsv, .help = "the same, separated by tabs"},
	{"report", 0, OPT_FLAG, &o.report, .help = "say it in words"},
	{"permutations", 0, OPT_INT, &o.permutations, .value = "199", .min = 0, .max = 1e6, .arg = "N",
		.help = "of the windows' labels, for the p-values; 0 for none"},
	SEED_OPTION,
	OUTPUT_OPTION,
	MAX_HEADER_OPTION,
	COMMON_OPTIONS,
};

static const struct program program = {"moe-stats",
	"say how regions and experts are used, or describe a model, windows, state or routing file",
	"[ROUTING...]", table, "moe-route -m m.safetensors w.safetensors | moe-stats"};

struct work {
	struct report report;
	struct text text; /* the result */
	int routings, described;
};

static int one_container(struct work *w, struct st_file *f)
{
	const char *format = st_meta(f, "moe.format");
	if (o.describe || !format || strcmp(format, "routing/1")) {
		int r = describe(f, &w->text);
		w->described++;
		if (!r && (w->routings || o.raw || o.csv || o.tsv || o.report))
			r = err_set(EX_DATAERR,
				"%s: carries no routing (moe.format is %s, not routing/1); moe-route makes "
				"such files",
				f->name, format ? format : "missing");
		st_free(f);
		return r;
	}
	char *name = mem_text(f->name);
	struct routing *r = routing_of(f);
	int failed = r ? report_add(&w->report, r) : -1;
	if (!failed && w->described)
		failed = err_set(EX_USAGE,
			"%s: a routing file beside others; give --describe to describe them all, or routing "
			"files only",
			name);
	w->routings++;
	if (!failed && common.verbose)
		fprintf(stderr, "%s: %s: %lld windows, %d layers\n", program.name, name, (long long)r->n,
			r->layers);
	routing_free(r);
	free(name);
	return failed;
}

static int read_containers(struct work *w, const char *path)
{
	struct input *in = input_open(path);
	struct st_file *f;
	if (!in)
		return -1;
	int kind = input_kind(in), r = kind < 0 ? -1 : 0;
	if (kind == INPUT_TEXT)
		r = err_set(EX_DATAERR, "%s: text, not a routing file; moe-route makes them%s",
			input_name(in), o.merge ? "" : " (counts written by --raw are read with --merge)");
	while (!r && (r = st_next(in, &f)) == 1)
		r = one_container(w, f);
	input_close(in);
	return r;
}

enum { LARGEST_COUNTS = 256 << 20 };

static int read_counts(struct work *w, const char *path)
{
	struct input *in = input_open(path);
	struct text t = {0};
	if (!in)
		return -1;
	int kind = input_kind(in), r = kind < 0 ? -1 : 0;
	if (kind == INPUT_SAFETENSORS)
		r = err_set(
			EX_DATAERR, "%s: a safetensors file; --merge reads what --raw wrote", input_name(in));
	char buffer[1 << 16];
	long n = 0;
	while (!r && (n = input_read(in, buffer, sizeof buffer)) > 0) {
		text_add_n(&t, buffer, (size_t)n);
		if (t.n > LARGEST_COUNTS)
			r = err_set(EX_DATAERR, "%s: more than 256 MB of counts", input_name(in));
	}
	cJSON *json = r || n < 0 ? NULL : json_parse(text_string(&t), t.n, input_name(in));
	r = json ? report_merge(&w->report, json, input_name(in)) : -1;
	cJSON_Delete(json);
	text_free(&t);
	input_close(in);
	return r;
}

static int write_result(struct work *w)
{
	if (!w->described && o.raw)
		report_raw(&w->report, &w->text);
	else if (!w->described && (o.csv || o.tsv))
		report_table(&w->report, o.csv ? ',' : '\t', &w->text);
	else if (!w->described && o.report)
		report_words(&w->report, &w->text);
	else if (!w->described)
		report_json(&w->report, &w->text);
	struct output *out = output_open(common.output, OUTPUT_TEXT);
	if (!out)
		return -1;
	return output_end(out, output_write(out, text_string(&w->text), w->text.n));
}

static int work(const struct names *operands)
{
	static const char *const standard[] = {"-"};
	struct work w = {.report = {.permutations = (int)o.permutations, .seed = (uint64_t)common.seed}};
	int n = operands->n ? operands->n : 1, failed = 0;
	if (o.raw + o.csv + o.tsv + o.report + o.describe > 1)
		return err_set(EX_USAGE, "--raw, --csv, --tsv, --report, --describe: one of them at a time");
	if (o.merge && o.describe)
		return err_set(EX_USAGE, "--merge reads counts; there is nothing to describe in them");
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
	return program_main(&program, argc, argv, work);
}
