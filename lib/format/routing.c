#include "format/routing.h"

#include "base/error.h"
#include "base/json.h"
#include "base/mem.h"
#include "format/layout.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void routing_free(struct routing *r)
{
	if (!r)
		return;
	names_free(&r->regions);
	names_free(&r->classes);
	names_free(&r->recordings);
	names_free(&r->groups);
	free(r->layer);
	free(r->history);
	free(r->name);
	st_free(r->file);
	free(r);
}

/* --- reading */

/* A JSON list of names; of regions also the objects of a model file, which carry theirs as
 * "name". */
static int read_names(const struct st_file *f, const char *key, struct names *out)
{
	const char *s = st_meta(f, key);
	if (!s)
		return err_set(EX_DATAERR, "%s: metadata %s is missing", f->name, key);
	char *what = mem_format("%s: metadata %s", f->name, key);
	cJSON *list = json_parse(s, strlen(s), what);
	const cJSON *item;
	int bad = list ? 0 : -1;
	if (list && !cJSON_IsArray(list))
		bad = err_set(EX_DATAERR, "%s: not a list", what);
	cJSON_ArrayForEach(item, list)
	{
		const cJSON *name = cJSON_IsObject(item) ? json_get(item, "name") : item;
		if (cJSON_IsString(name))
			names_add(out, name->valuestring);
		else
			bad = err_set(EX_DATAERR, "%s: not a list of names", what);
	}
	cJSON_Delete(list);
	free(what);
	return bad;
}

static int check_index(
	const struct st_file *f, const char *tensor, const int32_t *x, int64_t n, int least, int count)
{
	for (int64_t i = 0; i < n; i++)
		if (x[i] < least || x[i] >= count)
			return err_set(EX_DATAERR, "%s: tensor %s: window %lld: %d is outside %d to %d",
				f->name, tensor, (long long)i, (int)x[i], least, count - 1);
	return 0;
}

/* Numbers x [n] in windows of `each`: finite and within 0 .. most. */
static int check_numbers(
	const struct st_file *f, const char *tensor, const float *x, int64_t n, int64_t each, double most)
{
	for (int64_t i = 0; i < n; i++)
		if (!(x[i] >= 0) || (double)x[i] > most) /* NAN fails the first */
			return err_set(EX_DATAERR, "%s: tensor %s: window %lld: %g is outside 0 to %g",
				f->name, tensor, (long long)(i / each), (double)x[i], most);
	return 0;
}

static int read_windows(struct routing *r, const struct st_file *f)
{
	r->n = -1;
	r->start = st_need(f, "window.start", ST_I64, 1, &r->n);
	r->sample = r->start;
	if (!r->start ||
		(st_find(f, "window.sample") &&
			!(r->sample = st_need(f, "window.sample", ST_I64, 1, &r->n))) ||
		!(r->label = st_need(f, "window.label", ST_I32, 1, &r->n)) ||
		!(r->recording = st_need(f, "window.recording", ST_I32, 1, &r->n)) ||
		!(r->group = st_need(f, "window.group", ST_I32, 1, &r->n)))
		return -1;
	for (int64_t i = 0; i < r->n; i++)
		if (r->sample[i] < 0 || r->sample[i] > LAYOUT_SAMPLE_MOST)
			return err_set(EX_DATAERR,
				"%s: tensor window.sample: window %lld: %lld is outside 0 to %lld", f->name,
				(long long)i, (long long)r->sample[i], (long long)LAYOUT_SAMPLE_MOST);
	return check_index(f, "window.label", r->label, r->n, -1, r->classes.n) ||
			       check_index(f, "window.recording", r->recording, r->n, 0, r->recordings.n) ||
			       check_index(f, "window.group", r->group, r->n, 0, r->groups.n)
		       ? -1
		       : 0;
}

