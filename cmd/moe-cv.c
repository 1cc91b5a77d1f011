/* moe-cv: cross-validation: predictions of windows by models that were not trained on them. */
#include "program.h"

#include "train/controls.h"
#include "train/cv.h"
#include "train/cv_words.h"
#include "train/fit.h"
#include "dataset/read.h"
#include "train/need.h"
#include "model/views.h"

#include <errno.h>
#include <sys/stat.h>

enum { PERMUTE_NONE, PERMUTE_GROUP, PERMUTE_RECORDING };

static struct {
	struct config_words config;
	const char *folds, *seeds, *keep, *summary, *controls;
	struct names idle; /* controls that the model has to beat */
	int by, permute;
	struct span test_stride;
	double valid_fraction;
	long long permutations;
	bool interleave, permutations_given, seed_given;
} o;

static const struct option table[] = {
	OUTPUT_OPTION,
	CONFIG_OPTIONS(o.config),
	{"folds", 0, OPT_TEXT, &o.folds, .value = "loso", .arg = "loso|K",
		.help = "hold out one group at a time (loso), or K folds of groups that are consecutive in "
			"order of name"},
	{"interleave", 0, OPT_FLAG, &o.interleave,
		.help = "with --folds K: the i-th group in order of name, from 0 on, is held out by fold i "
			"modulo K"},
	{"by", 0, OPT_CHOICE, &o.by, .value = "group", .choices = "group|recording",
		.help = "hold out whole groups (subjects), or recordings; a group may then be in both "
			"training and test data"},
	{"test-stride", 0, OPT_SPAN, &o.test_stride, .min = 1, .max = 5e8, .arg = "N|Ns",
		.help = "test on windows that begin this many samples or seconds apart; all windows are used "
			"for training"},
	{"valid-fraction", 0, OPT_REAL, &o.valid_fraction, .value = "0", .min = 0, .max = 0.9, .arg = "F",
		.help = "validate on about this fraction of the training groups, drawn by the seed; the "
			"model is then that of the best epoch"},
	{"permute-labels", 0, OPT_CHOICE, &o.permute, .value = "none", .choices = "none|group|recording",
		.help = "negative control: permute the classes of each group, or recording, at random"},
	{"permutations", 0, OPT_INT, &o.permutations, .value = "1", .min = 1, .max = 100000, .arg = "N",
		.given = &o.permutations_given,
		.help = "repeat everything with this many permutations of the labels"},
	SEED_OPTION_NOTED(&o.seed_given),
	{"seeds", 0, OPT_TEXT, &o.seeds, .arg = "LIST",
		.help = "repeat with each of these seeds (1,5,9 or 1..3)"},
	{"keep", 0, OPT_TEXT, &o.keep, .arg = "FOLDER",
		.help = "keep the models in this folder, as fold-0.safetensors and so on; symbolic links of "
			"these names are replaced, not followed"},
	{"summary", 0, OPT_TEXT, &o.summary, .arg = "FILE",
		.help = "write the results of each fold and of all folds, with times, as one JSON object"},
	{"controls", 0, OPT_TEXT, &o.controls, .bare = "all", .arg = "LIST",
		.help = "run controls on the same folds and seeds, and compare the model with them: names "
			"with commas between them, or all"},
	{"fail-if-idle", 0, OPT_LIST, &o.idle, .arg = "LIST",
		.help = "run these controls, and exit with 1 unless the model is better than each of them; "
			"may be repeated"},
	THREADS_OPTION,
	PROGRESS_OPTION,
	HISTORY_OPTION,
	MAX_HEADER_OPTION,
	COMMON_OPTIONS,
};

static const struct program program = {"moe-cv",
	"cross-validate a configuration on windows, by group (subject)", "[WINDOWS...]", table,
	"moe-cv --folds 6 --seeds 1..3 -o lines.jsonl windows.st",
	"use fewer --threads (a fold each), a smaller train.batch_size or encoder.hidden_dim, or raise the "
	"limit (ulimit -v, ulimit -d)"};

struct run {
	struct pool *pool;
	struct configuration config;
	struct layout target; /* what all windows must fit */
	struct dataset *data;
	struct folds folds;
	struct cv cv;
	uint64_t *seed;
	int seeds;
	struct history history;
	struct controls *controls; /* NULL: none are wanted */
	struct cv_fold *fold;
	struct output *out, *summary;
	struct progress progress;
};

