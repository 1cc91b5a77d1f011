/* One table per program declares its options.
 *
 *     static struct { struct span window; bool explain; ... } o;
 *     static const struct option table[] = {
 *         {"window", 0, OPT_SPAN, &o.window, .value = "300", .min = 1, .max = 1e9, .arg = "N|Ns",
 *          .help = "length of a window in samples, or in seconds with an s"},
 *         ...
 *         {0}};
 *
 * From it come parsing and range checks (options_parse), the --help text with live defaults and
 * ranges (options_help), the OPTIONS section of the man page (options_mdoc) and the shell
 * completion (options_bash). Options and operands may come in any order; `--` ends the options; `-`
 * is an operand. A value is given as --name VALUE, --name=VALUE, -x VALUE or -xVALUE; where it may
 * be left out (bare), only as --name=VALUE.
 */
#ifndef BASE_OPTION_H
#define BASE_OPTION_H

#include "base/text.h"

enum option_kind {
	OPT_FLAG,   /* bool *: no value */
	OPT_INT,    /* long long * */
	OPT_REAL,   /* double * */
	OPT_TEXT,   /* const char **: NULL when not given and without default */
	OPT_CHOICE, /* int *: index into choices ("a|b|c") */
	OPT_LIST,   /* struct names *: may be given several times, each time appends one string */
	OPT_SPAN,   /* struct span *: samples, or seconds with a trailing s */
};

struct span {
	double amount;
	bool seconds;
};

struct option {
	const char *name; /* without the dashes; NULL ends the table */
	char letter;      /* 0 = none */
	enum option_kind kind;
	void *target;
	const char *value;        /* default as text; NULL = none */
	const char *bare;         /* value when it stands without one; NULL = it needs one */
	const char *arg;          /* what the help calls the value */
	const char *choices;      /* OPT_CHOICE: "error|interp" */
	double min, max;          /* OPT_INT, OPT_REAL, OPT_SPAN; equal = no range */
	const char *help;         /* one sentence, lower case, no full stop; \n breaks nothing */
	bool *given;              /* set to true when it stood on the command line; may be NULL */
	const char *fallback_env; /* environment variable that is read when the option is not given */
};

/* The text of a number that is a macro, for struct option.value. */
#define OPTION_TEXT(number)  OPTION_TEXT_OF(number)
#define OPTION_TEXT_OF(text) #text

struct program {
	const char *name;     /* "moe-split" */
	const char *purpose;  /* one sentence */
	const char *operands; /* "RECORDING.csv..." */
	const struct option *options;
	const char *example; /* one pipeline shown at the end of the help; NULL = none */
	const char *less; /* "use fewer --threads": what would need less memory; NULL = nothing in its hand */
};

/* Parses argv[1..]. Operands are appended to `operands` (strings of argv, copied). Returns 0, or -1
 * with EX_USAGE. */
int options_parse(const struct program *, int argc, char **argv, struct names *operands);
void options_help(const struct program *, struct text *);
void options_mdoc(const struct program *, struct text *);
void options_bash(const struct program *, struct text *);

#endif
