#include "scalp/coordsystem.h"

#include "base/error.h"
#include "base/json.h"
#include "base/mem.h"
#include "io/input.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

enum { LARGEST = 1 << 20 };

void coordsystem_free(struct coordsystem *s)
{
	free(s->path);
	*s = (struct coordsystem){0};
}

static char *find_coordsystem(const char *path)
{
	static const char end[] = "electrodes.tsv";
	if (!text_ends(path, end))
		return NULL;
	char *name = mem_format("%.*scoordsystem.json", (int)(strlen(path) - strlen(end)), path);
	if (!access(name, F_OK))
		return name;
	free(name);
	return NULL;
}

static const char *one_of(const char *const *list, const cJSON *word)
{
	for (; cJSON_IsString(word) && *list; list++)
		if (!strcasecmp(*list, word->valuestring))
			return *list;
	return NULL;
}

static int read_json(struct coordsystem *s, const cJSON *root)
{
	static const char *const units[] = {"m", "cm", "mm", NULL}, *const unknown[] = {"n/a", NULL},
				 *const turned[] = {"CTF", "EEGLAB", "4DBti", "KitYokogawa", NULL};
	const cJSON *unit = json_get(root, "EEGCoordinateUnits");
	s->unit = one_of(units, unit);
	s->nose_is_x = one_of(turned, json_get(root, "EEGCoordinateSystem"));
	if (unit && !s->unit && !one_of(unknown, unit))
		return err_set(EX_DATAERR, "%s: EEGCoordinateUnits is not one of m, cm, mm, n/a", s->path);
	return 0;
}

int coordsystem_read(struct coordsystem *s, const char *path)
{
	*s = (struct coordsystem){.path = find_coordsystem(path)};
	struct input *in = s->path ? input_open(s->path) : NULL;
	struct text t = {0};
	char piece[4096];
	long n = 0;
	while (in && t.n < LARGEST && (n = input_read(in, piece, sizeof piece)) > 0)
		text_add_n(&t, piece, (size_t)n);
	cJSON *root = in && n >= 0 ? json_parse(text_string(&t), t.n, s->path) : NULL;
	int r = !s->path ? 0 : root ? read_json(s, root) : -1;
	cJSON_Delete(root);
	text_free(&t);
	input_close(in);
	return r;
}
