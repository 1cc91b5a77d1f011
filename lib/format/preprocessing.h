/* What was done to recordings before they were cut, as windows and models record it (metadata
 * moe.preprocessing).
 *
 *     recording --reference--> --notches--> --band pass--> --another rate--> windows
 *
 * The order is fixed. filter/preprocessor.h does it; here are its settings, as text and as JSON.
 */
#ifndef FORMAT_PREPROCESSING_H
#define FORMAT_PREPROCESSING_H

#include "base/text.h"

enum { PREPROCESSING_NOTCHES = 16 };

struct preprocessing {
	struct names reference; /* channels whose mean is subtracted; empty: none */
	struct names except;    /* channels it is not subtracted from */
	bool average; /* asked for by this word; `reference` becomes the channels once they are known */
	double notch[PREPROCESSING_NOTCHES]; /* [notches] Hz */
	int notches;
	double low, high; /* Hz that pass; 0: no such edge */
	double rate;      /* Hz afterwards; 0: as it is */
	/* for recordings that do not state theirs, Hz; 0: not known. Not a step, so it is not
	 * compared. */
	double rate_before;
};

/* "average", "none", or names separated by commas; "1-45", "1-" or "-45"; "50,100". -1 with
 * EX_USAGE. */
int preprocessing_reference(struct preprocessing *, const char *text);
int preprocessing_band(struct preprocessing *, const char *text);
int preprocessing_notches(struct preprocessing *, const char *text);

bool preprocessing_any(const struct preprocessing *);
/* The same steps; the order of names does not matter. */
bool preprocessing_same(const struct preprocessing *, const struct preprocessing *);
/* Recordings of both: a rate beforehand that they do not share is not known. */
void preprocessing_join(struct preprocessing *, const struct preprocessing *other);
void preprocessing_copy(struct preprocessing *to, const struct preprocessing *from);
void preprocessing_free(struct preprocessing *);

/* As a JSON object; reading refuses what it does not know, and names `what`. On error what was read
 * is freed. */
void preprocessing_put(const struct preprocessing *, struct text *);
int preprocessing_read(struct preprocessing *, const char *json, const char *what);
/* In words, for messages: "notch 50 Hz, 1-45 Hz, 128 Hz" or "no preprocessing"; to be freed. */
char *preprocessing_words(const struct preprocessing *);

#endif