static int choose_seeds(struct run *r)
{
	if (o.seeds && o.seed_given)
		return err_set(EX_USAGE, "--seed and --seeds exclude each other");
	if (o.seeds)
		return cv_words_seeds(o.seeds, &r->seed, &r->seeds);
	r->seed = NEW(uint64_t);
	*r->seed = (uint64_t)common.seed;
	r->seeds = 1;
	return 0;
}

static int check_files(const struct names *operands)
{
	if (program_spares(o.summary, operands))
		return -1;
	if (program_same_file(common.output, o.summary))
		return err_set(EX_USAGE, "%s: lines and summary cannot be the same file", o.summary);
	if (program_same_file(common.output, o.config.file) || program_same_file(o.summary, o.config.file))
		return err_set(EX_USAGE, "%s: is read and would be overwritten; write to another file",
			o.config.file);
	return program_distinct(operands);
}

static int read_windows(struct run *r, const struct names *operands)
{
	if (!operands->n && dataset_read(&r->data, &r->target, NULL, "-"))
		return -1;
	for (int i = 0; i < operands->n; i++)
		if (dataset_read(&r->data, &r->target, NULL, operands->s[i]))
			return -1;
	views_apply(&r->config.value, &r->target);
	return 0;
}

static int make_folds(struct run *r)
{
	int n;
	int64_t stride;
	if (cv_words_folds(o.folds, &n) || cv_words_stride(o.test_stride, r->target.rate, &stride))
		return -1;
	if (o.interleave && !n)
		return err_set(EX_USAGE,
			"--interleave needs --folds K: with loso each fold holds out one group or recording");
	return folds_make(&r->folds, r->data, (enum holdout_unit)o.by, n, o.interleave, stride);
}

static void say_all(const struct names *sentences)
{
	for (int i = 0; i < sentences->n && !common.quiet; i++)
		program_say(sentences->s[i]);
}

static void say_left_out(const struct folds *f)
{
	if (common.quiet)
		return;
	if (f->unlabelled)
		program_sayf("%lld windows without a label are left out", (long long)f->unlabelled);
	if (f->kept < f->labelled)
		program_sayf("--test-stride leaves %lld of %lld windows to test on", (long long)f->kept,
			(long long)f->labelled);
}

static int make_controls(struct run *r, struct names *notes)
{
	struct names wanted = {0}, needed = {0};
	if (!o.controls && !o.idle.n)
		return 0;
	if (o.permute)
		return err_set(EX_USAGE, "--controls and --permute-labels exclude each other; the control "
					 "permuted does the same");
	if (o.controls)
		names_split(&wanted, o.controls, ',');
	for (int i = 0; i < o.idle.n; i++)
		names_split(&needed, o.idle.s[i], ',');
	r->controls = controls_new(&r->cv, &wanted, &needed, pool_threads(r->pool), notes);
	names_free(&wanted);
	names_free(&needed);
	return r->controls ? 0 : -1;
}

static int prepare(struct run *r, const struct names *operands)
{
	if (check_files(operands) || choose_seeds(r))
		return -1;
	if (o.permutations_given && !o.permute)
		return err_set(EX_USAGE, "--permutations needs --permute-labels group or recording");
	if (config_compose(&r->config, &o.config, NULL) ||
		(!(o.valid_fraction > 0) && fit_check_unvalidated(&r->config)))
		return -1;
	if (read_windows(r, operands) || make_folds(r))
		return -1;
	r->history = program_history(NULL);
	r->cv = (struct cv){.config = &r->config,
		.folds = &r->folds,
		.valid_fraction = o.valid_fraction,
		.seeds = r->seeds,
		.seed = r->seed,
		.permutations = o.permute ? (int)o.permutations : 0,
		.permute_by = o.permute == PERMUTE_RECORDING ? HOLDOUT_RECORDING : HOLDOUT_GROUP,
		.keep = o.keep,
		.history = &r->history};
	struct names notes = {0};
	int bad = cv_check(&r->cv, &notes) || make_controls(r, &notes);
	if (!bad) {
		say_left_out(&r->folds);
		say_all(&notes);
	}
	names_free(&notes);
	return bad;
}

