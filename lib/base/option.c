#include "base/option.h"

#include "base/error.h"
#include "base/mem.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int count_options(const struct option *o)
{
	int n = 0;
	while (o[n].name)
		n++;
	return n;
}

/* How the user wrote it: "--window", or "MOE_THREADS" for the environment. */
static int set_value(const struct option *o, const char *written, const char *v)
{
	long long whole;
	double x;
	switch (o->kind) {
	case OPT_FLAG:
		*(bool *)o->target = true;
		return 0;
	case OPT_TEXT:
		if (!*v)
			return err_set(EX_USAGE, "%s: the value is empty", written);
		*(const char **)o->target = v;
		return 0;
	case OPT_LIST:
		if (!*v)
			return err_set(EX_USAGE, "%s: the value is empty", written);
		names_add(o->target, v);
		return 0;
	case OPT_INT:
		if (!text_to_long(v, &whole))
			return err_set(EX_USAGE, "%s: \"%s\" is not a whole number", written, v);
		x = (double)whole;
		*(long long *)o->target = whole;
		break;
	case OPT_REAL:
		if (!text_to_double(v, &x))
			return err_set(EX_USAGE, "%s: \"%s\" is not a number", written, v);
		*(double *)o->target = x;
		break;
	case OPT_SPAN: {
		struct span s = {.seconds = text_ends(v, "s")};
		char *digits = mem_text_n(v, strlen(v) - (s.seconds ? 1 : 0));
		bool fine = text_to_double(digits, &s.amount) && (s.seconds || s.amount == floor(s.amount));
		free(digits);
		if (!fine)
			return err_set(EX_USAGE,
				"%s: \"%s\" is neither a number of samples (300) nor of seconds (1.5s)",
				written, v);
		*(struct span *)o->target = s;
		if (s.seconds && s.amount > 0)
			return 0; /* the range is in samples; the rate is not known here */
		x = s.amount;
		break;
	}
	case OPT_CHOICE: {
		struct names choice = {0};
		names_split(&choice, o->choices, '|');
		int i = names_find(&choice, v);
		names_free(&choice);
		if (i < 0)
			return err_set(EX_USAGE, "%s: \"%s\" is not one of %s", written, v, o->choices);
		*(int *)o->target = i;
		return 0;
	}
	default:
		bug("option kind");
	}
	if (o->min < o->max && !(x >= o->min && x <= o->max))
		return err_set(EX_USAGE, "%s: %s is outside %.10g to %.10g", written, v, o->min, o->max);
	return 0;
}

static const struct option *by_name(const struct option *o, const char *name, size_t n)
{
	for (; o->name; o++)
		if (strlen(o->name) == n && !memcmp(o->name, name, n))
			return o;
	return NULL;
}

static const struct option *by_letter(const struct option *o, char letter)
{
	for (; o->name; o++)
		if (o->letter && o->letter == letter)
			return o;
	return NULL;
}

static int refuse_unknown(const struct program *p, const char *arg, size_t n)
{
	int k = count_options(p->options);
	const char **name = NEW_ARRAY(const char *, k);
	for (int i = 0; i < k; i++)
		name[i] = p->options[i].name;
	char *bare = mem_text_n(arg + 2, n > 2 ? n - 2 : 0);
	const char *near = arg[1] == '-' ? text_nearest(bare, name, k) : NULL;
	if (near)
		err_set(EX_USAGE, "unknown option %.*s; did you mean --%s?", (int)n, arg, near);
	else
		err_set(EX_USAGE, "unknown option %.*s; see %s --help", (int)n, arg, p->name);
	free(bare);
	free(name);
	return -1;
}

static int give_value(const struct option *o, const char *written, const char *value)
{
	if (set_value(o, written, value))
		return -1;
	if (o->given)
		*o->given = true;
	return 0;
}

