/* Text: a growing string, and a list of names. */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* A growing string. {0} is the empty one; s is NULL until something was added, text_string() never
 * is. */
struct text {
	char *s;
	size_t n, room;
};

void text_add(struct text *, const char *s);
void text_add_n(struct text *, const char *s, size_t n);
void text_addf(struct text *, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* A name, or a whole sentence, for people: what would steer their terminal or break the line is
 * written as \n, \t, \r, \e, \x1b or \u009b, all else as it is. _wide: right-aligned in so many
 * bytes, left-aligned when width is negative. */
void text_shown(struct text *, const char *s);
void text_shown_wide(struct text *, const char *s, int width);
/* A cell of a table: quoted where commas separate and it holds one, a quote or a line's end;
 * elsewhere blanks stand for tabs and ends of lines. What a spreadsheet would take for a formula
 * gets an apostrophe in front, what is not seen is written as \x1b or \u009b; moe-formats(5) says
 * how to undo both. */
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
/* The name in the list nearest to s by edit distance, or NULL when none is near enough to be what
 * was meant. */
const char *text_nearest(const char *s, const char *const *list, int n);
/* Bytes of the UTF-8 character at s (n > 0 bytes left), 0 when there is none (RFC 3629: no overlong
 * form, no surrogate). */
size_t text_utf8(const char *s, size_t n);
/* Bytes at s (n > 0 left) that are not seen when written: a control character (C0, DEL, C1), a
 * separator of lines, an override of the direction of writing, or one byte that is not UTF-8. 0: a
 * character to be seen. *code: the character's number, or the byte. */
size_t text_unseen(const char *s, size_t n, unsigned *code);
/* Strict numbers: the whole of s must be the number (no blanks, no trailing characters); false
 * otherwise. */
bool text_to_double(const char *s, double *x); /* refuses inf and nan */
bool text_to_long(const char *s, long long *x);

#endif
