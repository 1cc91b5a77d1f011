/* moe-route: which regions and experts a model listens to, window by window. */
#include "program.h"

#include "analysis/route.h"
#include "base/mem.h"
#include "predict/source.h"
#include "recording/dialect/dialect.h"

static struct {
	const char *model;
	long long batch;
	int missing;
	bool jsonl;
	struct selection_words select;
	struct reading_naming naming;
	struct reading_text reading;
} o;

static const struct option table[] = {
	{"model", 'm', OPT_TEXT, &o.model, .arg = "MODEL", .help = "the model (made by moe-train)"},
	OUTPUT_OPTION,
	{"jsonl", 0, OPT_FLAG, &o.jsonl, .help = "print one JSON line per window instead of a routing file"},
	ABLATION_OPTIONS(o.select),
	NAMING_OPTIONS(o.naming),
	READING_OPTIONS(o.reading),
	BATCH_OPTION(o.batch, "the result does"),
	MISSING_CHANNEL_OPTION(o.missing),
	THREADS_OPTION,
	HISTORY_OPTION,
	MAX_HEADER_OPTION,
	COMMON_OPTIONS,
};

static const struct program program = {"moe-route", "show how a model weighs its regions and experts",
	"-m MODEL [WINDOWS|RECORDING.csv...]", table,
	"moe-split new.csv --like m.safetensors | moe-route -m m.safetensors - | moe-stats",
	"use fewer --threads, a smaller --batch, or raise the limit (ulimit -v, ulimit -d)"};

/* A stream gets a routing for each windows file as it arrives; a regular file gets one of all. */
static int route_operands(
	struct route *r, const struct model *m, const struct output *out, const struct names *operands)
{
	bool at_once =
		     (o.jsonl || output_is_stream(out)) && !(dataset_adapts(m) && source_is_files(operands)),
	     live = at_once && m->config.train.scale != SCALE_EMS;
	struct source *s = source_new(operands, &m->layout, (enum missing_channel)o.missing, &o.naming,
		&o.reading, live ? (int)o.batch : 0);
	struct dataset *d = dataset_new(&m->layout, (enum missing_channel)o.missing);
	struct windows *w;
	int got, bad = dataset_scale(d, m);
	while (!bad && (got = source_next(s, &w)) != 0) {
		bad = got < 0 || dataset_add(d, w);
		if (!bad && at_once) {
			bad = route_windows(r, d, source_live(s) ? ADAPT_RUNNING : ADAPT_WHOLE);
			dataset_clear(d);
		}
	}
	for (int i = 0; i < source_notes(s)->n && !common.quiet; i++)
		program_say(source_notes(s)->s[i]);
	if (!bad && !at_once)
		bad = route_windows(r, d, ADAPT_WHOLE);
	dataset_free(d);
	source_free(s);
	return bad ? -1 : 0;
}

static int route_with(const struct model *m, const struct selection *select, const struct names *operands)
{
	struct history h = program_history(NULL);
	struct output *out = output_open(common.output, o.jsonl ? OUTPUT_TEXT : OUTPUT_BINARY);
	if (!out)
		return -1;
	struct pool *pool = pool_new((int)common.threads);
	struct route *r = route_new(m, select, pool, out, (int)o.batch, o.jsonl, &h);
	int bad = output_end(out, route_operands(r, m, out, operands));
	route_free(r);
	pool_free(pool);
	return bad;
}

static int moe_route(const struct names *operands)
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
	return program_main(&program, argc, argv, moe_route);
}