static int open_results(struct run *r)
{
	struct stat st;
	if (o.keep && mkdir(o.keep, 0777) && errno != EEXIST)
		return err_errno(EX_CANTCREAT, "%s: cannot make this folder", o.keep);
	if (o.keep && (stat(o.keep, &st) || !S_ISDIR(st.st_mode)))
		return err_set(
			EX_CANTCREAT, "%s: is not a folder; --keep names the folder for the models", o.keep);
	r->out = output_open(common.output, OUTPUT_TEXT);
	r->summary = r->out && o.summary ? output_open(o.summary, OUTPUT_TEXT) : NULL;
	return r->out && (r->summary || !o.summary) ? 0 : -1;
}

static int on_fold(void *context, const struct cv_fold *f, int done, int total)
{
	struct run *r = context;
	progress_show(&r->progress, done, total, "%d of %d folds", done, total);
	return mapping_check() || output_write(r->out, f->lines, f->bytes) || output_flush(r->out) ? -1 : 0;
}

static int on_control(void *context, int done, int total)
{
	struct run *r = context;
	progress_show(&r->progress, done, total, "%d of %d folds of controls", done, total);
	return mapping_check();
}

/* The folds that are trained side by side need memory each. */
static int check_need(const struct run *r)
{
	struct dataset *d = r->data;
	struct names notes = {0};
	struct training_data all = {
		.train = d, .trains = d->n, .valid = d, .valids = o.valid_fraction > 0 ? d->n : 0};
	int folds = cv_count(&r->cv), threads = pool_threads(r->pool);
	int bad = need_check(&r->config, NULL, &all, folds < threads ? folds : threads, &notes);
	say_all(&notes);
	names_free(&notes);
	return bad;
}

static int cross_validate(struct run *r)
{
	struct cv_watch watch = {r, on_fold};
	struct controls_watch each = {r, on_control};
	r->fold = cv_new(&r->cv);
	progress_begin(&r->progress, (enum progress_mode)common.progress, common.quiet);
	int bad = cv_run(&r->cv, r->pool, r->fold, &watch) ||
		  (r->controls && controls_run(r->controls, r->pool, &each));
	progress_end(&r->progress);
	return bad;
}

static int print_summary(struct run *r)
{
	struct text t = {0}, more = {0};
	if (r->controls)
		controls_json(r->controls, &more);
	cv_summary(&r->cv, r->fold, text_string(&more), &t);
	int bad = output_write(r->summary, t.s, t.n);
	text_free(&t);
	text_free(&more);
	return bad;
}

/* Commits the lines, then the summary; the accuracies are printed when both are written. */
static int write_results(struct run *r, int bad)
{
	if (r->summary)
		bad = output_end(r->summary, bad || print_summary(r));
	if (r->out)
		bad = output_end(r->out, bad);
	struct names sentences = {0};
	if (!bad) {
		cv_sentences(&r->cv, r->fold, &sentences);
		if (r->controls)
			controls_say(r->controls, &sentences);
		say_all(&sentences);
	}
	names_free(&sentences);
	return bad;
}

/* EXIT_NO where the model does not beat a control it has to beat. */
static int judge(const struct run *r)
{
	struct names idle = {0};
	if (r->controls)
		controls_idle(r->controls, &idle);
	for (int i = 0; i < idle.n; i++)
		program_say(idle.s[i]);
	int status = idle.n ? EXIT_NO : 0;
	names_free(&idle);
	return status;
}

static int moe_cv(const struct names *operands)
{
	struct run r = {0};
	r.pool = pool_new((int)common.threads);
	int bad = prepare(&r, operands) || check_need(&r);
	if (!bad)
		bad = write_results(&r, open_results(&r) || cross_validate(&r));
	int status = bad ? -1 : judge(&r);
	pool_free(r.pool);
	controls_free(r.controls);
	cv_free(&r.cv, r.fold);
	folds_free(&r.folds);
	dataset_free(r.data);
	layout_free(&r.target);
	config_end(&r.config);
	free(r.seed);
	return status;
}

int main(int argc, char **argv)
{
	return program_main(&program, argc, argv, moe_cv);
}
