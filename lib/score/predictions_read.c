#include "score/predictions.h"

#include "base/error.h"
#include "base/json.h"
#include "base/mem.h"
#include "io/lines.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LONGEST_LINE = 16 << 20, MOST_CLASSES = 1000 };

void predictions_free(struct predictions *a)
{
	names_free(&a->recordings);
	names_free(&a->groups);
	names_free(&a->runs);
	names_free(&a->run_keys);
	names_free(&a->classes);
	names_free(&a->files);
	names_free(&a->words);
	free(a->adapted_by);
	free(a->row);
	free(a->p);
	free(a->group_from);
	*a = (struct predictions){0};
}

int predictions_runs(const struct predictions *a)
{
	return a->runs.n ? a->runs.n : 1;
}

void predictions_set_classes(struct predictions *a, const struct names *classes)
{
	names_copy(&a->classes, classes);
	a->listed = true;
}

void predictions_adapted(const struct predictions *a, struct text *t)
{
	if (a->adapted_by)
		json_string(t, a->adapted_by);
	else
		text_add(t, a->adapted ? "true" : "false");
}

/* --- the keys of a line */

static int wrong_key(const char *where, const char *key, const char *what)
{
	return err_set(EX_DATAERR, "%s: %s is %s; predictions are the JSON Lines of moe-predict or moe-cv",
		where, key, what);
}

/* *index: that of the line before, or any; then that of this line's name. */
static int take_name(const cJSON *line, const char *key, struct names *to, int *index, const char *where)
{
	const cJSON *v = json_get(line, key);
	if (!cJSON_IsString(v))
		return wrong_key(where, key, v ? "not a string" : "missing");
	if (*index < 0 || *index >= to->n || strcmp(to->s[*index], v->valuestring))
		*index = names_intern(to, v->valuestring);
	return 0;
}

/* A name or null (-1). */
static int take_word(const cJSON *line, const char *key, struct names *to, int *index, const char *where)
{
	if (!cJSON_IsNull(json_get(line, key)))
		return take_name(line, key, to, index, where);
	*index = -1;
	return 0;
}

/* A line of a whole recording has the number of its windows instead of a start. */
static int take_start(const cJSON *line, int64_t *start, const char *where)
{
	const cJSON *v = json_get(line, "start");
	*start = -1;
	if (!v && json_get(line, "windows"))
		return 0;
	if (!cJSON_IsNumber(v) || v->valuedouble < 0 || v->valuedouble > 9e15 ||
		floor(v->valuedouble) < v->valuedouble)
		return wrong_key(where, "start", v ? "not a whole number" : "missing");
	*start = (int64_t)v->valuedouble;
	return 0;
}

/* Adds a number, or the text of one, to the words and keys that distinguish runs. */
static int add_run_key(
	const cJSON *line, const char *key, struct text *words, struct text *keys, const char *where)
{
	const cJSON *v = json_get(line, key);
	if (!v)
		return 0;
	if (!cJSON_IsNumber(v) && !cJSON_IsString(v))
		return wrong_key(where, key, "neither a number nor a string");
	char *s = cJSON_IsString(v) ? mem_text(v->valuestring) : mem_format("%.17g", v->valuedouble);
	text_addf(words, "%s%s %s", words->n ? ", " : "", key, s);
	text_addf(keys, "%s\"%s\":", keys->n ? "," : "", key);
	json_string(keys, s);
	free(s);
	return 0;
}

static int take_run(struct predictions *a, const cJSON *line, int *run, const char *where)
{
	struct text words = {0}, keys = {0};
	int bad = add_run_key(line, "seed", &words, &keys, where) ||
		  add_run_key(line, "permutation", &words, &keys, where);
	if (!bad && a->n && !words.n != !a->runs.n)
		bad = err_set(EX_DATAERR,
			"%s: the line has %s seed or permutation, unlike those before it; score the two "
			"kinds separately",
			where, words.n ? "a" : "no");
	if (!bad && words.n) {
		*run = names_intern(&a->runs, words.s);
		if (*run == a->run_keys.n)
			names_add(&a->run_keys, keys.s);
	}
	text_free(&words);
	text_free(&keys);
	return bad;
}

static int take_adapted(struct predictions *a, const cJSON *line, const char *where)
{
	const cJSON *v = json_get(line, "adapted");
	bool adapted = cJSON_IsTrue(v) || cJSON_IsString(v);
	const char *by = cJSON_IsString(v) ? v->valuestring : NULL;
	if (v && !adapted && !cJSON_IsFalse(v) && !cJSON_IsNull(v))
		return wrong_key(where, "adapted", "neither a name nor true or false");
	if (!a->n) {
		a->adapted = adapted;
		a->adapted_by = by ? mem_text(by) : NULL;
	}
	if (adapted != a->adapted || !by != !a->adapted_by || (by && strcmp(by, a->adapted_by)))
		return err_set(EX_DATAERR,
			"%s: the prediction is %sadapted to the subjects it is tested on, unlike those "
			"before it; score the two kinds separately",
			where, adapted ? "" : "not ");
	return 0;
}