/* One argument that starts with a dash; *i moves on when it takes the next one as its value. */
static int one_option(const struct program *p, int argc, char **argv, int *i)
{
	const char *arg = argv[*i];
	const struct option *o;
	const char *value = NULL;
	char written[80];
	if (arg[1] == '-') {
		size_t n = strcspn(arg, "=");
		o = by_name(p->options, arg + 2, n - 2);
		if (!o)
			return refuse_unknown(p, arg, n);
		value = arg[n] ? arg + n + 1 : NULL;
		if (o->kind == OPT_FLAG && value)
			return err_set(EX_USAGE, "--%s takes no value", o->name);
	} else {
		o = by_letter(p->options, arg[1]);
		if (!o)
			return refuse_unknown(p, arg, 2);
		if (o->kind == OPT_FLAG && arg[2]) { /* -qv is -q -v */
			char rest[2] = {'-', arg[1]};
			snprintf(written, sizeof written, "%.2s", rest);
			if (give_value(o, written, ""))
				return -1;
			argv[*i]++;
			argv[*i][0] = '-';
			--*i;
			return 0;
		}
		value = arg[2] ? arg + 2 : NULL;
	}
	if (arg[1] == '-')
		snprintf(written, sizeof written, "--%s", o->name);
	else
		snprintf(written, sizeof written, "-%c", o->letter);
	if (!value)
		value = o->bare;
	if (o->kind != OPT_FLAG && !value) {
		if (*i + 1 >= argc)
			return err_set(
				EX_USAGE, "%s needs a value (%s)", written, o->arg ? o->arg : o->choices);
		value = argv[++*i];
	}
	return give_value(o, written, value ? value : "");
}

int options_parse(const struct program *p, int argc, char **argv, struct names *operands)
{
	for (const struct option *o = p->options; o->name; o++) {
		const char *env = o->fallback_env ? getenv(o->fallback_env) : NULL;
		if (env && *env) {
			if (set_value(o, o->fallback_env, env))
				return -1;
		} else if (o->value) {
			must(!set_value(o, o->name, o->value));
		}
	}
	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--")) {
			while (++i < argc)
				names_add(operands, argv[i]);
			break;
		}
		if (argv[i][0] != '-' || !argv[i][1])
			names_add(operands, argv[i]);
		else if (one_option(p, argc, argv, &i))
			return -1;
	}
	return 0;
}

static const char *argument_name(const struct option *o)
{
	static const char *const usual[] = {[OPT_INT] = "N",
		[OPT_REAL] = "X",
		[OPT_TEXT] = "TEXT",
		[OPT_LIST] = "TEXT",
		[OPT_SPAN] = "N|Ns"};
	return o->kind == OPT_CHOICE ? o->choices : o->arg ? o->arg : usual[o->kind];
}

/* "default 300; 1 to 1e+09; MOE_X": what the table knows beyond the sentence. */
static void add_range(const struct option *o, struct text *t)
{
	const char *between = "";
	if (o->value) {
		text_addf(t, "default %s", o->value);
		between = "; ";
	}
	if (o->bare) {
		text_addf(t, "%swithout a value %s", between, o->bare);
		between = "; ";
	}
	if (o->min < o->max) {
		text_addf(t, "%s%.10g to %.10g", between, o->min, o->max);
		between = "; ";
	}
	if (o->fallback_env)
		text_addf(t, "%sor the environment's %s", between, o->fallback_env);
}

/* Appends words wrapped at `width`, continuation lines indented. */
static void add_wrapped(struct text *t, const char *words, int column, int indent, int width)
{
	const char *p = words;
	bool first = true;
	while (*p) {
		int n = (int)strcspn(p, " ");
		if (!first && column + 1 + n > width) {
			text_addf(t, "\n%*s", indent, "");
			column = indent;
		} else if (!first) {
			text_add(t, " ");
			column++;
		}
		text_add_n(t, p, (size_t)n);
		column += n;
		first = false;
		p += n;
		while (*p == ' ')
			p++;
	}
	text_add(t, "\n");
}

