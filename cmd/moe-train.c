/* moe-train: trains a model on windows. */
#include "program.h"

#include "dataset/condition.h"
#include "model/layers_help.h"
#include "model/views.h"
#include "train/epoch_text.h"
#include "train/fit.h"
#include "train/log.h"
#include "dataset/read.h"
#include "train/need.h"
#include "train/schedule.h"

#include <errno.h>

static struct {
	const char *init, *valid, *valid_groups, *state, *log;
	struct config_words config;
	double valid_fraction, valid_tail;
	bool fraction_given, tail_given, seed_given;
	bool resume, print_config;
	int resume_when; /* enum below */
	long long log_every;
} o;

enum { RESUME_ALWAYS, RESUME_AUTO };

static const struct option table[] = {
	OUTPUT_OPTION,
	CONFIG_OPTIONS(o.config),
	{"print-config", 0, OPT_FLAG, &o.print_config,
		.help = "print every key, its value and where it came from, and with --init or windows the "
			"size of the model; do not train"},
	{"init", 0, OPT_TEXT, &o.init, .arg = "MODEL",
		.help = "continue to train this model instead of starting from random values"},
	{"valid", 0, OPT_TEXT, &o.valid, .arg = "FILE",
		.help = "validate on the windows of this file; no group may be in both"},
	{"valid-groups", 0, OPT_TEXT, &o.valid_groups, .arg = "LIST",
		.help = "validate on these groups (separated by commas)"},
	{"valid-fraction", 0, OPT_REAL, &o.valid_fraction, .value = "0", .min = 0, .max = 0.9, .arg = "F",
		.given = &o.fraction_given,
		.help = "validate on about this fraction of the groups, whole groups drawn by the seed"},
	{"valid-tail", 0, OPT_REAL, &o.valid_tail, .value = "0", .min = 0, .max = 0.9, .arg = "F",
		.given = &o.tail_given,
		.help = "validate on this last fraction of the time of every recording"},
	{"state", 0, OPT_TEXT, &o.state, .arg = "FILE",
		.help = "save the state of training in this file after every epoch and when stopped; without "
			"it a stopped run writes MODEL.state, or moe-train.state when the model goes to "
			"standard output"},
	{"resume", 0, OPT_CHOICE, &o.resume_when, .bare = "always", .choices = "always|auto",
		.given = &o.resume,
		.help = "continue from the state file; auto: start from the beginning when there is none "
			"yet"},
	{"log", 0, OPT_TEXT, &o.log, .arg = "FILE",
		.help = "write one JSON line per epoch (appended with --resume)"},
	{"log-every", 0, OPT_INT, &o.log_every, .value = "0", .min = 0, .max = 1e9, .arg = "N",
		.help = "also log every N steps; 0 for none"},
	SEED_OPTION_NOTED(&o.seed_given),
	THREADS_OPTION,
	PROGRESS_OPTION,
	HISTORY_OPTION,
	MAX_HEADER_OPTION,
	COMMON_OPTIONS,
};

static const struct program program = {"moe-train", "train a model of regional experts on windows",
	"[WINDOWS...]", table, "moe-split *.csv | moe-train --valid-fraction 0.2 -o model.safetensors -",
	"use fewer --threads, a smaller train.batch_size or encoder.hidden_dim, or raise the limit (ulimit "
	"-v, ulimit -d)"};

static volatile sig_atomic_t stop_signal;

/* The first signal asks for a stop after the step, the second ends the program. */
static void on_stop(int s)
{
	stop_signal = s;
	output_guard_signals();
}

static void catch_signals(void)
{
	struct sigaction a = {.sa_handler = on_stop, .sa_flags = (int)SA_RESETHAND};
	sigaction(SIGINT, &a, NULL);
	sigaction(SIGTERM, &a, NULL);
}

/* Everything one run holds, freed at its end. */
struct run {
	struct pool *pool;
	struct st_file *state; /* --resume */
	struct model *before;  /* --init, or what the state holds */
	struct configuration config;
	struct layout target; /* what all windows must fit */
	struct dataset *data, *valid;
	struct holdout_split split, valid_split;
	char *fingerprint; /* of the windows, where there is a state file; else NULL */
	struct training_data training;
	struct model *model;
	struct trainer *trainer;
	struct progress progress;
	struct log *log;
	char *trouble;
	bool state_lost;  /* the last state could not be written */
	char *state_path; /* where a stopped run is kept */
};