/* The names of p, which must be the same in all lines that have them. */
static int take_classes(struct predictions *a, const cJSON *line, const char *where)
{
	const cJSON *list = json_get(line, "classes"), *v;
	struct names names = {0};
	int bad = 0;
	if (!list)
		return 0;
	cJSON_ArrayForEach(v, list)
	{
		if (cJSON_IsString(v))
			names_add(&names, v->valuestring);
		else
			bad = 1;
	}
	if (bad || !names.n)
		bad = wrong_key(where, "classes", "not a list of names");
	else if (a->listed && !names_equal(&names, &a->classes))
		bad = err_set(EX_DATAERR,
			"%s: the classes, or their order, differ from those before; score predictions of "
			"different models separately",
			where);
	else if (!a->listed)
		predictions_set_classes(a, &names);
	names_free(&names);
	return bad;
}

static int take_probabilities(struct predictions *a, const cJSON *line, const char *where)
{
	const cJSON *list = json_get(line, "p"), *v;
	int n = cJSON_IsArray(list) ? cJSON_GetArraySize(list) : 0, c = 0;
	double sum = 0;
	if (cJSON_IsNull(list))
		return err_set(EX_DATAERR,
			"%s: the window has no prediction (p is null), so there is nothing to score; leave "
			"such lines out (jq -c 'select(.p)'), and report how many there were",
			where);
	if (n < 2)
		return wrong_key(where, "p", list ? "not a list of two or more numbers" : "missing");
	if (n > MOST_CLASSES)
		return err_set(EX_DATAERR, "%s: p has %d numbers, but at most %d classes are supported",
			where, n, MOST_CLASSES);
	if (a->n && n != a->width)
		return err_set(EX_DATAERR,
			"%s: p has %d numbers, but %d in the lines before; score predictions of different "
			"models separately",
			where, n, a->width);
	a->width = n;
	if (a->n >= a->p_room) {
		a->p_room = 2 * a->n + 16;
		GROW(a->p, a->p_room * n);
	}
	double *p = a->p + a->n * n;
	cJSON_ArrayForEach(v, list)
	{
		if (!cJSON_IsNumber(v) || !(v->valuedouble >= 0 && v->valuedouble <= 1 + 1e-6))
			return wrong_key(where, "p", "not a list of probabilities");
		sum += p[c++] = v->valuedouble;
	}
	if (fabs(sum - 1) > 1e-4)
		return err_set(
			EX_DATAERR, "%s: p adds up to %.6g instead of 1; the line is damaged", where, sum);
	return 0;
}

static cJSON *parse_line(const char *s, size_t n, const char *where)
{
	cJSON *line = json_parse(s, n, where);
	if (!line) {
		char *why = mem_text(err_text());
		err_set(EX_DATAERR, "%s; predictions are the JSON Lines of moe-predict or moe-cv", why);
		free(why);
	}
	return line;
}

static int take_line(void *context, const char *s, size_t n, int64_t number)
{
	struct predictions *a = context;
	int file = a->files.n - 1;
	char *where = mem_format("%s:%lld", a->files.s[file], (long long)number);
	cJSON *line = parse_line(s, n, where);
	struct prediction_row x = a->n ? a->row[a->n - 1] : (struct prediction_row){0};
	x.file = file;
	x.line = number;
	int bad = !line ? -1 : cJSON_IsObject(line) ? 0 : wrong_key(where, "the line", "not an object");
	bad = bad || take_name(line, "recording", &a->recordings, &x.recording, where) ||
	      take_name(line, "group", &a->groups, &x.group, where) || take_start(line, &x.start, where) ||
	      take_word(line, "label", &a->words, &x.label, where) ||
	      take_word(line, "class", &a->words, &x.named, where) || take_run(a, line, &x.run, where) ||
	      take_adapted(a, line, where) || take_classes(a, line, where) ||
	      take_probabilities(a, line, where);
	if (!bad) {
		ROOM_FOR_ONE(a->row, a->n, a->room);
		a->row[a->n++] = x;
	}
	cJSON_Delete(line);
	free(where);
	return bad ? -1 : 0;
}

int predictions_read(struct predictions *a, struct input *in)
{
	names_add(&a->files, input_name(in));
	int64_t lines = lines_each(in, LONGEST_LINE, "moe-predict", take_line, a);
	if (!lines)
		return err_set(EX_DATAERR, "%s: the file is empty; moe-predict and moe-cv print predictions",
			a->files.s[a->files.n - 1]);
	return lines < 0 ? -1 : 0;
}
