/* What every program does around its work: common options, help, messages, exit status. Header
 * only, included once by each cmd/NAME.c:
 *
 *     static int moe_name(const struct names *operands);  0, or -1 with the error recorded, or another exit status
 *     int main(int argc, char **argv) { return program_main(&program, argc, argv, moe_name); }
 */
#ifndef CMD_PROGRAM_H
#define CMD_PROGRAM_H

#include "base/error.h"
#include "base/mem.h"
#include "base/option.h"
#include "base/progress.h"
#include "base/start.h"
#include "base/version.h"
#include "io/history.h"
#include "io/mapping.h"
#include "io/output.h"
#include "io/safetensors.h"

#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

static struct {
	bool help, version, quiet, verbose, no_history;
	const char *output, *form;
	long long threads, seed, max_header;
	int progress; /* enum progress_mode */
} common;

/* Rows for the table of a program: those every one has, and those only some need. */
#define COMMON_OPTIONS                                                                                 \
	{"quiet", 'q', OPT_FLAG, &common.quiet, .help = "print nothing but errors on standard error"}, \
		{"verbose", 'v', OPT_FLAG, &common.verbose, .help = "print more on standard error"},   \
		{"help", 'h', OPT_FLAG, &common.help, .help = "print this help and exit"},             \
		{"version", 0, OPT_FLAG, &common.version, .help = "print the version and exit"},       \
	{                                                                                              \
		.name = NULL                                                                           \
	}
#define OUTPUT_OPTION                                                                                       \
	{                                                                                                   \
		"output", 'o', OPT_TEXT, &common.output,                                                    \
			.arg = "FILE",                                                                      \
			.help = "write the result to FILE, whole or not at all, instead of standard output" \
	}
#define SEED_OPTION SEED_OPTION_NOTED(NULL)
#define SEED_OPTION_NOTED(is_given)                                                                       \
	{                                                                                                 \
		"seed", 0, OPT_INT, &common.seed, .value = "1", .min = 0, .max = 9e18, .arg = "N",        \
						  .given = is_given, .help = "seed of all random numbers" \
	}
#define THREADS_OPTION                                                                                       \
	{                                                                                                    \
		"threads", 0, OPT_INT, &common.threads,                                                      \
			.value = "0", .min = 0, .max = 1024, .arg = "N",                                     \
			.help = "number of threads, 0 for one per processor; the result does not depend on " \
				"it",                                                                        \
			.fallback_env = "MOE_THREADS"                                                        \
	}
#define PROGRESS_OPTION                                                                        \
	{                                                                                      \
		"progress", 0, OPT_CHOICE, &common.progress,                                   \
			.value = "auto", .choices = "auto|always|never",                       \
			.help = "progress line on standard error; auto shows it on a terminal" \
	}
#define HISTORY_OPTION                                                                        \
	{                                                                                     \
		"no-history", 0, OPT_FLAG, &common.no_history,                                \
			.help = "leave the history out of the result, so that the same work " \
				"gives the same bytes"                                        \
	}
#define MAX_HEADER_OPTION                                                                                    \
	{                                                                                                    \
		"max-header", 0, OPT_INT, &common.max_header, .value = "16777216", .min = 1024, .max = 1e9,  \
							      .arg = "BYTES",                                \
							      .help = "largest safetensors header to accept" \
	}

/* Rows for programs that train: the configuration. words: a struct config_words. */
#define CONFIG_OPTIONS(words)                                                                  \
	{"preset", 0, OPT_TEXT, &(words).preset, .value = "default", .arg = "NAME",            \
		.given = &(words).preset_given,                                                \
		.help = "the preset that the configuration starts from; moe-formats(5) "       \
			"lists them"},                                                         \
		{"config", 0, OPT_TEXT, &(words).file, .arg = "FILE",                          \
			.help = "configuration as JSON; see moe-formats(5) for the keys"},     \
	{                                                                                      \
		"set", 0, OPT_LIST, &(words).set,                                              \
			.arg = "KEY=VALUE",                                                    \
			.help = "set one key, in place of the values of file and preset; may " \
				"be repeated"                                                  \
	}