static int begin_config(struct run *r)
{
	if (o.init && (o.config.preset_given || o.config.file))
		return err_set(EX_USAGE, "--init uses the configuration of the model; change its keys with "
					 "--set, not with --preset or --config");
	o.config.resumed = o.resume;
	return config_compose(&r->config, &o.config, r->before ? &r->before->config : NULL);
}

static int add_windows(struct run *r, struct dataset **d, const char *path)
{
	return dataset_read(d, &r->target, r->before ? &r->before->layout : NULL, path);
}

static int read_windows(struct run *r, const struct names *operands)
{
	if (!operands->n && add_windows(r, &r->data, "-"))
		return -1;
	for (int i = 0; i < operands->n; i++)
		if (add_windows(r, &r->data, operands->s[i]))
			return -1;
	if (o.valid && add_windows(r, &r->valid, o.valid))
		return -1;
	if (!r->before)
		views_apply(&r->config.value, &r->target);
	return 0;
}

static int choose_sides(struct run *r)
{
	struct names groups = {0};
	if (o.valid_groups)
		names_split(&groups, o.valid_groups, ',');
	struct holdout h = {.groups = o.valid_groups ? &groups : NULL,
			       .fraction = o.valid_fraction,
			       .tail = o.valid_tail,
			       .seed = (uint64_t)common.seed},
		       none = {0};
	int ways = (o.valid != NULL) + (o.valid_groups != NULL) + (o.valid_fraction > 0) + (o.valid_tail > 0);
	int bad = 0;
	if (ways > 1)
		bad = err_set(EX_USAGE,
			"--valid, --valid-groups, --valid-fraction and --valid-tail exclude each other");
	else if (!ways)
		bad = fit_check_unvalidated(&r->config);
	if (!bad)
		bad = holdout_cut(r->data, &h, &r->split);
	if (!bad && r->valid)
		bad = holdout_cut(r->valid, &none, &r->valid_split) ||
		      holdout_check_groups(r->data, &r->split, r->valid) ||
		      holdout_check_overlap(r->data, r->split.train, r->split.trains, r->valid,
			      r->valid_split.train, r->valid_split.trains);
	else if (!bad && (o.valid_groups || o.valid_fraction > 0))
		bad = holdout_check_overlap(
			r->data, r->split.train, r->split.trains, r->data, r->split.valid, r->split.valids);
	names_free(&groups);
	if (!bad && r->split.crossing && !common.quiet)
		program_sayf("%lld windows across the border between training and validation are left out",
			(long long)r->split.crossing);
	if (!bad && common.verbose)
		program_sayf("%lld windows for training, %lld for validation, %lld without a label",
			(long long)r->split.trains,
			(long long)(r->valid ? r->valid_split.trains : r->split.valids),
			(long long)r->split.unlabelled);
	return bad;
}

/* A log that cannot be written, or windows that changed, stop the run like a signal: better now
 * than after a night. */
static void note_trouble(struct run *r, int bad)
{
	if (bad && !r->trouble) {
		r->trouble = mem_text(err_text());
		stop_signal = SIGTERM;
	}
}

static void on_epoch(void *context, const struct epoch_report *e)
{
	struct run *r = context;
	note_trouble(r, log_epoch(r->log, e) || mapping_check());
	if (common.verbose || e->warnings->n)
		progress_end(&r->progress);
	if (common.verbose) {
		struct text t = {0};
		epoch_text(e, &t);
		program_say(t.s);
		text_free(&t);
	}
	for (int i = 0; i < e->warnings->n && !common.quiet; i++)
		program_say(e->warnings->s[i]);
	if (o.state) { /* losing the state must not lose the run: the next epoch tries again */
		struct history h = program_history(NULL);
		bool lost = r->state_lost;
		r->state_lost = trainer_save_state(r->trainer, o.state, &h) != 0;
		if (r->state_lost && !lost)
			program_say(err_text());
	}
}

static void on_step(void *context, const struct step_report *s)
{
	struct run *r = context;
	progress_show(&r->progress, (double)s->step, (double)s->steps,
		"epoch %d of %d, loss %.4f, %.0f windows/s", s->epoch, s->epochs, s->loss, s->windows_per_s);
	if (o.log_every && s->step % o.log_every == 0)
		note_trouble(r, log_step(r->log, s));
}

