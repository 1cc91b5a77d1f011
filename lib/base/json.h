/* JSON, strictly.
 *
 * Reading goes through cJSON, with what it lets pass refused here: text behind the value, duplicate
 * keys, numbers that are not JSON, control characters, invalid UTF-8. Writing appends to a struct
 * text; numbers keep every bit of a float (%.9g) or a double (%.17g, shortest form that reads
 * back), and what is not finite becomes null.
 */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include "base/text.h"

#include <cjson/cJSON.h>
#include <stdint.h>

/* Parses n bytes. NULL and an error naming `what` (a file, an option) when it is not one JSON
 * value. */
cJSON *json_parse(const char *s, size_t n, const char *what);

/* A string as a value. */
cJSON *json_of_text(const char *s);

/* Strict UTF-8 without NUL. */
bool json_utf8(const char *s, size_t n);

/* A JSON list of strings into names (appended). -1 with an error naming `what`. */
int json_names(const char *s, struct names *out, const char *what);

const cJSON *json_get(const cJSON *object, const char *key); /* case-sensitive, NULL when absent */

/* Quoted and escaped; bytes that are not UTF-8 become U+FFFD. What is not seen (text_unseen) is
 * written as \u009b. */
void json_string(struct text *, const char *s);
/* JSON as it is, without blanks around its parts (cJSON_Minify), but for what is not seen in its
 * strings. */
void json_copy(struct text *, const char *json);
void json_double(struct text *, double x); /* shortest of %.15g, %.16g, %.17g that reads back equal */
void json_float(struct text *, double x);  /* %.9g */
void json_list(struct text *, const struct names *);
void json_floats(struct text *, const float *x, int n);

#endif