/* Rows for programs that read recordings: what they are called. naming: a struct reading_naming. */
#define NAMING_OPTIONS(naming)                                                                          \
	{"group", 0, OPT_TEXT, &(naming).group, .arg = "REGEX",                                         \
		.help = "the group (normally the subject) is what this extended "                       \
			"regular expression, or its first parenthesis, matches in the "                 \
			"file name; when not given, it is the name up to the first _ "                  \
			"or ."},                                                                        \
		{"group-name", 0, OPT_TEXT, &(naming).group_name, .arg = "NAME",                        \
			.help = "one group for all recordings of this call, for instance for standard " \
				"input"},                                                               \
		{"condition", 0, OPT_TEXT, &(naming).condition, .arg = "REGEX",                         \
			.help = "the condition (task, site) of a recording is what this "               \
				"regular expression, or its first parenthesis, matches in the "         \
				"file name; when not given, there is none"},                            \
	{                                                                                               \
		"condition-name", 0, OPT_TEXT, &(naming).condition_name,                                \
			.arg = "NAME", .help = "one condition for all recordings of this call"          \
	}

/* Rows for programs that read recordings: how their text is read. reading: a struct reading_text;
 * includes recording/dialect/dialect.h. */
#define READING_OPTIONS(reading)                                                                             \
	{"dialect", 0, OPT_CHOICE, &(reading).dialect, .value = "auto", .choices = DIALECT_CHOICES,          \
		.help = "the recorder or program that wrote the file; auto: detected "                       \
			"from its first rows"},                                                              \
		{"delim", 0, OPT_TEXT, &(reading).delim, .arg = "comma|semicolon|tab|blank",                 \
			.help = "separator; detected when not given"},                                       \
		{"decimal", 0, OPT_TEXT, &(reading).decimal, .arg = ".|,",                                   \
			.help = "decimal sign; detected when not given, unless commas are the "              \
				"separator as well"},                                                        \
		{"header", 0, OPT_CHOICE, &(reading).header, .value = "auto",                                \
			.choices = "auto|none|1|2|yes|no",                                                   \
			.help = "header rows: none, names of the columns, or names and units "               \
				"(yes: 1, no: none); without names the columns are C0, C1, ..."},            \
		{"ragged", 0, OPT_CHOICE, &(reading).ragged, .value = "error", .choices = "error|drop|pad",  \
			.help = "rows with more or fewer cells than the header: refuse them, "               \
				"leave them out, or fill them with missing values and ignore "               \
				"cells beyond the last column"},                                             \
		{"time-column", 0, OPT_TEXT, &(reading).time_column, .arg = "NAME",                          \
			.help = "the column that contains the times; when not given, a column called time, " \
				"timestamp, timestamps or the like"},                                        \
		{"time-unit", 0, OPT_CHOICE, &(reading).time_unit, .value = "auto",                          \
			.choices = "auto|s|ms|us", .help = "unit of times that are numbers"},                \
	{                                                                                                    \
		"unit", 0, OPT_CHOICE, &(reading).unit,                                                      \
			.value = "auto", .choices = "auto|uV|mV|V|nV",                                       \
			.help = "unit of the recordings; auto: the one they state, otherwise uV; windows "   \
				"are in microvolts"                                                          \
	}

/* Rows for programs that run a model: how it is run. batch: a long long, missing: an int, of enum
 * missing_channel. what: what does not depend on the batch. */
#define BATCH_OPTION(batch, what)                                                        \
	{                                                                                \
		"batch", 0, OPT_INT, &(batch),                                           \
			.value = "32", .min = 1, .max = 65536, .arg = "N",               \
			.help = "windows processed at a time; " what " not depend on it" \
	}
#define MISSING_CHANNEL_OPTION(missing)                                                                   \
	{                                                                                                 \
		"missing-channel", 0, OPT_CHOICE, &(missing),                                             \
			.value = "error", .choices = "error|interp|zero",                                 \
			.help = "a channel that the model needs and the input lacks: refuse, replace by " \
				"the mean of the other channels of its region, or by zeros"               \
	}

/* Rows for programs that run a model: experts taken away from its MoE layers. words: a struct
 * selection_words. */
