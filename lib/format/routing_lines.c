/* Routing that comes as the JSON Lines of moe-route --jsonl: a routing of one window for each
 * line. */
#include "format/routing.h"

#include "base/error.h"
#include "base/json.h"
#include "base/mem.h"
#include "io/lines.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LONGEST_LINE = 256 << 20, MOST_EXPERTS = 4096 };

struct reading {
	const char *name;
	int (*take)(void *context, const struct routing *);
	void *context;
	struct routing r;           /* of the line at hand, which owns its arrays */
	struct routing_layer *like; /* [likes] the layers of the first line, their numbers aside */
	int likes;
};

static int wrong(const char *where, const char *key, const char *what)
{
	return err_set(EX_DATAERR, "%s: %s is %s; lines of routing are those of moe-route --jsonl", where,
		key, what);
}

static int size_of(const cJSON *list)
{
	return cJSON_IsArray(list) ? cJSON_GetArraySize(list) : 0;
}

/* Where numbers go, and what they may be: x, or whole ones in e; the other is NULL. */
struct room {
	double least, most;
	float *x;
	int32_t *e;
};

/* Exactly n numbers; the room begins behind them then. */
static int take_numbers(const cJSON *list, int n, struct room *to)
{
	const cJSON *v;
	if (size_of(list) != n)
		return -1;
	cJSON_ArrayForEach(v, list)
	{
		double d = cJSON_IsNumber(v) ? v->valuedouble : NAN;
		if (!(d >= to->least && d <= to->most) || (to->e && d > floor(d)))
			return -1;
		if (to->e)
			*to->e++ = (int32_t)d;
		else
			*to->x++ = (float)d;
	}
	return 0;
}

/* A list of `rows` such lists. */
static int take_rows(const cJSON *list, int rows, int n, struct room *to)
{
	const cJSON *v;
	int bad = size_of(list) != rows;
	cJSON_ArrayForEach(v, list)
	{
		bad = bad || take_numbers(v, n, to);
	}
	return bad ? -1 : 0;
}

static bool twice_in_a_row(const int32_t *e, int64_t rows, int k)
{
	for (int64_t i = 0; i < rows; i++)
		for (int a = 0; a < k; a++)
			for (int b = 0; b < a; b++)
				if (e[i * k + a] >= 0 && e[i * k + a] == e[i * k + b])
					return true;
	return false;
}

/* A whole number of the key, from 0 to below `end`; -1 when it is no such. */
static int whole(const cJSON *from, const char *key, int end)
{
	const cJSON *v = json_get(from, key);
	bool good = cJSON_IsNumber(v) && v->valuedouble >= 0 && v->valuedouble < end &&
		    !(v->valuedouble > floor(v->valuedouble));
	return good ? (int)v->valuedouble : -1;
}

/* The arrays of *l are the caller's to free, whatever comes back. */
static int take_layer(const cJSON *from, int regions, struct routing_layer *l, const char *where)
{
	const cJSON *expert = json_get(from, "expert"), *probability = json_get(from, "probability");
	int tokens = size_of(expert), k = size_of(cJSON_GetArrayItem(expert, 0)),
	    E = size_of(cJSON_GetArrayItem(probability, 0));
	*l = (struct routing_layer){.region = whole(from, "region", regions),
		.layer = whole(from, "layer", 1 << 20),
		.tokens = tokens,
		.experts = E,
		.k = k};
	if (l->region < 0 || l->layer < 0 || k < 1 || k > E || E > MOST_EXPERTS)
		return wrong(where, "an entry of layers",
			"not of an existing region, with choices among experts for each token");
	size_t places = (size_t)tokens * (size_t)k;
	float *p = NEW_ARRAY(float, (size_t)tokens *(size_t)E), *w = NEW_ARRAY(float, places);
	int32_t *e = NEW_ARRAY(int32_t, places);
	l->probability = p;
	l->weight = w;
	l->expert = e;
	if (take_rows(probability, tokens, E, &(struct room){0, 1.001, p, NULL}))
		return wrong(where, "probability", "not a list of probabilities for each token");
	if (take_rows(json_get(from, "weight"), tokens, k, &(struct room){0, 1e6, w, NULL}))
		return wrong(where, "weight", "not a list of weights for each token");
	if (take_rows(expert, tokens, k, &(struct room){-1, E - 1, NULL, e}) || twice_in_a_row(e, tokens, k))
		return wrong(where, "expert", "not a list of different experts for each token");
	return 0;
}