static int check_experts(
	const struct st_file *f, const char *tensor, const struct routing_layer *l, int64_t n)
{
	unsigned char *seen = NEW_ARRAY(unsigned char, l->experts);
	int r = check_index(f, tensor, l->expert, n * l->tokens * l->k, -1, l->experts);
	for (int64_t t = 0; t < n * l->tokens && !r; t++) {
		const int32_t *e = l->expert + t * l->k;
		for (int j = 0; j < l->k && !r; j++)
			if (e[j] >= 0 && seen[e[j]]++)
				r = err_set(EX_DATAERR,
					"%s: tensor %s: window %lld: a token has expert %d twice", f->name,
					tensor, (long long)(t / l->tokens), (int)e[j]);
		for (int j = 0; j < l->k; j++)
			if (e[j] >= 0)
				seen[e[j]] = 0;
	}
	free(seen);
	return r;
}

/* The capacities of a layer, if it has such. */
static int read_capacity(const struct st_file *f, struct routing_layer *l)
{
	char name[64];
	int64_t E = l->experts;
	snprintf(name, sizeof name, "layer.%d.%d.capacity", l->region, l->layer);
	if (!st_find(f, name))
		return 0;
	l->capacity = st_need(f, name, ST_I32, 1, &E);
	for (int e = 0; l->capacity && e < l->experts; e++)
		if (l->capacity[e] < 0 || l->capacity[e] > l->tokens)
			return err_set(EX_DATAERR, "%s: tensor %s: expert %d: %d is outside 0 to %lld",
				f->name, name, e, (int)l->capacity[e], (long long)l->tokens);
	return l->capacity ? 0 : -1;
}

/* The tensors layer.<region>.<l>.* of a layer whose region and number are set. */
static int read_layer(const struct routing *r, const struct st_file *f, struct routing_layer *l)
{
	char p[64], e[64], w[64];
	snprintf(p, sizeof p, "layer.%d.%d.probability", l->region, l->layer);
	snprintf(e, sizeof e, "layer.%d.%d.expert", l->region, l->layer);
	snprintf(w, sizeof w, "layer.%d.%d.weight", l->region, l->layer);
	int64_t shape[3] = {r->n, -1, -1}, chosen[3] = {r->n, -1, -1};
	l->probability = st_need(f, p, ST_F32, 3, shape);
	if (!l->probability)
		return -1;
	chosen[1] = shape[1];
	if (!(l->expert = st_need(f, e, ST_I32, 3, chosen)) ||
		!(l->weight = st_need(f, w, ST_F32, 3, chosen)))
		return -1;
	if (shape[1] < 1 || shape[1] > INT32_MAX || shape[2] < 1 || shape[2] > 4096)
		return err_set(EX_DATAERR, "%s: tensor %s: %lld tokens of %lld experts", f->name, p,
			(long long)shape[1], (long long)shape[2]);
	if (chosen[2] < 1 || chosen[2] > shape[2])
		return err_set(EX_DATAERR, "%s: tensor %s: %lld choices among %lld experts", f->name, e,
			(long long)chosen[2], (long long)shape[2]);
	l->tokens = shape[1];
	l->experts = (int)shape[2];
	l->k = (int)chosen[2];
	int64_t each = l->tokens * l->experts, places = l->tokens * l->k;
	return check_numbers(f, p, l->probability, r->n * each, each, 1.001) ||
			       check_experts(f, e, l, r->n) ||
			       check_numbers(f, w, l->weight, r->n * places, places, 1e6) ||
			       read_capacity(f, l)
		       ? -1
		       : 0;
}

static int by_place(const void *a, const void *b)
{
	const struct routing_layer *x = a, *y = b;
	return x->region != y->region ? (x->region > y->region) - (x->region < y->region)
				      : (x->layer > y->layer) - (x->layer < y->layer);
}