#define ABLATION_OPTIONS(words)                                                                              \
	{"force-k", 0, OPT_INT, &(words).force_k, .value = "0", .min = 0, .max = 4096, .arg = "N",           \
		.help = "give each token to at most N of its experts, those of the largest weight; 0 for "   \
			"all"},                                                                              \
		{"only", 0, OPT_TEXT, &(words).only, .arg = "LIST",                                          \
			.help = "leave out all experts of the mixture-of-experts layers but these (numbers " \
				"from 0, separated by commas)"},                                             \
		{"omit", 0, OPT_TEXT, &(words).omit, .arg = "LIST",                                          \
			.help = "leave out these experts of the mixture-of-experts layers"},                 \
		{"layer", 0, OPT_TEXT, &(words).layers, .arg = "LIST",                                       \
			.help = "only these of the mixture-of-experts layers (numbers from 0)"},             \
	{                                                                                                    \
		"region", 0, OPT_TEXT, &(words).regions,                                                     \
			.arg = "LIST",                                                                       \
			.help = "only the mixture-of-experts layers of these regions (numbers from 0)"       \
	}

static struct {
	const struct program *program;
	int argc, status;
	char **argv;
} running;

/* For signal handlers and where there is little stack: prints what is wrong, about a file or "",
 * and ends the program. */
static inline _Noreturn void end_at_once(int status, const char *file, const char *what)
{
	const char *words[] = {running.program->name, ": ", file, *file ? ": " : "", what, "\n"};
	enum { WORDS = sizeof words / sizeof *words };
	struct iovec part[WORDS];
	for (int i = 0; i < WORDS; i++)
		part[i] = (struct iovec){(void *)(uintptr_t)words[i], strlen(words[i])};
	ssize_t written = writev(STDERR_FILENO, part, WORDS);
	(void)written; /* nobody listens: it ends all the same */
	_exit(status);
}

static struct sigaction sigbus_before; /* the default, or that of a sanitizer */

/* A mapped file that became shorter; anything else is left to what stood here before. Only what a
 * signal's handler may call. */
static inline void on_sigbus(int signal, siginfo_t *info, void *context)
{
	static atomic_flag first = ATOMIC_FLAG_INIT;
	bool whole;
	const char *file = info->si_code > 0 ? mapping_at(info->si_addr, &whole) : NULL;
	(void)context;
	while (file && atomic_flag_test_and_set(&first)) /* of several threads one speaks */
		pause();
	output_remove_temporaries();
	if (!file) {
		sigaction(signal, &sigbus_before, NULL); /* it comes again on return */
		if (info->si_code <= 0)
			raise(signal);
		return;
	}
	end_at_once(EX_IOERR, file,
		whole ? "cannot be read any more: the disk or the network failed"
		      : "became shorter while it was read; replace files with mv, never by overwriting them");
}

static inline void program_signals(void)
{
	struct sigaction a = {.sa_sigaction = on_sigbus, .sa_flags = SA_SIGINFO};
	signal(SIGPIPE, SIG_DFL);
	signal(SIGXFSZ, SIG_IGN); /* writing beyond ulimit -f then fails with an error */
	sigaction(SIGBUS, &a, &sigbus_before);
	output_guard_signals();
}

/* The one place that prints on standard error. Names are escaped, so that they can neither control
 * the terminal nor break the line. */
static inline void program_say(const char *sentence)
{
	struct text shown = {0};
	text_shown(&shown, sentence);
	fprintf(stderr, "%s: %s\n", running.program->name, text_string(&shown));
	text_free(&shown);
}

static inline void program_sayf(const char *format, ...) PRINTF_LIKE(1, 2);
static inline void program_sayf(const char *format, ...)
{
	va_list a;
	va_start(a, format);
	char *sentence = mem_vformat(format, a);
	va_end(a);
	program_say(sentence);
	free(sentence);
}

/* Remembers how the work went: 0, EXIT_NO, or -1 with the error recorded (printed here). */
static inline void program_result(int r)
{
	if (r < 0) {
		program_say(err_text());
		running.status = err_status();
	} else if (r > 0) {
		running.status = r;
	}
}