/* Warns of a warm-up longer than the run; when it is only the default, with -v only. */
static void warn_of_warmup(const struct run *r)
{
	bool decided;
	char *warning = schedule_warning(&r->config, r->training.trains, &decided);
	if (warning && !common.quiet && (decided || common.verbose))
		program_say(warning);
	free(warning);
}

static int train(struct run *r)
{
	struct watch w = {r, on_epoch, on_step, &stop_signal};
	r->trainer = trainer_new(r->model, &r->training, r->pool, (uint64_t)common.seed);
	if (r->fingerprint)
		trainer_know_fingerprint(r->trainer, r->fingerprint);
	if ((r->state && trainer_resume(r->trainer, r->state)) ||
		(o.log && !(r->log = log_open(o.log, o.resume))))
		return -1;
	warn_of_warmup(r);
	catch_signals();
	progress_begin(&r->progress, (enum progress_mode)common.progress, common.quiet);
	int result = trainer_run(r->trainer, &w);
	progress_end(&r->progress);
	if (result >= 0 && r->trouble)
		result = err_set(EX_IOERR, "%s", r->trouble);
	if (result < 0) {
		char *why = mem_text(err_text());
		int status = err_status();
		struct history h = program_history(NULL);
		if (!trainer_save_state(r->trainer, r->state_path, &h))
			err_set(status, "%s (state: %s)", why, r->state_path);
		free(why);
		return -1;
	}
	return result;
}

static int write_result(struct run *r, int interrupted)
{
	uint64_t seed = (uint64_t)common.seed;
	struct history h = program_history(&seed);
	if (interrupted) {
		if (trainer_save_state(r->trainer, r->state_path, &h))
			return -1;
		if (!common.quiet)
			program_sayf("stopped; continue with --resume --state %s", r->state_path);
		return 128 + (int)stop_signal;
	}
	if (model_save(r->model, common.output, &h))
		return -1;
	if (r->state_lost)
		return err_set(
			EX_IOERR, "%s: the last state could not be written; the model is complete", o.state);
	bool say = common.verbose || r->progress.on;
	if (trainer_best_epoch(r->trainer) && say)
		program_sayf("the model is that of epoch %d, validation loss %.4f",
			trainer_best_epoch(r->trainer), trainer_best_loss(r->trainer));
	if (trainer_calibrates(r->trainer) && say)
		program_sayf("its temperature is %.3f", (double)r->model->temperature);
	return 0;
}

/* What is written must be apart from what is read, and from each other. */
static int check_files(const struct names *operands)
{
	const char *written[] = {common.output, o.state, o.log}, *read[] = {o.valid, o.config.file, o.init};
	for (int i = 0; i < 3; i++) {
		if (written[i] && program_spares(written[i], operands))
			return -1;
		for (int j = 0; j < i; j++)
			if (program_same_file(written[i], written[j]))
				return err_set(EX_USAGE, "%s: model, state and log cannot be the same file",
					written[i]);
		for (int j = 0; j < 3;
			j++) /* a model may be continued in place: it is read before it is replaced */
			if (program_same_file(written[i], read[j]) && !(i == 0 && j == 2))
				return err_set(EX_USAGE,
					"%s: is read and would be overwritten; write to another file",
					written[i]);
	}
	return program_distinct(operands);
}

/* --print-config: the configuration, and the numbers of parameters when a model or windows are
 * given. */
static int print_config(struct run *r, const struct names *operands)
{
	struct text t = {0};
	if (operands->n && (read_windows(r, operands) ||
				   (!r->before && conditions_collect(r->data, &r->config.value, NULL,
							  r->data->n, &r->target.conditions))))
		return -1;
	long steps = -1;
	if (operands->n && config_warmup_scales(&r->config)) {
		if (choose_sides(r))
			return -1;
		steps = schedule_steps(&r->config.value, r->split.trains);
	}
	config_print(&r->config, steps, &t);
	if (r->data && !r->before) {
		names_free(&r->target.classes);
		names_copy(&r->target.classes, &r->data->classes);
	}
	if ((r->data || r->before) &&
		model_size_print(&r->config.value, r->data ? &r->target : &r->before->layout,
			r->before ? r->before->gate_fc1_weight >= 0 : -1, &t)) {
		text_free(&t);
		return -1;
	}
	return program_print(&t);
}

