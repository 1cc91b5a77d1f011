/* Text: a growing string, and a list of names. */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* A growing string. {0} is the empty one; s is NULL until something was added, text_string() never is. */
struct text {
	char *s;
	size_t n, room;
};

void text_add(struct text *, const char *s);
void text_add_n(struct text *, const char *s, size_t n);
void text_addf(struct text *, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* A cell of a table: quoted where commas separate and it holds one, a quote or a line's end; else blanks stand for tabs and ends
 * of lines. */
void text_cell(struct text *, const char *s, char separator);
void text_number_cell(struct text *, double x, char separator); /* behind a separator; empty for NAN */
const char *text_string(const struct text *);
char *text_take(struct text *); /* hands the string over, leaves {0} */
void text_free(struct text *);

/* A list of strings in order, owned by the list. {0} is the empty one. */
struct names {
	char **s;
	int n, room;
};

int names_add(struct names *, const char *s);        /* appends a copy; returns its index */
int names_intern(struct names *, const char *s);     /* the index of s, appended when new */
int names_find(const struct names *, const char *s); /* index or -1 */
void names_sort(struct names *);                     /* by bytes */
const char *names_duplicate(const struct names *);   /* one that stands there twice, or NULL */
bool names_equal(const struct names *, const struct names *);
void names_copy(struct names *to, const struct names *from);        /* to is overwritten, not freed */
void names_split(struct names *, const char *list, char separator); /* appends the trimmed, non-empty
	parts; a part in double quotes may hold the separator */
char *names_join(const struct names *, const char *separator);      /* to be freed */
void names_free(struct names *);

/* Whether the word is one of a list "a|b|c"; NULL is an empty list. */
bool text_among(const char *list, const char *word);
bool text_starts(const char *s, const char *prefix);
bool text_ends(const char *s, const char *suffix);
/* The name in the list nearest to s by edit distance, or NULL when none is near enough to be what was meant. */
const char *text_nearest(const char *s, const char *const *list, int n);
/* Strict numbers: the whole of s must be the number (no blanks, no trailing characters); false otherwise. */
bool text_to_double(const char *s, double *x); /* refuses inf and nan */
bool text_to_long(const char *s, long long *x);

#endif
