#include "base/json.h"

#include "base/error.h"
#include "base/mem.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool json_utf8(const char *s, size_t n)
{
	for (size_t i = 0; i < n;) {
		size_t len = s[i] ? text_utf8(s + i, n - i) : 0;
		if (!len)
			return false;
		i += len;
	}
	return true;
}

/* One JSON number at s: -?(0|[1-9]d*)(.d+)?([eE][+-]?d+)?
 * Returns what follows it, NULL when it is none. */
static const char *number_end(const char *s, const char *end)
{
#define DIGIT(p) ((p) < end && *(p) >= '0' && *(p) <= '9')
	if (s < end && *s == '-')
		s++;
	if (!DIGIT(s))
		return NULL;
	if (*s == '0')
		s++;
	else
		while (DIGIT(s))
			s++;
	if (s < end && *s == '.') {
		s++;
		if (!DIGIT(s))
			return NULL;
		while (DIGIT(s))
			s++;
	}
	if (s < end && (*s == 'e' || *s == 'E')) {
		s++;
		if (s < end && (*s == '+' || *s == '-'))
			s++;
		if (!DIGIT(s))
			return NULL;
		while (DIGIT(s))
			s++;
	}
	return s;
#undef DIGIT
}

/* What cJSON accepts and JSON does not: looks at tokens only, nesting is cJSON's business. */
static const char *lexical_fault(const char *s, size_t n)
{
	const char *end = s + n;
	while (s < end) {
		if (*s == '"') {
			for (s++; s < end && *s != '"'; s++) {
				if ((unsigned char)*s < 0x20)
					return "a control character inside a string";
				if (*s == '\\' && ++s == end)
					return "a string that is not closed";
			}
			if (s++ >= end)
				return "a string that is not closed";
		} else if (*s == '-' || (*s >= '0' && *s <= '9')) {
			s = number_end(s, end);
			if (!s || (s < end && !strchr(",]} \t\r\n", *s)))
				return "a malformed number";
		} else if ((unsigned char)*s < 0x20 && !strchr("\t\r\n", *s)) {
			return "a control character";
		} else {
			s++;
		}
	}
	return NULL;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The first key that stands twice in an object anywhere below `item`, or NULL. */
static const char *find_duplicate(const cJSON *item)
{
	const cJSON *child;
	const char *found = NULL;
	if (cJSON_IsObject(item)) {
		int n = cJSON_GetArraySize(item), i = 0;
		const char **key = NEW_ARRAY(const char *, n);
		cJSON_ArrayForEach(child, item) key[i++] = child->string;
		qsort(key, (size_t)n, sizeof *key, by_name);
		for (i = 1; i < n && !found; i++)
			if (!strcmp(key[i - 1], key[i]))
				found = key[i];
		free(key);
	}
	cJSON_ArrayForEach(child, item)
	{
		if (found)
			break;
		found = find_duplicate(child);
	}
	return found;
}

static void set_hooks(void)
{
	cJSON_InitHooks(&(cJSON_Hooks){mem_take, free});
}

/* The parser takes its memory where all do: running out of it is neither a bug nor a fault in the
 * text. */
static void set_parser_memory(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	pthread_once(&once, set_hooks);
}

cJSON *json_of_text(const char *s)
{
	set_parser_memory();
	return cJSON_CreateString(s);
}

cJSON *json_parse(const char *s, size_t n, const char *what)
{
	set_parser_memory();
	const char *fault = !json_utf8(s, n)                          ? "bytes that are not UTF-8 text"
			    : n >= 3 && !memcmp(s, "\xef\xbb\xbf", 3) ? "a byte order mark in front"
								      : lexical_fault(s, n);
	if (fault) {
		err_set(EX_DATAERR, "%s: not JSON: %s", what, fault);
		return NULL;
	}
	char *copy = mem_text_n(s, n); /* the parser wants a terminator to insist on */
	const char *stop = copy;
	cJSON *root = cJSON_ParseWithLengthOpts(copy, n + 1, &stop, 1);
	if (!root) {
		size_t at = (size_t)(stop - copy);
		err_set(EX_DATAERR, "%s: not JSON: something is wrong near byte %zu: \"%.20s\"", what, at,
			at <= n ? copy + at : "");
	} else {
		const char *twice = find_duplicate(root);
		if (twice) {
			err_set(EX_DATAERR, "%s: the key \"%s\" appears twice", what, twice);
			cJSON_Delete(root);
			root = NULL;
		}
	}
	free(copy);
	return root;
}

int json_names(const char *s, struct names *out, const char *what)
{
	cJSON *list = json_parse(s, strlen(s), what);
	if (!list)
		return -1;
	const cJSON *item;
	int bad = !cJSON_IsArray(list);
	cJSON_ArrayForEach(item, list) bad |= !cJSON_IsString(item);
	if (!bad)
		cJSON_ArrayForEach(item, list) names_add(out, item->valuestring);
	cJSON_Delete(list);
	return bad ? err_set(EX_DATAERR, "%s: not a JSON list of strings", what) : 0;
}

const cJSON *json_get(const cJSON *object, const char *key)
{
	return cJSON_GetObjectItemCaseSensitive(object, key);
}

/* The next character of a string, of `left` bytes: escaped when it is not seen. Returns its
 * length. */
static size_t add_character(struct text *t, const char *s, size_t left)
{
	unsigned code;
	size_t len = text_utf8(s, left), unseen = text_unseen(s, left, &code);
	if (!len)
		text_add(t, "\xef\xbf\xbd");
	else if (*s == '\n')
		text_add(t, "\\n");
	else if (*s == '\t')
		text_add(t, "\\t");
	else if (unseen)
		text_addf(t, "\\u%04x", code);
	else
		text_add_n(t, s, len);
	return len ? len : 1;
}

void json_string(struct text *t, const char *s)
{
	text_add(t, "\"");
	for (size_t left = strlen(s), len; left; s += len, left -= len) {
		if (*s == '"' || *s == '\\')
			text_add(t, "\\");
		len = add_character(t, s, left);
	}
	text_add(t, "\"");
}

void json_copy(struct text *t, const char *json)
{
	for (size_t left = strlen(json), len; left; json += len, left -= len)
		len = add_character(t, json, left); /* outside of strings all is seen */
}

void json_double(struct text *t, double x)
{
	char s[40];
	if (!isfinite(x)) {
		text_add(t, "null");
		return;
	}
	for (int digits = 15; digits <= 17; digits++) {
		snprintf(s, sizeof s, "%.*g", digits, x);
		if (strtod(s, NULL) == x)
			break;
	}
	text_add(t, s);
}

void json_float(struct text *t, double x)
{
	if (isfinite(x))
		text_addf(t, "%.9g", x);
	else
		text_add(t, "null");
}

void json_list(struct text *t, const struct names *l)
{
	text_add(t, "[");
	for (int i = 0; i < l->n; i++) {
		text_add(t, i ? "," : "");
		json_string(t, l->s[i]);
	}
	text_add(t, "]");
}

void json_floats(struct text *t, const float *x, int n)
{
	text_add(t, "[");
	for (int i = 0; i < n; i++) {
		text_add(t, i ? "," : "");
		json_float(t, (double)x[i]);
	}
	text_add(t, "]");
}