static int take_layers(struct reading *g, const cJSON *list, const char *where)
{
	const cJSON *v;
	int n = size_of(list), bad = 0;
	if (!cJSON_IsArray(list))
		return wrong(where, "layers", list ? "not a list" : "missing");
	g->r.layer = NEW_ARRAY(struct routing_layer, n);
	cJSON_ArrayForEach(v, list)
	{
		bad = bad || take_layer(v, g->r.regions.n, &g->r.layer[g->r.layers++], where);
	}
	if (!bad && !g->like) {
		g->likes = n;
		g->like = NEW_ARRAY(struct routing_layer, n);
		memcpy(g->like, g->r.layer, (size_t)n * sizeof *g->like);
	}
	bool same = !bad && n == g->likes;
	for (int i = 0; i < n && same; i++) {
		const struct routing_layer *a = &g->r.layer[i], *b = &g->like[i];
		same = a->region == b->region && a->layer == b->layer && a->tokens == b->tokens &&
		       a->experts == b->experts && a->k == b->k;
		for (int j = 0; j < i; j++)
			same &= g->r.layer[j].region != a->region || g->r.layer[j].layer != a->layer;
	}
	return bad || same ? bad
			   : err_set(EX_DATAERR,
				     "%s: other layers than in the lines before, or one twice; statistics of "
				     "different "
				     "models do not add up",
				     where);
}

/* The regions have numbers for names: lines tell no others. */
static int take_gate(struct reading *g, const cJSON *list, const char *where)
{
	int n = size_of(list);
	float *gate = NEW_ARRAY(float, n);
	g->r.gate = gate;
	for (int i = 0; i < n; i++) {
		char *name = mem_format("%d", i);
		names_add(&g->r.regions, name);
		free(name);
	}
	if (n < 1 || take_numbers(list, n, &(struct room){0, 1.001, gate, NULL}))
		return wrong(where, "gate", list ? "not a list of the regions' weights" : "missing");
	return 0;
}

static int take_name(const cJSON *line, const char *key, bool may_lack, struct names *to, const char *where)
{
	const cJSON *v = json_get(line, key);
	if (cJSON_IsString(v))
		names_add(to, v->valuestring);
	else if (!may_lack || !cJSON_IsNull(v))
		return wrong(where, key, v ? "not a name" : "missing");
	return 0;
}

static void forget_line(struct routing *r)
{
	for (int i = 0; i < r->layers; i++) {
		free((void *)(uintptr_t)r->layer[i].probability);
		free((void *)(uintptr_t)r->layer[i].expert);
		free((void *)(uintptr_t)r->layer[i].weight);
	}
	free((void *)(uintptr_t)r->gate);
	names_free(&r->regions);
	names_free(&r->classes);
	names_free(&r->recordings);
	names_free(&r->groups);
	free(r->layer);
	free(r->name);
	*r = (struct routing){0};
}

static int take_line(void *context, const char *s, size_t n, int64_t number)
{
	static const int32_t first = 0, none = -1;
	struct reading *g = context;
	char *where = mem_format("%s:%lld", g->name, (long long)number);
	cJSON *line = json_parse(s, n, where);
	int bad = line ? 0 : -1;
	if (line && !cJSON_IsObject(line))
		bad = wrong(where, "the line", "not an object");
	g->r = (struct routing){.name = where, .n = 1, .recording = &first, .group = &first};
	bad = bad || take_name(line, "recording", false, &g->r.recordings, where) ||
	      take_name(line, "group", false, &g->r.groups, where) ||
	      take_name(line, "label", true, &g->r.classes, where) ||
	      take_gate(g, json_get(line, "gate"), where) || take_layers(g, json_get(line, "layers"), where);
	g->r.label = g->r.classes.n ? &first : &none;
	bad = bad || g->take(g->context, &g->r);
	cJSON_Delete(line);
	forget_line(&g->r);
	return bad ? -1 : 0;
}

int64_t routing_lines(struct input *in, int (*take)(void *context, const struct routing *), void *context)
{
	struct reading g = {.name = input_name(in), .take = take, .context = context};
	int64_t lines = lines_each(in, LONGEST_LINE, "moe-route", take_line, &g);
	free(g.like);
	return lines;
}