/* Writes a text to a file, or (NULL) to standard output. */
static inline int program_write_to(const char *path, const struct text *t)
{
	struct output *o = output_open(path, OUTPUT_TEXT);
	return o ? output_end(o, output_write(o, text_string(t), t->n)) : -1;
}

/* Writes a result where --output says. */
static inline int program_write(const struct text *t)
{
	return program_write_to(common.output, t);
}

/* Prints a text on standard output and frees it. */
static inline int program_print(struct text *t)
{
	int r = program_write_to(NULL, t);
	text_free(t);
	return r;
}

/* Parses the arguments. 0: go on; 1: help or version was printed, or the arguments are wrong:
 * return program_finish(). */
static inline int program_start(const struct program *p, int argc, char **argv, struct names *operands)
{
	start_done();
	running.program = p;
	err_program(p->name);
	if (p->less)
		mem_remedy(p->less);
	if (start_stack())
		end_at_once(EX_OSERR, "",
			"the stack is limited to less than 1024 KB; raise the limit (ulimit -s 1024)");
	running.argc = argc;
	running.argv = NEW_ARRAY(char *, argc + 1);
	for (int i = 0; i < argc; i++)
		running.argv[i] = mem_text(argv[i]); /* for the history, before parsing touches them */
	program_signals();
	if (argc == 2 && text_starts(argv[1],
				 "--help=")) { /* other forms of the table: for man pages and completion */
		struct text t = {0};
		if (!strcmp(argv[1], "--help=mdoc"))
			options_mdoc(p, &t);
		else if (!strcmp(argv[1], "--help=bash"))
			options_bash(p, &t);
		else
			err_set(EX_USAGE, "%s: one of --help, --help=mdoc, --help=bash", argv[1]);
		program_result(t.n ? program_print(&t) : -1);
		return 1;
	}
	if (options_parse(p, argc, argv, operands)) {
		program_result(-1);
		return 1;
	}
	if (common.help || common.version) {
		struct text t = {0};
		if (common.help)
			options_help(p, &t);
		else
			text_addf(&t, "%s (moe-tools) " MOE_VERSION "\n", p->name);
		program_result(program_print(&t));
		return 1;
	}
	return 0;
}

static inline struct history program_history(const uint64_t *seed)
{
	return (struct history){running.program->name, running.argc, running.argv, seed, common.no_history};
}

static inline int program_finish(void)
{
	for (int i = 0; i < running.argc; i++)
		free(running.argv[i]);
	free(running.argv);
	return running.status;
}

/* Refuses an output that would replace one of the inputs. */
static inline int program_spares(const char *output, const struct names *inputs)
{
	for (int i = 0; i < inputs->n; i++)
		if (output_replaces(output, inputs->s[i]))
			return err_set(EX_USAGE,
				"%s: is read and would be replaced by the result; write to another file",
				output);
	return 0;
}

/* Whether two paths are the same file, by another spelling or link too; NULL is none. */
static inline bool program_same_file(const char *a, const char *b)
{
	return a && b && (!strcmp(a, b) || output_replaces(a, b));
}

/* Refuses an input that is given twice. */
static inline int program_distinct(const struct names *inputs)
{
	for (int i = 0; i < inputs->n; i++)
		for (int j = 0; j < i; j++)
			if (!strcmp(inputs->s[i], inputs->s[j]))
				return err_set(
					EX_USAGE, "%s: is given twice; give each file once", inputs->s[i]);
			else if (program_same_file(inputs->s[i], inputs->s[j]))
				return err_set(EX_USAGE,
					"%s: is given twice: %s is the same file (a link to it, or another "
					"spelling of its path); give each file once",
					inputs->s[i], inputs->s[j]);
	return 0;
}

static inline int program_main(
	const struct program *p, int argc, char **argv, int (*run)(const struct names *operands))
{
	struct names operands = {0};
	if (!program_start(p, argc, argv, &operands)) {
		if (common.max_header)
			st_header_limit = (uint64_t)common.max_header;
		program_result(program_spares(common.output, &operands) ? -1 : run(&operands));
	}
	names_free(&operands);
	return program_finish();
}

#endif