/* The state to go on from; with --resume=auto there may be none, and training begins. */
static int open_state(struct run *r, bool *out_of_fold)
{
	uint64_t seed;
	bool missing = access(o.state, F_OK) && errno == ENOENT;
	if (missing && o.resume_when == RESUME_ALWAYS)
		return err_set(EX_NOINPUT,
			"%s: there is no such state to resume; start without --resume, or with --resume=auto",
			o.state);
	if (missing) {
		o.resume = false;
		if (common.verbose)
			program_sayf("%s: there is no state yet, so training starts", o.state);
		return 0;
	}
	if (!(r->state = st_read(o.state)) || trainer_state_start(r->state, &seed, out_of_fold) ||
		!(r->before = model_of(r->state)))
		return -1;
	if (o.seed_given && (uint64_t)common.seed != seed)
		return err_set(EX_USAGE,
			"--seed %lld has no effect with --resume: training continues with the seed of the "
			"state, %llu",
			common.seed, (unsigned long long)seed);
	common.seed = (long long)seed;
	return 0;
}

static int prepare(struct run *r, const struct names *operands)
{
	if (check_files(operands))
		return -1;
	if (o.resume && !o.state)
		return err_set(EX_USAGE, "--resume needs --state FILE");
	if (o.resume && o.init)
		return err_set(EX_USAGE, "--init and --resume exclude each other: the state holds the model");
	bool out_of_fold = false;
	if (o.resume && open_state(r, &out_of_fold))
		return -1;
	if (o.init && !(r->before = model_load(o.init)))
		return -1;
	if (begin_config(r))
		return -1;
	if (o.print_config)
		return 0;
	if (read_windows(r, operands) || choose_sides(r) ||
		holdout_check_classes(r->data, &r->split, r->valid, &r->valid_split,
			r->before ? &r->before->layout.classes : NULL, o.valid))
		return -1;
	r->training = (struct training_data){r->data, r->valid ? r->valid : r->data, r->split.train,
		r->valid ? r->valid_split.train : r->split.valid, r->split.trains,
		r->valid ? r->valid_split.trains : r->split.valids, NULL};
	struct names notes = {0};
	int bad = need_check(&r->config, r->before, &r->training, 1, &notes);
	for (int i = 0; i < notes.n && !common.quiet; i++)
		program_say(notes.s[i]);
	names_free(&notes);
	if (bad)
		return -1;
	r->model = fit_model(&r->config, r->before, out_of_fold, &r->training, r->pool, (uint64_t)common.seed,
		o.state ? &r->fingerprint : NULL);
	return r->model ? 0 : -1;
}

/* Whether a file can be made there. */
static int check_writable(const char *path)
{
	struct output *out = output_open(path, OUTPUT_BINARY);
	output_discard(out);
	return out ? 0 : -1;
}

static int moe_train(const struct names *operands)
{
	struct run r = {.pool = pool_new((int)common.threads)};
	bool named = common.output && strcmp(common.output, "-") != 0;
	r.state_path =
		o.state ? mem_text(o.state) : mem_format("%s.state", named ? common.output : "moe-train");
	int result = !o.print_config && !named ? check_writable(NULL)
					       : 0; /* a terminal, before anything is read */
	if (!result)
		result = prepare(&r, operands);
	if (!result && o.print_config) {
		result = print_config(&r, operands);
	} else if (!result && (check_writable(common.output) || (o.state && check_writable(o.state)))) {
		result = -1; /* better now than after hours */
	} else if (!result) {
		result = train(&r);
		if (result >= 0)
			result = write_result(&r, result);
	}
	log_close(r.log);
	free(r.trouble);
	free(r.fingerprint);
	trainer_free(r.trainer);
	model_free(r.model);
	model_free(r.before);
	st_free(r.state);
	config_end(&r.config);
	holdout_split_free(&r.split);
	holdout_split_free(&r.valid_split);
	dataset_free(r.data);
	dataset_free(r.valid);
	layout_free(&r.target);
	pool_free(r.pool);
	free(r.state_path);
	return result;
}

int main(int argc, char **argv)
{
	bool keys = argc == 2 && !strcmp(argv[1], "--help=keys"); /* the list of keys in moe-formats(5) */
	if (keys || (argc == 2 && !strcmp(argv[1], "--help=layers"))) { /* the texts of moe-layers(7) */
		struct text t = {0};
		running.program = &program;
		if (keys)
			config_print_mdoc(&t);
		else
			layers_help(&t);
		program_result(program_print(&t));
		return running.status;
	}
	return program_main(&program, argc, argv, moe_train);
}
