/* The table of configuration keys, and what its rows say; inner header of config.c and config_print.c. */
#ifndef MODEL_CONFIG_KEYS_H
#define MODEL_CONFIG_KEYS_H

#include "model/config.h"

#include <stddef.h>

/* HEAD: the choice of an output head, shown and written only where it is not at its default: files written
 * before there was the key do not have it. */
enum key_kind { INT, REAL_NUMBER, BOOL, CHOICE, HEAD, BANDS, LAYERS, COUNTS, TYPES, AUGMENT, LATER };

struct key {
	const char *name;
	enum key_kind kind;
	size_t at;         /* offset in struct config */
	const char *value; /* the default; for LATER: the only accepted value */
	double min, max;
	const char *choices; /* implemented */
	const char *later;   /* choices that are refused as not implemented yet */
	bool (*matters)(const struct config *);
	const char *unless; /* why it has no effect, when matters() is false */
	const char *help;
};

extern const struct key config_keys[];
extern const int config_key_count;

/* A preset: up to three lists of "key=value" over the defaults, each over the one before; each ends with NULL. */
enum { PRESET_LISTS = 3 };
struct preset {
	const char *name;
	const char *const *set[PRESET_LISTS];
	const char *help;
};

extern const struct preset
	preset_table[]; /* ends with a row without a name; in the order of enum preset (config.h) */

bool preset_names(int preset, const char *key); /* whether its lists do */

bool key_shown(const struct key *, const struct config *); /* in lists and files */
struct names key_choices(const struct key *); /* to be freed */
/* Sets it; from a model a value that has no effect is accepted. -1 with an error that begins with `what`. */
int key_set(struct config *, const struct key *, const cJSON *, enum config_from, const char *what);
void key_value(const struct key *, const struct config *, struct text *); /* its value as JSON */

#endif
