/* What was done to recordings before they were cut, as windows and models record it (metadata
 * moe.conditioning).
 *
 *     recording --reference--> --notches--> --band pass--> --another rate--> windows
 *
 * The order is fixed. filter/conditioner.h does it; here are its settings, as text and as JSON.
 */
#ifndef FORMAT_CONDITIONING_H
#define FORMAT_CONDITIONING_H

#include "base/text.h"

enum { CONDITIONING_NOTCHES = 16 };

struct conditioning {
	struct names reference; /* channels whose mean is subtracted; empty: none */
	struct names except;    /* channels it is not subtracted from */
	bool average; /* asked for by this word; `reference` becomes the channels once they are known */
	double notch[CONDITIONING_NOTCHES]; /* [notches] Hz */
	int notches;
	double low, high; /* Hz that pass; 0: no such edge */
	double rate;      /* Hz afterwards; 0: as it is */
	/* of recordings that do not tell their own, Hz; 0: not known. No step: it is not
	 * compared. */
	double rate_before;
};

/* "average", "none", or names separated by commas; "1-45", "1-" or "-45"; "50,100". -1 with
 * EX_USAGE. */
int conditioning_reference(struct conditioning *, const char *text);
int conditioning_band(struct conditioning *, const char *text);
int conditioning_notches(struct conditioning *, const char *text);

bool conditioning_any(const struct conditioning *);
/* The same steps; the order of names does not matter. */
bool conditioning_same(const struct conditioning *, const struct conditioning *);
/* Recordings of both: a rate beforehand that they do not share is not known. */
void conditioning_join(struct conditioning *, const struct conditioning *other);
void conditioning_copy(struct conditioning *to, const struct conditioning *from);
void conditioning_free(struct conditioning *);

/* As a JSON object; reading refuses what it does not know, and names `what`. On error what was read
 * is freed. */
void conditioning_put(const struct conditioning *, struct text *);
int conditioning_read(struct conditioning *, const char *json, const char *what);
/* In words, for messages: "notch 50 Hz, 1-45 Hz, 128 Hz" or "no conditioning"; to be freed. */
char *conditioning_words(const struct conditioning *);

#endif