/* Whether a name is layer.<region>.<l>.<what>; the numbers are written as we write them. */
static int layer_name(const struct st_file *f, const char *name, struct routing_layer *l, char *what)
{
	char again[128];
	if (sscanf(name, "layer.%9d.%9d.%15[a-z]", &l->region, &l->layer, what) == 3) {
		snprintf(again, sizeof again, "layer.%d.%d.%s", l->region, l->layer, what);
		if (!strcmp(again, name) && l->region >= 0 && l->layer >= 0)
			return 0;
	}
	return err_set(
		EX_DATAERR, "%s: tensor %s: not layer.REGION.LAYER.WHAT with 0-based numbers", f->name, name);
}

static int read_layers(struct routing *r, const struct st_file *f)
{
	r->layer = NEW_ARRAY(struct routing_layer, f->n);
	for (int i = 0; i < f->n; i++) {
		struct routing_layer l = {0};
		char what[16];
		if (!text_starts(f->tensor[i].name, "layer."))
			continue;
		if (layer_name(f, f->tensor[i].name, &l, what))
			return -1;
		if (l.region >= r->regions.n)
			return err_set(EX_DATAERR, "%s: tensor %s: region %d of %d", f->name,
				f->tensor[i].name, l.region, r->regions.n);
		int j = 0;
		while (j < r->layers && by_place(&r->layer[j], &l))
			j++;
		if (j == r->layers) {
			if (read_layer(r, f, &l))
				return -1;
			r->layer[r->layers++] = l;
		}
	}
	if (r->layers)
		qsort(r->layer, (size_t)r->layers, sizeof *r->layer, by_place);
	return 0;
}

static int fill(struct routing *r, const struct st_file *f)
{
	const char *format = st_meta(f, "moe.format"), *before = st_meta(f, "moe.history"),
		   *rate = st_meta(f, "moe.rate");
	if (!format || strcmp(format, "routing/1"))
		return err_set(EX_DATAERR,
			"%s: not a routing file (moe.format is %s, not routing/1); moe-route makes them",
			f->name, format ? format : "missing");
	r->name = mem_text(f->name);
	r->history = before ? mem_text(before) : NULL;
	if (!rate || !text_to_double(rate, &r->rate) || !(r->rate > 0))
		return err_set(EX_DATAERR, "%s: metadata moe.rate: %s is not a positive number", f->name,
			rate ? rate : "what is missing");
	if (read_names(f, "moe.regions", &r->regions) || read_names(f, "moe.classes", &r->classes) ||
		read_names(f, "moe.recordings", &r->recordings) || read_names(f, "moe.groups", &r->groups) ||
		read_windows(r, f))
		return -1;
	const char *twice = names_duplicate(&r->classes);
	if (twice || (twice = names_duplicate(&r->groups)))
		return err_set(EX_DATAERR, "%s: metadata: \"%s\" stands twice among classes or groups",
			f->name, twice);
	if (!r->regions.n)
		return err_set(EX_DATAERR, "%s: metadata moe.regions: no region", f->name);
	int64_t shape[2] = {r->n, r->regions.n};
	r->gate = st_need(f, "gate.weight", ST_F32, 2, shape);
	if (!r->gate || check_numbers(f, "gate.weight", r->gate, r->n * shape[1], shape[1], 1.001))
		return -1;
	return read_layers(r, f);
}

struct routing *routing_of(struct st_file *f)
{
	struct routing *r = NEW(struct routing);
	r->file = f;
	if (fill(r, f)) {
		routing_free(r);
		return NULL;
	}
	return r;
}

int routing_next(struct input *in, struct routing **r)
{
	struct st_file *f;
	int got = st_next(in, &f);
	if (got != 1)
		return got;
	*r = routing_of(f);
	return *r ? 1 : -1;
}

/* --- writing */

void routing_put_gate(struct st_writer *w, int64_t N, int K, const float *gate)
{
	st_put(w, "gate.weight", ST_F32, 2, (int64_t[]){N, K}, gate);
	st_put_meta(w, "moe.format", "routing/1");
}