void options_help(const struct program *p, struct text *t)
{
	enum { INDENT = 30, WIDTH = 100 };
	text_addf(t, "%s: %s\n\nUsage: %s [options] %s\n\n", p->name, p->purpose, p->name, p->operands);
	for (const struct option *o = p->options; o->name; o++) {
		struct text left = {0}, words = {0};
		if (o->letter)
			text_addf(&left, "  -%c, --%s", o->letter, o->name);
		else
			text_addf(&left, "      --%s", o->name);
		if (o->kind != OPT_FLAG)
			text_addf(&left, o->bare ? "[=%s]" : " %s", argument_name(o));
		text_add(&words, o->help);
		struct text more = {0};
		add_range(o, &more);
		if (more.n)
			text_addf(&words, " [%s]", more.s);
		text_add(t, left.s);
		if (left.n + 1 >= INDENT)
			text_addf(t, "\n%*s", INDENT, "");
		else
			text_addf(t, "%*s", INDENT - (int)left.n, "");
		add_wrapped(t, words.s, INDENT, INDENT, WIDTH);
		text_free(&left);
		text_free(&words);
		text_free(&more);
	}
	if (p->example)
		text_addf(t, "\nExample:\n  %s\n", p->example);
	text_addf(t, "\nManual: man %s\n", p->name);
}

/* Text for mdoc: a backslash becomes \e, a control character at the start of a line is hidden,
 * minus signs stay. */
static void add_roff(struct text *t, const char *s)
{
	if (*s == '.' || *s == '\'')
		text_add(t, "\\&");
	for (; *s; s++) {
		if (*s == '\\')
			text_add(t, "\\e");
		else
			text_add_n(t, s, 1);
	}
}

void options_mdoc(const struct program *p, struct text *t)
{
	text_add(t, ".Bl -tag -width Ds\n");
	for (const struct option *o = p->options; o->name; o++) {
		text_add(t, ".It ");
		if (o->letter)
			text_addf(t, "Fl %c , ", o->letter);
		text_addf(t, "Fl Fl %s", o->name);
		if (o->kind != OPT_FLAG) {
			text_add(t, o->bare ? " Ns Op = Ns Ar \"" : " Ar \"");
			add_roff(t, argument_name(o));
			text_add(t, "\"");
		}
		text_add(t, "\n");
		text_addf(t, "%c", o->help[0] >= 'a' && o->help[0] <= 'z' ? o->help[0] - 32 : o->help[0]);
		add_roff(t, o->help + 1);
		text_add(t, ".\n");
		struct text more = {0};
		add_range(o, &more);
		if (more.n) {
			text_add(t, "[");
			add_roff(t, more.s);
			text_add(t, "]\n");
		}
		text_free(&more);
	}
	text_add(t, ".El\n");
}

void options_bash(const struct program *p, struct text *t)
{
	char *function = mem_format("_%s", p->name);
	for (char *c = function; *c; c++)
		if (*c == '-')
			*c = '_';
	text_addf(t, "# bash completion for %s\n%s() {\n\tlocal cur=${COMP_WORDS[COMP_CWORD]} prev=\n",
		p->name, function);
	text_add(t, "\t((COMP_CWORD > 0)) && prev=${COMP_WORDS[COMP_CWORD - 1]}\n\tcase $prev in\n");
	for (const struct option *o = p->options; o->name; o++)
		if (o->kind == OPT_CHOICE) {
			struct names choice = {0};
			names_split(&choice, o->choices, '|');
			char *words = names_join(&choice, " ");
			text_addf(t,
				"\t--%s)\n\t\tmapfile -t COMPREPLY < <(compgen -W '%s' -- "
				"\"$cur\")\n\t\treturn\n\t\t;;\n",
				o->name, words);
			free(words);
			names_free(&choice);
		}
	text_add(t, "\tesac\n\tif [[ $cur == -* ]]; then\n\t\tmapfile -t COMPREPLY < <(compgen -W '");
	for (const struct option *o = p->options; o->name; o++)
		text_addf(t, "%s--%s", o == p->options ? "" : " ", o->name);
	text_addf(t,
		"' -- \"$cur\")\n\telse\n\t\tmapfile -t COMPREPLY < <(compgen -f -- "
		"\"$cur\")\n\tfi\n}\ncomplete -o filenames -F %s %s\n",
		function, p->name);
	free(function);
}
