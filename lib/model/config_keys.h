/* The table of configuration keys, and what its rows say; inner header of config.c and
 * config_print.c. */
#ifndef MODEL_CONFIG_KEYS_H
#define MODEL_CONFIG_KEYS_H

#include "model/config.h"

#include <stddef.h>

/* WHOLE: in a double. HEAD, the choice of an output head, and VIEWS are shown and written only
 * where there is one: files written before there was the key do not have it. */
enum key_kind { INT, REAL_NUMBER, WHOLE, BOOL, CHOICE, HEAD, BANDS, LAYERS, COUNTS, TYPES, AUGMENT, VIEWS };

struct key {
	const char *name;
	enum key_kind kind;
	size_t at;         /* offset in struct config */
	const char *value; /* the default */
	double min, max;
	const char *choices; /* NULL: the names of a table */
	/* Whether it has an effect. NULL: always; or, when routers, expert types or tokenisers list
	 * it, with those alone. */
	bool (*matters)(const struct config *);
	const char *unless; /* why not; before it goes that none of those which list it is in use */
	const char *help;
};

bool config_key(int i, struct key *);                /* the i-th; false when there are no more */
int config_key_find(const char *name, struct key *); /* its number, or -1 */
int config_key_count(void);

bool key_matters(const struct key *, const struct config *);
char *key_unless(const struct key *); /* why it does not; to be freed */

/* A preset: up to three lists of "key=value" over the defaults, each over the one before; each ends
 * with NULL. */
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
struct names key_choices(const struct key *);              /* to be freed */
/* Sets it. -1 with an error that begins with `what`. */
int key_set(struct config *, const struct key *, const cJSON *, const char *what);
void key_value(const struct key *, const struct config *, struct text *); /* its value as JSON */

#endif