/* Name, type and shape of a layer's tensor i: probability, expert, weight. */
static enum st_type tensor_of(
	const struct routing_layer *l, int i, int64_t N, char name[static 64], int64_t shape[static 3])
{
	static const char *const what[] = {"probability", "expert", "weight"};
	snprintf(name, 64, "layer.%d.%d.%s", l->region, l->layer, what[i]);
	shape[0] = N;
	shape[1] = l->tokens;
	shape[2] = i ? l->k : l->experts;
	return i == 1 ? ST_I32 : ST_F32;
}

static void put_capacity(struct st_writer *w, const struct routing_layer *l)
{
	char name[64];
	snprintf(name, sizeof name, "layer.%d.%d.capacity", l->region, l->layer);
	if (l->capacity)
		st_put(w, name, ST_I32, 1, (int64_t[]){l->experts}, l->capacity);
}

void routing_put_layer(struct st_writer *w, int64_t N, const struct routing_layer *l)
{
	const void *data[3] = {l->probability, l->expert, l->weight};
	char name[64];
	int64_t shape[3];
	for (int i = 0; i < 3; i++) {
		enum st_type type = tensor_of(l, i, N, name, shape);
		st_put(w, name, type, 3, shape, data[i]);
	}
	put_capacity(w, l);
}

void routing_emit_layer(struct st_writer *w, int64_t N, const struct routing_layer *l,
	int (*emit)(void *context, struct output *), void *const context[3])
{
	char name[64];
	int64_t shape[3];
	for (int i = 0; i < 3; i++) {
		enum st_type type = tensor_of(l, i, N, name, shape);
		st_put_emitter(w, name, type, 3, shape, emit, context[i]);
	}
	put_capacity(w, l);
}

/* Rows of x [tokens][width] as a list of lists. */
static void float_rows(struct text *t, const char *key, const float *x, int64_t tokens, int width)
{
	text_addf(t, ",\"%s\":[", key);
	for (int64_t i = 0; i < tokens; i++) {
		text_add(t, i ? "," : "");
		json_floats(t, x + i * width, width);
	}
	text_add(t, "]");
}

static void layer_json(struct text *t, const struct routing_layer *l, int64_t i)
{
	text_addf(t, "{\"region\":%d,\"layer\":%d,\"expert\":[", l->region, l->layer);
	const int32_t *e = l->expert + i * l->tokens * l->k;
	for (int64_t n = 0; n < l->tokens; n++)
		for (int j = 0; j < l->k; j++)
			text_addf(t, "%s%d%s",
				j   ? ","
				: n ? ",["
				    : "[",
				(int)e[n * l->k + j], j == l->k - 1 ? "]" : "");
	text_add(t, "]");
	float_rows(t, "weight", l->weight + i * l->tokens * l->k, l->tokens, l->k);
	float_rows(t, "probability", l->probability + i * l->tokens * l->experts, l->tokens, l->experts);
	text_add(t, "}");
}

void routing_json_line(const struct routing *r, int64_t i, struct text *t)
{
	text_add(t, "{\"recording\":");
	json_string(t, r->recordings.s[r->recording[i]]);
	text_add(t, ",\"group\":");
	json_string(t, r->groups.s[r->group[i]]);
	text_addf(t, ",\"start\":%lld,\"time\":", (long long)r->sample[i]);
	json_float(t, (double)r->sample[i] / r->rate);
	text_add(t, ",\"label\":");
	if (r->label[i] < 0)
		text_add(t, "null");
	else
		json_string(t, r->classes.s[r->label[i]]);
	text_add(t, ",\"gate\":");
	json_floats(t, r->gate + i * r->regions.n, r->regions.n);
	text_add(t, ",\"layers\":[");
	for (int l = 0; l < r->layers; l++) {
		text_add(t, l ? "," : "");
		layer_json(t, &r->layer[l], i);
	}
	text_add(t, "]");
	if (r->adapted)
		text_addf(t, ",\"adapted\":\"%s\"", r->adapted);
	text_add(t, "}\n");
}
